"""Threads that share the rows of a program do each of them once, whoever comes when."""

from __future__ import annotations

import gc
import os
import threading
import time
from typing import NamedTuple

import numpy as np
import pytest
from numba.core.errors import TypingError

from scml_gym.jit.compile import jittable
from scml_gym.vector.jobs import INSIDE, Board, shared, take
from scml_gym.vector.workers import Crew


class Counts(NamedTuple):
    """What is noted of each row."""

    visits: np.ndarray
    total: np.ndarray


@shared
@jittable
def count(arguments: tuple[Counts, np.ndarray, int], board: Board) -> None:
    """Note each visit, with some work for the rows below a number."""
    counts, values, slow = arguments
    low, high = take(board)
    while low < high:
        for i in range(low, high):
            counts.visits[i] += 1
            work = 0.0
            for j in range(2000 if i < slow else 1):
                work += np.sqrt(j)
            counts.total[i] += values[i] if work >= 0.0 else 0.0
        low, high = take(board)


@shared
@jittable
def divide(arguments: tuple[np.ndarray], board: Board) -> None:
    """Fails at zeros."""
    (numbers,) = arguments
    low, high = take(board)
    while low < high:
        for i in range(low, high):
            numbers[i] = 12 // numbers[i]
        low, high = take(board)


def helpers() -> int:
    """How many there are now."""
    return sum(thread.name.startswith("helper") for thread in threading.enumerate())


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 4000])
def test_each_row_is_done_once(n: int, threads: int) -> None:
    """In order after order, with arrays that are new each time."""
    crew, orders = Crew(count, threads), 30
    visits, total = np.zeros(n, dtype=np.int64), np.zeros(n)
    for order in range(orders):
        values = np.arange(n) + float(order)
        crew(n, Counts(visits, total), values, n // 3)
        assert (visits == order + 1).all()
    assert np.array_equal(total, orders * np.arange(n) + orders * (orders - 1) / 2.0)
    crew.close()


def test_helpers_sleep_and_wake() -> None:
    """Whether an order comes at once, when they fall asleep or later, it is done; they take part again."""
    crew, counts = Crew(count, 3), Counts(np.zeros(500, dtype=np.int64), np.zeros(500))
    for order in range(60):
        time.sleep((order % 6) * 1e-4)
        crew(500, counts, np.ones(500), 500)
        assert (counts.visits == order + 1).all()
    crew.close()


def test_helpers_end_with_their_crew() -> None:
    """By `close`, after which the caller goes on alone, or when nobody has the crew any more."""
    before, counts = helpers(), Counts(np.zeros(9, dtype=np.int64), np.zeros(9))
    crew = Crew(count, 3)
    assert helpers() == before
    crew(9, counts, np.ones(9), 0)
    assert helpers() == before + 2
    crew.close()
    crew.close()
    assert helpers() == before
    crew(9, counts, np.ones(9), 0)
    assert (counts.visits == 2).all() and helpers() == before
    crew = Crew(count, 2)
    crew(9, counts, np.ones(9), 0)
    del crew
    gc.collect()
    assert helpers() == before


@pytest.mark.parametrize("at", [0, 999])
@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_reaches_the_caller(threads: int, at: int) -> None:
    """From whichever thread it comes; the next order is done."""
    crew, numbers = Crew(divide, threads), np.full(1000, 3)
    crew(1000, numbers)
    assert (numbers == 4).all()
    numbers[at] = 0
    with pytest.raises(ZeroDivisionError):
        crew(1000, numbers)
    for _ in range(20):
        numbers[:] = 6
        crew(1000, numbers)
        assert (numbers == 2).all()
    crew.close()


def test_a_forked_process_goes_on_alone() -> None:
    """Whatever the helpers, which stay behind, were doing."""
    crew, counts = Crew(count, 2), Counts(np.zeros(50, dtype=np.int64), np.zeros(50))
    crew(50, counts, np.ones(50), 0)
    crew._board[INSIDE] = 1  # as if a helper had been on its way in or out
    child = os.fork()
    if child == 0:
        crew(50, counts, np.ones(50), 0)
        os._exit(0 if (counts.visits == 2).all() else 1)
    crew._board[INSIDE] = 0
    assert os.waitpid(child, 0)[1] == 0
    crew(50, counts, np.ones(50), 0)
    assert (counts.visits == 2).all()
    crew.close()


def test_arrays_that_are_not_in_c_order_are_refused() -> None:
    """As helpers take all arrays to be so."""
    with pytest.raises(TypingError, match="only arrays in C order"):
        Crew(divide)(5, np.ones(10, dtype=np.int64)[::2])
