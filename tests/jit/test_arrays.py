"""Borrowed arrays are arrays like others."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
import pytest

from scml_gym.jit.arrays import (
    borrow,
    borrowed_array,
    clear_part,
    copy_line,
    copy_record,
    line_of,
    part_of,
    scratch_floats,
    scratch_integers,
)
from scml_gym.jit.compile import compiled, jittable


class Arrays(NamedTuple):
    """A record as batches are: arrays of several shapes, and a number."""

    table: np.ndarray
    line: np.ndarray
    n: int


@compiled
def count_up(turns: int) -> tuple[int, float]:
    """Add into scratch arrays that are taken anew in each turn; what stays from turn to turn shows in the sum."""
    total, most = 0, 0.0
    for turn in range(turns):
        counts, values = scratch_integers(4), scratch_floats(3)
        for i in range(len(counts)):
            counts[i] += turn
        values[-1] += turn / 2.0
        total += counts[0] + counts[:2].sum() + counts[-1]
        most = max(most, values.max())
    return total, most


def double(numbers: np.ndarray) -> float:
    """Double numbers in place; returns their sum."""
    for i in range(len(numbers)):
        numbers[i] *= 2.0
    return numbers.sum()


_double = compiled(double)


@compiled
def double_parts(arrays: Arrays, row: int) -> float:
    """Double a row of the table and a part of the line, and copy the line."""
    borrowed = borrow(arrays)
    copied = borrowed.line.copy()
    return _double(part_of(borrowed.table, row)) + _double(borrowed.line[1:]) + copied[0] + borrowed.n


@compiled
def double_new(n: int, turns: int) -> float:
    """Double an array of the function's own, borrowed, in each turn; it is still there in the last one."""
    total, numbers = 0.0, np.ones(n)
    for _ in range(turns):
        total = double_borrowed(borrowed_array(numbers))
    return total


double_borrowed = jittable(double)


def test_a_borrowed_array_is_the_array_itself() -> None:
    """In compiled code as in Python."""
    assert double_new(1000, 5) == 1000 * 2**5
    assert double_new.py_func(1000, 5) == 1000 * 2**5


def test_scratch_is_zero_whenever_it_is_taken() -> None:
    """In a loop too, in compiled code as in Python."""
    expected = sum(4 * turn for turn in range(10)), 4.5
    assert count_up(10) == expected
    assert count_up.py_func(10) == expected


@compiled
def sum_either(arrays: Arrays, own: bool) -> float:
    """A name for an array of one's own or a borrowed one, and what NumPy makes of borrowed ones."""
    line = borrow(arrays).line
    chosen = np.ones(len(line)) if own else line
    made = np.concatenate((line, line[line > 1.0])) + np.zeros_like(made_of(line))
    return chosen.sum() + made.sum() + line.reshape((1, len(line))).sum() + np.sort(line)[0]


@jittable
def made_of(line: np.ndarray) -> np.ndarray:
    """A new array one shorter than twice as long."""
    return np.concatenate((line, line[1:])).copy()


@pytest.mark.parametrize("own", [True, False])
def test_it_mixes_with_other_arrays(own: bool) -> None:
    """Names that stand for either, and functions of NumPy."""
    arrays = Arrays(np.zeros((1, 1)), np.arange(5.0) + 1.0, 0)
    for _ in range(3):
        assert sum_either(arrays, own) == (5.0 if own else 15.0) + 15.0 + 14.0 + 15.0 + 1.0


@pytest.mark.parametrize("row", [0, 2])
def test_what_is_lent_is_the_same_memory(row: int) -> None:
    """Parts and slices write to the arrays of the caller."""
    arrays = Arrays(np.arange(12.0).reshape(3, 4), np.arange(5.0) + 1.0, 7)
    table, line = arrays.table.copy(), arrays.line.copy()
    table[row] *= 2.0
    line[1:] *= 2.0
    assert double_parts(arrays, row) == table[row].sum() + line[1:].sum() + line[0] + 7
    np.testing.assert_array_equal(arrays.table, table)
    np.testing.assert_array_equal(arrays.line, line)


def test_counts_of_the_owner_stay() -> None:
    """Borrowing takes no reference and gives none back."""
    arrays = Arrays(np.ones((3, 4)), np.ones(5), 0)
    before: list[Any] = [sys.getrefcount(array) for array in arrays[:2]]
    for _ in range(10):
        double_parts(arrays, 1)
    assert [sys.getrefcount(array) for array in arrays[:2]] == before


@compiled
def double_and_copy(numbers: np.ndarray, flags: np.ndarray, target: np.ndarray) -> float:
    """Double three numbers in the middle, copy them, and count the flags beside them."""
    line = line_of(numbers, 2, 3)
    copy_line(line, target)
    return _double(line) + line_of(flags, 2, 3).sum()


def test_a_line_of_an_array_is_that_part_of_it() -> None:
    """Of numbers and of flags; what is written there stands in the array."""
    numbers, target = np.arange(6.0), np.zeros(3)
    assert double_and_copy(numbers, np.array([1, 1, 1, 0, 1, 1], dtype=np.bool_), target) == 18 + 2
    assert numbers.tolist() == [0, 1, 4, 6, 8, 5]
    assert target.tolist() == [2, 3, 4]


def test_a_line_of_an_array_is_the_same_in_python() -> None:
    """What is written there stands in the array, too."""
    numbers = np.arange(6.0)
    line_of(numbers, 2, 3)[:] = 7
    assert numbers.tolist() == [0, 1, 7, 7, 7, 5]


SHORT = np.dtype([("n", np.int64), ("x", np.float32, 3)])
LONG = np.dtype([("first", SHORT), ("y", np.float64)])


def move_records(source: np.ndarray, target: np.ndarray, table: np.ndarray) -> None:
    """Copy a record, and clear another one and a row."""
    copy_record(source, 1, target, 2)
    clear_part(target, 0)
    clear_part(table, 1)


@pytest.mark.parametrize("move", [move_records, compiled(move_records)], ids=["python", "compiled"])
def test_records_are_copied_and_cleared_as_bytes(move: Any) -> None:
    """What stands beside them stays."""
    source, target, table = np.zeros(2, dtype=SHORT), np.zeros(3, dtype=LONG), np.ones((3, 2), dtype=SHORT)
    source[1] = 5, (1.0, 2.0, 3.0)
    target[:] = ((7, (8.0, 8.0, 8.0)), 9.0)
    kept = target[1].copy()
    move(source, target, table)
    assert target[0] == np.zeros((), dtype=LONG) and target[1] == kept
    assert target[2]["first"] == source[1] and target[2]["y"] == 9.0
    assert table["n"].tolist() == [[1, 1], [0, 0], [1, 1]]
