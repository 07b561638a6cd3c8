"""Functions for Python and compiled code of which compiled code has one copy."""

from typing import NamedTuple

import numpy as np

from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import compiled
from scml_gym.jit.once import compiled_once, jittable_once
from scml_gym.jit.symbols import FUNCTIONS


class Pair(NamedTuple):
    """Arrays of one type, which Numba takes for a tuple of its own kind."""

    first: np.ndarray
    second: np.ndarray


@jittable_once
def add(pair, by):
    """Add to both arrays of a pair, and say what they add up to."""
    pair.first[0] += by
    pair.second[0] += by
    return pair.first[0] + pair.second[0]


@compiled
def add_twice(by):
    pair = Pair(scratch_integers(1), scratch_integers(1))
    add(pair, by)
    return add(pair, by)


@compiled
def add_to(pair, by):
    return add(pair, by)


def test_python_and_compiled_code_say_the_same():
    pair = Pair(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))
    assert add(pair, 3) == 6
    assert add_to(pair, 3) == 12 and pair.first[0] == 6
    assert add_twice(3) == 12


def test_compiled_code_has_one_copy():
    test_python_and_compiled_code_say_the_same()
    (name,) = (name for name in FUNCTIONS if name.endswith("test_once.add"))
    assert len(FUNCTIONS[name].overloads) == 1


@compiled_once
def take(pair, by):
    """Take from both arrays of a pair, and say what is left."""
    pair.first[0] -= by
    pair.second[0] -= by
    return pair.first[0] + pair.second[0]


@compiled
def take_twice(by):
    pair = Pair(scratch_integers(1), scratch_integers(1))
    take(pair, by)
    return take(pair, by)


def test_what_python_calls_compiled_is_the_copy_of_compiled_code():
    pair = Pair(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))
    assert take(pair, 3) == -6 and pair.second[0] == -3
    assert take_twice(3) == -12
    (name,) = (name for name in FUNCTIONS if name.endswith("test_once.take"))
    assert len(FUNCTIONS[name].overloads) == 1 and take.__doc__.startswith("Take from both")
