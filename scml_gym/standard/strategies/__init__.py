"""Scripted strategies of the Standard track, each written once as a function over arrays, so that they play in every
world."""

from __future__ import annotations

from scml_gym.core.registry import Registry

STRATEGIES = Registry("strategy")
"""Name -> `scml_gym.standard.strategies.base.Strategy`."""
