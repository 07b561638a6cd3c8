"""Randomness: generators are passed in, never global, and the global ones of the caller are left as they were."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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


_WORDS = 624
"""Of the state of a Mersenne Twister, 32 bits each."""


def global_state() -> tuple[Any, Any]:
    """The state of both global generators."""
    return random.getstate(), np.random.get_state(legacy=True)


def set_global_state(state: tuple[Any, Any]) -> None:
    """Put both global generators into a state of `global_state`."""
    random.setstate(state[0])
    np.random.set_state(state[1])


def same_state(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    """Whether two states of `global_state` are one."""
    (python, numpy), (python2, numpy2) = one, other
    return python == python2 and numpy[2:] == numpy2[2:] and bool(np.array_equal(numpy[1], numpy2[1]))


def state_told(state: tuple[Any, Any]) -> list[Any]:
    """A state of `global_state` in texts and numbers, as JSON has them."""
    (_, words, gauss), (_, key, place, has_gauss, cached) = state
    python = base64.b64encode(np.array(words, dtype=np.uint32).tobytes()).decode()
    return [python, gauss, base64.b64encode(key.tobytes()).decode(), int(place), int(has_gauss), float(cached)]


def state_heard(told: Any) -> tuple[Any, Any]:
    """A state of `state_told`, whoever told it.

    Raises:
        ValueError: if it is none.
    """
    try:
        python, gauss, key, place, has_gauss, cached = told
        words = np.frombuffer(base64.b64decode(python, validate=True), dtype=np.uint32)
        keys = np.frombuffer(base64.b64decode(key, validate=True), dtype=np.uint32)
    except TypeError as error:
        raise ValueError(str(error)) from error
    whole = len(words) == _WORDS + 1 and len(keys) == _WORDS and words[-1] <= _WORDS
    whole = whole and type(place) is int and 0 <= place <= _WORDS and type(cached) is float
    if not whole or type(gauss) not in (float, type(None)) or has_gauss not in (0, 1):
        raise ValueError("a state of the generators of another form")
    return (3, tuple(words.tolist()), gauss), ("MT19937", keys, place, has_gauss, cached)
