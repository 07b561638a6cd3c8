"""What is known of a decision without any weights, which is computed once and kept for all passes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from agents.sb3.fitting_sets import read_means, read_sets
from agents.sb3.partners import N_CONTEXT, N_ROW
from scml_gym.core.registry import Registry
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import MAX_PARTNERS
from scml_gym.vector.jobs import BatchStep, Counters, shared, take


class Facts(NamedTuple):
    """Of a network.

    Attributes:
        read: ``(observation, inputs, rows, shares)``: writes them, see `agents.fast_ppo.passes.Decisions`.
        n_inputs: 0 for as many as an observation has.
        n_rows: Of partners; 0 where the inputs are the only row.
    """

    read: Callable[..., None]
    n_inputs: int
    n_rows: int


@jittable
def copy_all(observation: np.ndarray, inputs: np.ndarray, rows: np.ndarray, shares: np.ndarray) -> None:
    """See `Facts`."""
    inputs[:] = observation


FACTS = Registry("fast network")
"""By the names of `agents.sb3.hyperparameters.FEATURES`."""

FACTS.register("flatten", Facts(copy_all, 0, 0))
FACTS.register("sets", Facts(read_means, N_CONTEXT + N_ROW, 0))
FACTS.register("partners", Facts(read_sets, N_CONTEXT + N_ROW, MAX_PARTNERS))


@functools.cache
def compile_reading(read: Callable[..., None]) -> BatchStep:
    """A step over rows, of ``(observations, decisions)``; observations are float32 ``(n, size)``."""

    @shared
    @jittable
    def step(arguments: tuple[Any, ...], counters: Counters) -> None:
        observations, decisions = arguments
        low, high = take(counters)
        while low < high:
            for d in range(low, high):
                read(observations[d], decisions.inputs[d], decisions.rows[d], decisions.shares[d])
            low, high = take(counters)

    return step
