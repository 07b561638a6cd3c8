"""Policy tables: what is proposed, accepted and done at the start of an episode."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.commitment.base import MarkovGame


class Row(NamedTuple):
    """One probability of one agent's policy.

    Attributes:
        seed: Index.
        agent: Index.
        policy: As ``propose``, ``accept``, ``act``.
        situation: What the policy saw, besides the initial state.
        option: What it may do.
        probability: Of doing so.
    """

    seed: int
    agent: int
    policy: str
    situation: str
    option: str
    probability: float


def initial_view(game: MarkovGame, seeds: int) -> np.ndarray:
    """What is seen at the start of an episode: ``(seeds, 1, 1, features)``."""
    return game.observe(game.initial((seeds, 1)))[:, None]


def option_rows(policy: str, situation: str, probabilities: np.ndarray, options: tuple[str, ...]) -> list[Row]:
    """Rows of ``(seeds, agents, options)``."""
    return [
        Row(seed, agent, policy, situation, options[k], round(float(probabilities[seed, agent, k]), 6))
        for seed, agent, k in np.ndindex(probabilities.shape)
    ]
