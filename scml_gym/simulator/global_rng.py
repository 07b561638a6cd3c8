"""Randomness: generators are passed in, never global, and the global ones of the caller are left as they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from scml_gym.core.warnings import quiet


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
