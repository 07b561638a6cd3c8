"""Randomness: generators are passed in, never global, and the global ones of the caller are left as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from scml_gym.core.warnings import quiet
from scml_gym.jit.random import GAMMA, mix

N_DRAWS = 48
"""Uniform numbers that a strategy gets with each decision."""

_STREAM = np.arange(1, N_DRAWS + 1, dtype=np.uint64) * GAMMA


def counter_draws(seed: int, factory: int, day: int, decision: int) -> np.ndarray:
    """The uniform numbers of one decision: a pure function of where the decision stands (splitmix64).

    Args:
        seed: Of the world, any integer (taken modulo 2**64).
        factory: Index of the factory in its world.
        day: From 0.
        decision: How many decisions the factory has taken that day.

    Returns:
        float64 array of shape ``(N_DRAWS,)`` in [0, 1).

    Example:
        >>> bool((counter_draws(7, 0, 0, 0) == counter_draws(7, 0, 0, 0)).all())
        True
    """
    key: Any = np.array([seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64)
    for part in (factory, day, decision):
        key = mix(key + GAMMA * np.array([part + 1], dtype=np.uint64))
    return (mix(key + _STREAM) >> np.uint64(11)) * 2.0**-53


class GlobalStreams:
    """A private copy of the two global generators that scml and negmas draw from.

    Inside ``active()`` the generators of ``random`` and ``numpy.random`` are these; outside, the caller's own, in the
    state that the caller left them in.
    """

    def __init__(self, seed: int):
        state = np.random.SeedSequence(seed & 0xFFFFFFFFFFFFFFFF).generate_state(2)
        self._python = random.Random(int(state[0])).getstate()
        self._numpy = np.random.RandomState(int(state[1])).get_state(legacy=False)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Exchange the generators for the length of a ``with`` block, in which scml's warnings on itself are silent."""
        python, numpy_state = random.getstate(), np.random.get_state(legacy=False)
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        try:
            with quiet():
                yield
        finally:
            self._python, self._numpy = random.getstate(), np.random.get_state(legacy=False)
            random.setstate(python)
            np.random.set_state(numpy_state)
