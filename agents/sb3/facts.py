"""What networks are given of an observation, without any weights."""

from __future__ import annotations

import numpy as np

from scml_gym.core.registry import Registry
from scml_gym.oneshot.observations.fitting_sets import read_context, read_sets

Facts = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of ``n`` decisions, float32: inputs, ``(n, inputs)``; rows, ``(n, rows, size)``, of size 0 where the inputs are a
decision's single row; and the share of each row in the mean, ``(n, rows)``."""

FACTS = Registry("fast network")
"""How facts are computed of observations, float32 ``(n, size)``.

Their names are those of `scml_gym.agents.sb3.hyperparameters.FEATURES`.
"""


def read_flat(observations: np.ndarray) -> Facts:
    """A single row."""
    return observations, observations[:, None, :0], np.ones((len(observations), 1), np.float32)


FACTS.register("flatten", read_flat)
FACTS.register("sets", lambda observations: read_flat(read_context(observations)))
FACTS.register("partners", read_sets)
