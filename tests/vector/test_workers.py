"""Threads that share the rows of a step do each of them once, whoever comes when."""

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
from scml_gym.vector.jobs import INSIDE, BatchStep, Counters, take
from scml_gym.vector.workers import Workers


class Counts(NamedTuple):
    """What is noted of each row."""

    visits: np.ndarray
    total: np.ndarray


@BatchStep
@jittable
def count(arguments: tuple[Counts, np.ndarray, int], counters: Counters) -> None:
    """Note each visit, with some work for the rows below a number."""
    counts, values, slow = arguments
    low, high = take(counters)
    while low < high:
        for i in range(low, high):
            counts.visits[i] += 1
            work = 0.0
            for j in range(2000 if i < slow else 1):
                work += np.sqrt(j)
            counts.total[i] += values[i] if work >= 0.0 else 0.0
        low, high = take(counters)


@BatchStep
@jittable
def divide(arguments: tuple[np.ndarray], counters: Counters) -> None:
    """Fails at zeros."""
    (numbers,) = arguments
    low, high = take(counters)
    while low < high:
        for i in range(low, high):
            numbers[i] = 12 // numbers[i]
        low, high = take(counters)


def workers_alive() -> int:
    """How many there are now."""
    return sum(thread.name.startswith("worker") for thread in threading.enumerate())


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 4000])
def test_each_row_is_done_once(n: int, threads: int) -> None:
    """In job after job, with arrays that are new each time."""
    workers, jobs = Workers(count, threads), 30
    visits, total = np.zeros(n, dtype=np.int64), np.zeros(n)
    for job in range(jobs):
        values = np.arange(n) + float(job)
        workers(n, Counts(visits, total), values, n // 3)
        assert (visits == job + 1).all()
    assert np.array_equal(total, jobs * np.arange(n) + jobs * (jobs - 1) / 2.0)
    workers.close()


def test_workers_sleep_and_wake() -> None:
    """Whether a job comes at once, when they fall asleep or later, it is done; they take part again."""
    workers, counts = Workers(count, 3), Counts(np.zeros(500, dtype=np.int64), np.zeros(500))
    for job in range(60):
        time.sleep((job % 6) * 1e-4)
        workers(500, counts, np.ones(500), 500)
        assert (counts.visits == job + 1).all()
    workers.close()


@pytest.mark.usefixtures("own_garbage")
def test_workers_end_with_their_object() -> None:
    """By `close`, after which the caller goes on alone, or when nobody has the workers any more."""
    before, counts = workers_alive(), Counts(np.zeros(9, dtype=np.int64), np.zeros(9))
    workers = Workers(count, 3)
    assert workers_alive() == before
    workers(9, counts, np.ones(9), 0)
    assert workers_alive() == before + 2
    workers.close()
    workers.close()
    assert workers_alive() == before
    workers(9, counts, np.ones(9), 0)
    assert (counts.visits == 2).all() and workers_alive() == before
    workers = Workers(count, 2)
    workers(9, counts, np.ones(9), 0)
    del workers
    gc.collect()
    assert workers_alive() == before


@pytest.mark.parametrize("at", [0, 999])
@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_reaches_the_caller(threads: int, at: int) -> None:
    """From whichever thread it comes; the next job is done."""
    workers, numbers = Workers(divide, threads), np.full(1000, 3)
    workers(1000, numbers)
    assert (numbers == 4).all()
    numbers[at] = 0
    with pytest.raises(ZeroDivisionError):
        workers(1000, numbers)
    for _ in range(20):
        numbers[:] = 6
        workers(1000, numbers)
        assert (numbers == 2).all()
    workers.close()


def test_a_forked_process_goes_on_alone() -> None:
    """Whatever the helpers, which stay behind, were doing."""
    workers, counts = Workers(count, 2), Counts(np.zeros(50, dtype=np.int64), np.zeros(50))
    workers(50, counts, np.ones(50), 0)
    workers._counters[INSIDE] = 1  # as if a worker had been on its way in or out
    child = os.fork()
    if child == 0:
        workers(50, counts, np.ones(50), 0)
        os._exit(0 if (counts.visits == 2).all() else 1)
    workers._counters[INSIDE] = 0
    assert os.waitpid(child, 0)[1] == 0
    workers(50, counts, np.ones(50), 0)
    assert (counts.visits == 2).all()
    workers.close()


def test_arrays_that_are_not_in_c_order_are_refused() -> None:
    """As helpers take all arrays to be so."""
    with pytest.raises(TypingError, match="only arrays in C order"):
        Workers(divide)(5, np.ones(10, dtype=np.int64)[::2])
