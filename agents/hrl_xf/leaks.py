"""The leak test: does a number of the observation tell the action by itself?

Where a label has come into the input, as when a history already holds the answer that is to be learnt, one column that
is looked up in a table predicts it. What is seen before an answer does not, where several kinds of players are
recorded; a scripted player by itself may be predicted by one number, such as its own last offer, without a fault.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.agents.hrl_xf.negotiations import Negotiations
from scml_gym.agents.hrl_xf.observing import hide_goals, name_of
from scml_gym.core.errors import InputError
from scml_gym.standard.actions.choice import HEADS

MOST = 0.99
"""Share of the actions that a column may tell."""

LEAST_GAIN = 0.02
"""What is told beyond the commonest action, below which nothing is said of a column."""

LOOKED_AT = 20_000
"""Decisions, at most."""


class Leak(NamedTuple):
    """What a column tells.

    Attributes:
        column: Of the observation.
        head: Of the action.
        told: Share of the decisions whose action it tells.
        commonest: Share of the commonest action.
    """

    column: int
    head: int
    told: float
    commonest: float

    def __str__(self) -> str:
        """In words."""
        what = f"{name_of(self.column)} tells the {HEADS[self.head]} of {100 * self.told:.1f} % of the decisions"
        return f"{what}, the commonest one {100 * self.commonest:.1f} %"


def most_told(observations: np.ndarray, actions: np.ndarray) -> list[Leak]:
    """For each number of an action, the column that tells most of it: what is commonest with a value of the column in
    one half of the decisions is looked up in the other half.

    Args:
        observations: Float32 ``(n, columns)``.
        actions: Int64 ``(n, 4)``; all numbers but the response count where an offer is made.
    """
    found = []
    for head in range(actions.shape[1]):
        rows = np.arange(len(actions)) if head == 0 else np.flatnonzero(actions[:, 0] == 2)
        rows = rows[:: max(1, len(rows) // LOOKED_AT)]
        if len(rows) < 4:
            continue
        labels, half = actions[rows, head], len(rows) // 2
        options = int(labels.max()) + 1
        commonest = np.bincount(labels[:half]).argmax()
        base = float((labels[half:] == commonest).mean())
        best = Leak(-1, head, 0.0, base)
        for column in range(observations.shape[1]):
            values, codes = np.unique(observations[rows, column], return_inverse=True)
            counts = np.zeros((len(values), options), np.int64)
            np.add.at(counts, (codes[:half], labels[:half]), 1)
            guess = np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), commonest)
            told = float((guess[codes[half:]] == labels[half:]).mean())
            best = max(best, Leak(column, head, told, base), key=lambda leak: leak.told)
        found.append(best)
    return found


def check_leaks(table: Negotiations) -> None:
    """Refuse negotiations whose observations tell their actions, goals aside, which are a plan of the day.

    Raises:
        InputError: with the column.
    """
    for leak in most_told(hide_goals(table.observations), table.actions):
        if leak.told > MOST and leak.told - leak.commonest > LEAST_GAIN:
            raise InputError(f"the label stands in the input: {leak}")
