"""What a trained network computes of an observation, by what comes before its layers; for strategies.

The names are those of the ``features`` of learners (docs/training.md#networks). `scml_gym.agents.sb3.partners` has the
same in torch.
"""

from __future__ import annotations

import numpy as np

from scml_gym.core.registry import Registry
from scml_gym.game.networks import FLATTEN, SIZES, Features, compute_logits, layer
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.observations.fitting_sets import MOST_SETS, N_CONTEXT, N_ROW, read_facts
from scml_gym.oneshot.view import MAX_PARTNERS

FEATURES = Registry("features of a policy file")
"""Of `scml_gym.game.networks.Features`."""


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


FEATURES.register("flatten", FLATTEN)
FEATURES.register("sets", Features(N_CONTEXT + N_ROW, 1, (), logits_of_sets))
FEATURES.register("partners", Features(N_ROW + N_CONTEXT, MAX_PARTNERS, (1,), logits_of_partners, 3))
