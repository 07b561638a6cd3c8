"""Does the executor heed alpha? What it answers in recorded situations, told one alpha or another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from scml_gym.agents.decision_transformer.network import ChoiceHeads
from scml_gym.agents.decision_transformer.sequences import Batches, Sequences, windows_of
from scml_gym.agents.hrl_xf.eagerness import ACCEPT, END, OFFER
from scml_gym.agents.hrl_xf.executing import ORDER
from scml_gym.agents.hrl_xf.learner import ExecutorLearner, episodes_of
from scml_gym.agents.hrl_xf.monitor import CONSUMER
from scml_gym.agents.hrl_xf.negotiations import Negotiations
from scml_gym.agents.hrl_xf.observing import ALPHA, SEEN
from scml_gym.core.errors import InputError
from scml_gym.standard.observations.encoding import N_PARTNER

CHUNK = 256
"""Windows that are looked at together."""

MEASURES = ("accepts", "ends", "gain")
"""Probability of an acceptance where it is valid, and of an end; and the expected position of the price of an offer in
today's range, 1 the best for who makes it, given the recorded day and quantity."""


class Heeded(NamedTuple):
    """What is done when one alpha is told, by world, float64 ``(worlds,)`` each; see `MEASURES`."""

    accepts: np.ndarray
    ends: np.ndarray
    gain: np.ndarray


def heeded(learner: ExecutorLearner, table: Negotiations, episodes: np.ndarray, alpha: float) -> Heeded:
    """What a trained executor does in recorded situations, goals told and returns not.

    Args:
        learner: Trained.
        table: All negotiations.
        episodes: Which of them.
        alpha: Told in their decisions; those before, which the network sees too, are told it as well.

    Raises:
        InputError: if it is not trained, or its actions are others.
    """
    if learner.network is None or table.sizes != learner.choices.sizes:
        raise InputError(f"an executor of actions of {learner.choices.sizes}, negotiations of {table.sizes}")
    none = np.zeros(len(table.starts), np.bool_)
    sequences = episodes_of(table, *learner.rows(table), none, ~none)
    sequences.observations[:, ALPHA] = alpha
    places, told = _told(learner, sequences, episodes)
    world = np.repeat(table.worlds, np.diff(np.append(table.starts, len(table.rewards))))[places]
    valid, offers = table.masks[places, ACCEPT], table.actions[places, 0] == OFFER
    parts = {"accepts": (told[:, 0], valid), "ends": (told[:, 1], np.ones_like(valid)), "gain": (told[:, 2], offers)}
    worlds = list(dict.fromkeys(world.tolist()))
    return Heeded(*(np.array([n[(world == w) & who].mean() for w in worlds]) for n, who in parts.values()))


@torch.no_grad()
def _told(learner: ExecutorLearner, sequences: Sequences, episodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The decisions of some negotiations, and of each its `MEASURES`, ``(n, 3)``; the last one where it offers."""
    network, context = learner.network, learner.hyperparameters.context
    assert network is not None and isinstance(network.heads, ChoiceHeads), "it is trained, and chooses"
    batches = Batches(sequences, network.scale.numpy(), context)
    begin, end = windows_of(sequences, episodes, context, np.zeros(len(episodes), np.int64))
    levels = torch.linspace(0.0, 1.0, learner.choices.price_bins)
    places, found = [], []
    for start in range(0, len(begin), CHUNK):
        windows, there, at = batches.take(begin[start : start + CHUNK], end[start : start + CHUNK])
        actions, masks, _ = batches.done(at)
        response, *_, price = network.heads.distributions(network(windows)[there], actions, masks)
        level = price.exp() @ levels
        consumer = torch.from_numpy(sequences.observations[at, SEEN - N_PARTNER + CONSUMER] > 0)
        gain = torch.where(consumer, level, 1.0 - level)
        places.append(at)
        found.append(torch.stack([response[:, ACCEPT].exp(), response[:, END].exp(), gain], dim=1).numpy())
    assert ORDER[-1] == 3, "the price is decided last"
    return np.concatenate(places), np.concatenate(found)
