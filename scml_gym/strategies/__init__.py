"""Scripted factory strategies, each written once as a function over arrays, so that they play in every world."""

from __future__ import annotations

from scml_gym.registry import Registry

STRATEGIES = Registry("strategy")
"""Name -> `scml_gym.strategies.base.Strategy`."""

STRATEGIES.register("best-subset", "scml_gym.strategies.best_subset:BEST_SUBSET_RANDOM")
STRATEGIES.register("best-subset-random", "scml_gym.strategies.best_subset:BEST_SUBSET_RANDOM")
STRATEGIES.register("best-subset-even", "scml_gym.strategies.best_subset:BEST_SUBSET_EVEN")
