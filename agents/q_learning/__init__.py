"""Tabular Q-learning, one process for each opponent ("Q-learning for SCML OneShot, 2021")."""

from __future__ import annotations

from pathlib import Path

from scml_gym.jit.compile import keep_compiled

keep_compiled(__name__, Path(__file__).parent)

from agents.q_learning.learner import QLearning  # noqa: E402

__all__ = ["QLearning"]
