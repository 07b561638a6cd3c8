"""What a trained network computes of an observation, by what comes before its layers; for strategies.

The names are those of the ``features`` of learners (docs/training.md#networks). `scml_gym.agents.sb3.partners` has the
same in torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scml_gym.core.registry import Registry
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.observations.fitting_sets import MOST_SETS, N_CONTEXT, N_ROW, read_facts
from scml_gym.oneshot.strategies.network import SIZES, compute_logits, layer
from scml_gym.oneshot.view import MAX_PARTNERS


class Features(NamedTuple):
    """How a network reads an observation.

    Attributes:
        n_inputs: Of its first layer; 0 for as many as the observation has.
        n_rows: Into which its choices are divided: it gives those of one row at a time.
        twice: Layers that are given a row's values and the mean over the rows.
        logits: ``(params, observation) -> logits of all choices``, float64; jittable.
    """

    n_inputs: int
    n_rows: int
    twice: tuple[int, ...]
    logits: Callable[[np.ndarray, np.ndarray], np.ndarray]


FEATURES = Registry("features of a policy file")
"""Of `Features`."""


@jittable
def logits_of_sets(params: np.ndarray, observation: np.ndarray) -> np.ndarray:
    """Of an observation of rows: layers over the context and the partners' mean row."""
    inputs, shares = np.empty(N_CONTEXT + N_ROW, np.float32), np.empty(MAX_PARTNERS, np.float32)
    rows, sets = np.empty((MAX_PARTNERS, N_ROW), np.float32), np.empty((2, MOST_SETS), np.float32)
    read_facts(observation, inputs, rows, shares, sets)
    return compute_logits(params, inputs)


@jittable
def logits_of_partners(params: np.ndarray, observation: np.ndarray) -> np.ndarray:
    """Of an observation of rows: the same layers for each partner, the second also given the mean of the first."""
    inputs, shares = np.empty(N_CONTEXT + N_ROW, np.float32), np.empty(MAX_PARTNERS, np.float32)
    rows, sets = np.empty((MAX_PARTNERS, N_ROW), np.float32), np.empty((2, MOST_SETS), np.float32)
    read_facts(observation, inputs, rows, shares, sets)
    units, last, width = int(params[SIZES + 1]), int(params[SIZES + 2]), int(params[SIZES + 3])
    first = SIZES + 4
    second = first + (N_ROW + N_CONTEXT + 1) * units
    third = second + (2 * units + 1) * last
    given, values, both = np.zeros(N_ROW + N_CONTEXT), np.zeros((MAX_PARTNERS, units)), np.zeros(2 * units)
    for j in range(N_CONTEXT):
        given[N_ROW + j] = inputs[j]
    for k in range(MAX_PARTNERS):
        for j in range(N_ROW):
            given[j] = rows[k, j]
        values[k] = layer(params, 0, given, first)
        for j in range(units):
            both[units + j] += shares[k] * values[k, j]
    logits = np.zeros(MAX_PARTNERS * width)
    for k in range(MAX_PARTNERS):
        both[:units] = values[k]
        logits[k * width : (k + 1) * width] = layer(params, 2, layer(params, 1, both, second), third)
    return logits


FEATURES.register("flatten", Features(0, 1, (), compute_logits))
FEATURES.register("sets", Features(N_CONTEXT + N_ROW, 1, (), logits_of_sets))
FEATURES.register("partners", Features(N_ROW + N_CONTEXT, MAX_PARTNERS, (1,), logits_of_partners))
