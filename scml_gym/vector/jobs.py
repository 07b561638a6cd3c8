"""Worker threads that share the rows of a batch, and wait for the next ones in compiled code.

A step of a batch can be a millisecond; waking a sleeping thread takes a twentieth of that, and so does Python's lock.
So workers take part without Python: they look for work a little longer than a quick caller needs between two steps, and
only then go to sleep. Rows go to whoever asks, in portions that become smaller, so that a thread that comes late does
less, and one that does not come at all nothing. No result depends on it.

What that gains over plain Python threads that each call one compiled slice of the rows, in decisions a second of
OneShotConcurrent with two threads on two cores: median of 20 turns of 1 s each, interval of 95 %, in per cent
(``python benchmarks/threads.py``; a slow caller computes for .5 ms between two steps):

    rows  other busy processes  quick caller         slow caller
      64  none                  +20.5 (18.2, 22.8)    +6.1 (  4.8, 6.9)
      64  one                    -2.3 (-5.7,  1.8)    -5.1 (-22.2, 0.9)
     512  none                   +6.8 ( 4.6,  8.2)    +1.8 (  1.0, 3.2)
     512  one                    +5.1 ( 2.1, 12.9)    +4.6 (  1.7, 8.3)

At 4,096 rows no gain was found (+1.4 (-.3, 4.1), quick caller, a machine with other work). Where more processes are
busy than there are cores, threads that wait so lose: beside a test run of two processes, at 512 rows, 12 per cent with
a quick caller and 25 with a slow one; with one more busy process 41 and 36.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.jit.arrays import borrow, read_record, write_record
from scml_gym.jit.atomics import add, load, pause, store
from scml_gym.jit.compile import compiled, jittable

LINE = 8
"""Numbers in a line of a processor's cache; threads hinder each other in numbers that share one."""

OPEN, INSIDE, NEXT, ROWS, PORTIONS, JOBS, COMING, CLOSED, ASLEEP = range(0, 9 * LINE, LINE)
"""Where there stands, among the counters: the number of the job that can be joined, or 0; threads that have joined; the
next row; the one after the last; into how many portions those left are thought to be cut; jobs so far; whether one is
coming, or not yet done; whether there will be no more; from there on, for each worker, whether it sleeps."""

PATIENCE = 1000
"""How often a worker looks for work before it sleeps: some tenths of a millisecond."""

Counters = np.ndarray
"""The shared counters, int64."""


class BatchStep(NamedTuple):
    """A step as threads run it together.

    Attributes:
        lead: For the thread that has the arguments.
        follow: For its workers, which find the arguments in the argument buffer.
    """

    lead: Callable[..., None]
    follow: Callable[..., None]


def shared(step: Callable[..., None]) -> BatchStep:
    """Compile a step for threads.

    Args:
        step: ``(arguments, counters)``, which does the rows that `take` gives it until there are none. The
            arguments are a tuple of numbers, arrays in C order and NamedTuples of such, with the arrays borrowed.
    """

    @compiled
    def lead(counters: Counters, buffer: np.ndarray, low: int, high: int, arguments: tuple[Any, ...]) -> None:
        """Do the rows from ``low`` to before ``high`` with all workers that are there."""
        counters, buffer, arguments = borrow((counters, buffer, arguments))
        write_record(buffer, arguments)
        counters[ROWS], counters[NEXT] = high, low
        counters[JOBS] += 1
        store(counters, OPEN, counters[JOBS])
        step(arguments, counters)
        close(counters)

    @compiled
    def follow(counters: Counters, buffer: np.ndarray, like: tuple[Any, ...]) -> None:
        """Help with each job, until none comes for a moment; ``like`` are arguments of the same types."""
        counters, buffer, like = borrow((counters, buffer, like))
        done, looks = 0, 0
        while looks < PATIENCE and load(counters, CLOSED) == 0:
            job = load(counters, OPEN)
            if job == 0 or job == done:
                looks += 1
                pause()
                continue
            add(counters, INSIDE, 1)
            if load(counters, OPEN) == job:  # the arguments are those of this job, until the last one is out
                step(read_record(buffer, like), counters)
                done, looks = job, 0
            add(counters, INSIDE, -1)

    return BatchStep(lead, follow)


@jittable
def take(counters: Counters) -> tuple[int, int]:
    """The next rows of a thread, from one to before another; there are none left where these are equal."""
    n = counters[ROWS]
    left = n - load(counters, NEXT)
    if left <= 0:
        return n, n
    size = max(1, left // counters[PORTIONS])
    low = min(n, add(counters, NEXT, size))
    return low, min(n, low + size)


def each(do: Callable[[tuple[Any, ...], int], None]) -> BatchStep:
    """`shared` of a step that does each row by itself: ``do(arguments, row)``."""
    do = jittable(do)

    @jittable
    def step(arguments: tuple[Any, ...], counters: Counters) -> None:
        low, high = take(counters)
        while low < high:
            for row in range(low, high):
                do(arguments, row)
            low, high = take(counters)

    return shared(step)


@jittable
def close(counters: Counters) -> None:
    """Let nobody join the job any more, and wait for those who have."""
    store(counters, OPEN, 0)
    while load(counters, INSIDE) > 0:
        pause()
    counters[COMING] = 0


give_up = compiled(close)
"""For a job that failed."""


@compiled
def leave(counters: Counters) -> None:
    """For a worker that failed."""
    add(counters, INSIDE, -1)
