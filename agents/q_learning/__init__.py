"""Tabular Q-learning, one process for each opponent ("Q-learning for SCML OneShot, 2021")."""

from __future__ import annotations

from scml_gym.agents.q_learning.learner import QLearning

__all__ = ["QLearning"]
