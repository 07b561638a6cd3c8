"""Mega-steps: several steps of a game chosen at once."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from scml_gym.commitment.base import MarkovGame, check_actions
from scml_gym.core.arguments import whole
from scml_gym.core.errors import InputError


class MegaGame:
    """A game whose action is a sequence of k actions of another, which are then played one after the other.

    The reward of a mega-step is the sum of its steps'. Sequences are numbered with the first action counting most.
    With commitments over it, agents propose and commit to k steps at once.

    Source: "Learning to Negotiate via Voluntary Commitment", mega-step commitments.

    Args:
        game: The game of single steps.
        mega_step: k, from 2 on; must divide the horizon, and leave at most 65536 sequences.

    Raises:
        InputError: if it does not.
    """

    def __init__(self, game: MarkovGame, mega_step: int) -> None:
        self.mega_step = mega_step = check_mega_step(mega_step, game.horizon, game.actions)
        self.game = game
        self.agents = game.agents
        self.actions = game.actions**mega_step
        self.horizon = game.horizon // mega_step
        self.features = game.features
        names = itertools.product(game.action_names, repeat=mega_step)
        self.action_names = tuple("-".join(sequence) for sequence in names)

    def initial(self, rows: tuple[int, ...]) -> np.ndarray:
        """As in the game of single steps."""
        return self.game.initial(rows)

    def observe(self, state: np.ndarray) -> np.ndarray:
        """As in the game of single steps."""
        return self.game.observe(state)

    def step(self, state: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Play the sequences."""
        check_actions(state, actions, self.agents, self.actions)
        total = np.zeros(actions.shape)
        for k in range(self.mega_step):
            state, rewards = self.game.step(state, nth_action(actions, k, self.mega_step, self.game.actions))
            total += rewards
        return state, total


MOST_SEQUENCES = 65536


def check_mega_step(mega_step: int, horizon: int | None, actions: int) -> int:
    """Refuse a mega-step that is not a whole number from 1 on, does not divide a known horizon, or is too long.

    Args:
        mega_step: What was given.
        horizon: Of the single steps, or None where it is not known.
        actions: Of a single step; there are at most 65536 sequences of them.

    Returns:
        It as an ``int``.

    Raises:
        InputError: if so.
    """
    steps = whole("mega_step", mega_step)
    if horizon is not None and horizon % steps:
        valid = ", ".join(str(k) for k in range(1, min(horizon, 64) + 1) if horizon % k == 0)
        raise InputError(
            f"mega_step={steps}: the horizon {horizon} is not divisible by it; valid: {valid}", "mega_step"
        )
    if steps > 1 and (steps > MOST_SEQUENCES.bit_length() or actions**steps > MOST_SEQUENCES) and actions > 1:
        raise InputError(
            f"mega_step={steps}: {actions} to the power {steps} sequences are too many; at most {MOST_SEQUENCES}",
            "mega_step",
        )
    return steps


def nth_action(sequences: Any, k: int, length: int, actions: int) -> Any:
    """The k-th action of sequences that are numbered with the first action counting most."""
    return sequences // actions ** (length - 1 - k) % actions
