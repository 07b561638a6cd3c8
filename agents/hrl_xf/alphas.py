"""How alpha, the eagerness of each negotiation, comes about: by name in `ALPHAS`.

``zero`` is no coordination. ``heuristic`` is the teacher: what is lacking, how late and how near it is, and the money.
``distilled`` is the coordinator's network as it was fitted to the teacher, and ``learnt`` is that network trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from scml_gym.agents.hrl_xf.coordinator import Coordinator, sets_of
from scml_gym.agents.hrl_xf.monitor import AFFORDED, AHEAD, LACKING, TIME, Situation
from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry

URGENT, LATE, NEAR, POOR = 0.3, 0.2, 0.2, 0.3
"""Weights of what makes a negotiation eager, and of what makes it reluctant."""

Alphas = Callable[[Sequence[Situation], Coordinator | None], np.ndarray]
"""``(situations, network) -> alphas``: of all negotiations of all situations, one after the other, -1 to 1."""


class Way(NamedTuple):
    """A way to alpha.

    Attributes:
        alphas: Gives it.
        fitted: It needs a network that was fitted to the teacher.
        learns: That network is trained on where the executor is.
    """

    alphas: Alphas
    fitted: bool
    learns: bool


def teacher(negotiations: np.ndarray) -> np.ndarray:
    """Alpha by rule, ``(n,)`` of what the coordinator is shown, ``(n, NEGOTIATION)``.

    The weights are the sources'. Theirs divides what is lacking by 10 items, and money by 10 times the goal's items;
    here what is lacking is in lines, money in what the lacking items cost, both for the day that the negotiation is
    about; and a negotiation is late by its own relative time. Who cannot pay for what is lacking is less eager to buy,
    where the sources make it more so. Where nothing is lacking, no day is near.
    """
    lacking = np.clip(negotiations[:, LACKING], 0.0, 1.0)
    near = (1.0 - negotiations[:, AHEAD]) * (lacking > 0)
    eager = URGENT * lacking + LATE * negotiations[:, TIME] + NEAR * near - POOR * (1.0 - negotiations[:, AFFORDED])
    return np.clip(2.0 * eager - 0.5, -1.0, 1.0)


def zero(situations: Sequence[Situation], network: Coordinator | None) -> np.ndarray:
    """0 for all."""
    return np.zeros(sum(len(situation.negotiations) for situation in situations), np.float32)


def heuristic(situations: Sequence[Situation], network: Coordinator | None) -> np.ndarray:
    """The teacher's."""
    return teacher(np.concatenate([situation.negotiations for situation in situations])).astype(np.float32)


@torch.no_grad()
def of_network(situations: Sequence[Situation], network: Coordinator | None) -> np.ndarray:
    """The network's.

    Raises:
        InputError: if there is none.
    """
    if network is None:
        raise InputError("there is no coordinator yet: fit one to the teacher first")
    return np.tanh(network(sets_of(situations)).numpy())


ALPHAS = Registry("way to alpha")
ALPHAS.register("zero", Way(zero, False, False))
ALPHAS.register("heuristic", Way(heuristic, False, False))
ALPHAS.register("distilled", Way(of_network, True, False))
ALPHAS.register("learnt", Way(of_network, True, True))
