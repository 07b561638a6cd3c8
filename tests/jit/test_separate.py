"""Functions that are compiled once for all that call them: what they are given, what comes out, and how often."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numba.core.errors import NumbaError

from scml_gym.jit.arrays import borrow
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.separate import separate
from scml_gym.jit.symbols import FUNCTIONS

PLACE_DTYPE = np.dtype([("x", np.int64), ("y", np.float64)], align=True)


class Table(NamedTuple):
    """What a function is given."""

    places: np.ndarray
    numbers: np.ndarray
    first: int


@separate
def move(place, table, row, by):
    """Write into a record and an array of a table."""
    if by < 0:
        raise ValueError("moved back", by)
    place["x"] += by
    table.numbers[row] += by
    return place["x"] + table.first


@compiled
def move_twice(table, row, by):
    return move(table.places[row], table, row, by) + move(table.places[row], table, row, by)


@compiled
def move_all(table, by):
    table = borrow(table)
    total = 0
    for row in range(len(table.places)):
        total += move(table.places[row], table, row, by)
    return total


@compiled
def move_or(table, by):
    try:
        total = move(table.places[0], table, 0, by)
    except Exception:
        total = -1
    return total


@pytest.fixture
def table():
    return Table(np.zeros(3, dtype=PLACE_DTYPE), np.zeros((3, 2)), 10)


def test_it_writes_where_its_callers_read(table):
    assert move_twice(table, 1, 2) == 2 + 10 + 4 + 10
    assert move_all(table, 1) == 1 + 5 + 1 + 30
    assert table.places["x"].tolist() == [1, 5, 1]
    assert table.numbers.tolist() == [[1, 1], [5, 5], [1, 1]]


def test_it_is_compiled_once_whoever_calls_it(table):
    move_twice(table, 1, 2)
    move_all(table, 1)
    move_or(table, 1)
    (made,) = (function for name, function in FUNCTIONS.items() if name.endswith("test_separate.move"))
    assert len(made.signatures) == 1  # with borrowed arrays, whoever owned them


def test_an_exception_comes_out_of_its_callers(table):
    with pytest.raises(ValueError, match="moved back") as caught:
        move_all(table, -3)
    assert caught.value.args == ("moved back", -3)
    assert move_or(table, -1) == -1
    assert table.places["x"].tolist() == [0, 0, 0]


def test_one_may_call_another_and_a_compiled_one_can_be_taken_too():
    @separate
    def double(x):
        return 2 * x

    @jittable
    def by_way(x):
        return double(x) + 1

    @separate
    def outer(x):
        return double(by_way(x))

    @compiled
    def count(x):
        return x + 1

    counted = separate(count)
    assert separate(count) is counted

    @compiled
    def call(x):
        return outer(x), counted(x)

    assert call(3) == (14, 4)
    assert call(1.5) == (8.0, 2.5)
    assert count(1) == 2  # from Python as before


def test_arrays_that_are_not_in_c_order_are_refused(table):
    @separate
    def total(numbers):
        return numbers.sum()

    @compiled
    def call(numbers):
        return total(numbers)

    assert call(np.ones((2, 3))) == 6.0
    with pytest.raises(NumbaError, match="only arrays in C order"):
        call(np.ones((2, 3)).T)


def test_python_cannot_call_it():
    with pytest.raises(NotImplementedError, match="pure-python"):
        move(None, None, 0, 0)


def twice(x):
    """Compiled in both ways."""
    return 2 * x


def test_python_can_call_what_is_also_compiled_separately():
    inside = separate(twice)

    @compiled
    def call(x):
        return inside(x)

    assert call(3) == 6
    assert compiled(twice)(3) == 6


def test_a_function_that_is_defined_anew_is_compiled_anew():
    """As in a notebook's cell that is run again."""
    found = []
    for more in (1.0, 100.0):
        names = {}
        exec(f"def add(x):\n    return x + {more}", {"__name__": "a_notebook"}, names)
        add = separate(names["add"])
        found.append(compiled(lambda x, add=add: add(x))(1.0))
    assert found == [2.0, 101.0]
