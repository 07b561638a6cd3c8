"""Arguments are the same for compiled code that reads them as words, and nothing else is taken for them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import types
from numba.core.errors import TypingError

from scml_gym.jit.arguments import WORDS, ArgumentBuffer
from scml_gym.jit.compile import jittable
from scml_gym.vector.jobs import BatchStep, Counters, take
from scml_gym.vector.workers import Workers

RECORD = np.dtype([("n", np.int64), ("x", np.float32)], align=True)


class Parts(NamedTuple):
    """Some of each kind."""

    records: np.ndarray
    flags: np.ndarray
    deep: np.ndarray
    number: float
    count: int
    yes: bool


@BatchStep
@jittable
def tell(arguments: Any, counters: Counters) -> None:
    """Write down what is seen of some parts."""
    parts, (factor, seen) = arguments
    low, high = take(counters)
    while low < high:
        for i in range(low, high):
            seen[i] = parts.records[i]["n"] + parts.records[i]["x"] + parts.deep[i, 1, 2] + 100.0 * parts.flags[i]
            seen[i] += factor * parts.number + (parts.count if parts.yes else 0)
        low, high = take(counters)


def parts_of(n: int, number: float, yes: bool) -> Parts:
    """As many records."""
    records = np.zeros(n, dtype=RECORD)
    records["n"], records["x"] = np.arange(n), 0.25
    return Parts(records, np.arange(n) % 2 > 0, np.arange(n * 6.0).reshape(n, 2, 3), number, -3, yes)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_written_is_read(threads: int) -> None:
    """Also where parts change, or their types."""
    workers = Workers(tell, threads)
    for n, number, yes, factor in ((4, 0.5, True, 1.0), (4, -2.5, False, -1.0), (9, 0.5, True, 2), (9, 0.5, True, 2.5)):
        parts, seen = parts_of(n, number, yes), np.zeros(n)
        workers(n, parts, (factor, seen))
        expected = np.arange(n) + 0.25 + np.arange(n) * 6.0 + 5.0 + 100.0 * (np.arange(n) % 2)
        np.testing.assert_array_equal(seen, expected + factor * number + (-3 if yes else 0))
        parts.records["n"] += 1  # the same array is looked at again
        workers(n, parts._replace(count=-2), (factor, seen))
        np.testing.assert_array_equal(seen, expected + 1 + factor * number + (-2 if yes else 0))
    workers.close()


def test_only_what_is_new_is_written() -> None:
    """And whether its type is another one is told."""
    buffer, parts = ArgumentBuffer(), parts_of(3, 1.0, True)
    assert buffer.write(parts) and not buffer.write(parts) and not buffer.write(Parts(*parts))
    assert buffer.size == 2 + 2 + 4 + 3 and buffer.words[:2].tolist() == [parts.records.ctypes.data, 3]
    assert not buffer.write(parts._replace(count=5)) and buffer.words[9:11].tolist() == [5, 1]
    assert buffer.write(parts._replace(count=5.0)) and buffer.words[9:10].view(np.float64) == 5.0


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (np.zeros((3, 4)).T, "only arrays in C order"),
        ((np.zeros(3), "a"), "an argument of type unicode_type; valid: int64"),
        (tuple(np.zeros((1, 1, 1)) for _ in range(WORDS // 4 + 1)), f"arguments of {WORDS + 4} words; valid: at most"),
    ],
    ids=["order", "type", "size"],
)
def test_nothing_else_is_written(argument: Any, message: str) -> None:
    """It is refused each time, and what follows is taken."""
    buffer = ArgumentBuffer()
    for _ in range(2):
        with pytest.raises(TypingError, match=message):
            buffer.write(argument)
    assert buffer.write(7) and buffer.kind == types.int64
