"""How well recorded decisions are met: by a network, and by the base rate, world by world.

The response counts in every decision; the day, the quantity and the price count where an offer is made, each given the
numbers that are decided before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from scml_gym.agents.decision_transformer.fitting import judge
from scml_gym.agents.decision_transformer.sequences import split
from scml_gym.agents.hrl_xf.executing import ORDER
from scml_gym.agents.hrl_xf.learner import ExecutorLearner, episodes_of
from scml_gym.agents.hrl_xf.negotiations import Negotiations
from scml_gym.core.errors import InputError

PARTS = ("operation", "day", "quantity", "price")
"""In the order in which they are decided."""

CONDITIONS: Mapping[str, tuple[bool, bool]] = {
    "nothing": (True, True),
    "goals": (False, True),
    "return": (True, False),
    "both": (False, False),
}
"""What is told: whether goals, and returns, are hidden. Both are known afterwards, so ``nothing`` is what counts."""


class Met(NamedTuple):
    """How well the decisions of worlds are met.

    Attributes:
        loss: Minus the mean logarithm of the likelihood, by part and world, float64 ``(4, worlds)``.
        accuracy: Share of the decisions whose likeliest number is the recorded one, likewise.
    """

    loss: np.ndarray
    accuracy: np.ndarray


def held_out(table: Negotiations, share: float) -> tuple[np.ndarray, np.ndarray]:
    """The negotiations that are learnt from, and those of the last worlds, which are not."""
    none = np.zeros(len(table.starts), np.bool_)
    actions = table.actions.astype(np.float32)
    return split(episodes_of(table, actions, table.masks, none, none), share)


def by_network(learner: ExecutorLearner, table: Negotiations, episodes: np.ndarray, told: str) -> Met:
    """How well a trained executor meets some negotiations.

    Args:
        learner: Trained.
        table: All negotiations.
        episodes: Which of them.
        told: A name in `CONDITIONS`.

    Raises:
        InputError: if it is not trained, or its actions are others.
    """
    if learner.network is None or table.sizes != learner.choices.sizes:
        raise InputError(f"an executor of actions of {learner.choices.sizes}, negotiations of {table.sizes}")
    goals, returns = (np.full(len(table.starts), hidden) for hidden in CONDITIONS[told])
    actions, masks = learner.rows(table)
    sequences = episodes_of(table, actions, masks, goals, returns)
    judged = judge(learner.network, sequences, episodes, learner.hyperparameters.context)
    return _by_world(table, episodes, judged.logs, judged.likeliest)


def by_base_rate(table: Negotiations, learnt: np.ndarray, episodes: np.ndarray) -> Met:
    """How well the shares of what was done in the negotiations that are learnt from, among what is valid, meet others;
    those of day, quantity and price are of offers."""
    rows, known = _decisions(table, episodes), _decisions(table, learnt)
    starts, logs, likeliest = np.cumsum((0, *table.sizes)), [], []
    for head in ORDER:
        size, of_offers = table.sizes[head], known[(table.actions[known, 0] == 2) | (head == 0)]
        counts = 1.0 + np.bincount(table.actions[of_offers, head], minlength=size)
        shares = counts * table.masks[rows, starts[head] : starts[head] + size]
        shares /= shares.sum(axis=1, keepdims=True)
        done = table.actions[rows, head]
        logs.append(np.log(shares[np.arange(len(rows)), done]))
        likeliest.append(shares.argmax(axis=1) == done)
    return _by_world(table, episodes, np.stack(logs, axis=1), np.stack(likeliest, axis=1))


def _decisions(table: Negotiations, episodes: np.ndarray) -> np.ndarray:
    """The decisions of some negotiations."""
    starts = [*table.starts.tolist(), len(table.rewards)]
    return np.concatenate([np.arange(starts[i], starts[i + 1]) for i in episodes.tolist()])


def _by_world(table: Negotiations, episodes: np.ndarray, logs: np.ndarray, likeliest: np.ndarray) -> Met:
    rows = _decisions(table, episodes)
    lengths = np.diff(np.append(table.starts, len(table.rewards)))[episodes]
    world, offers = np.repeat(table.worlds[episodes], lengths), table.actions[rows, 0] == 2
    worlds = dict.fromkeys(world.tolist())
    loss, accuracy = np.zeros((len(PARTS), len(worlds))), np.zeros((len(PARTS), len(worlds)))
    for i, number in enumerate(worlds):
        for part in range(len(PARTS)):
            own = (world == number) & (offers | (part == 0))
            loss[part, i], accuracy[part, i] = -logs[own, part].mean(), likeliest[own, part].mean()
    return Met(loss, accuracy)
