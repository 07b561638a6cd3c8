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
from typing import Any

import numpy as np

from scml_gym.jit.arguments import call_entry, code_of, count_words, entry_types, read_words, write_words
from scml_gym.jit.arrays import borrow
from scml_gym.jit.atomics import add, load, pause, store
from scml_gym.jit.compile import compiled, compiled_inside, jittable

LINE = 8
"""Numbers in a line of a processor's cache; threads hinder each other in numbers that share one."""

OPEN, INSIDE, NEXT, ROWS, STEP, PORTIONS, JOBS, COMING, CLOSED, ASLEEP = range(0, 10 * LINE, LINE)
"""Where there stands, among the counters: the number of the job that can be joined, or 0; threads that have joined; the
next row; the one after the last; the address of the step; into how many portions those left are thought to be cut; jobs
so far; whether one is coming, or not yet done; whether there will be no more; from there on, for each worker, whether
it sleeps."""

PATIENCE = 1000
"""How often a worker looks for work before it sleeps: some tenths of a millisecond."""

Counters = np.ndarray
"""The shared counters, int64."""


class BatchStep:
    """A step as threads run it together: it is compiled for the types of its arguments when they first come.

    Args:
        step: ``(arguments, counters)``, which does the rows that `take` gives it until there are none. The
            arguments are a tuple of numbers, arrays in C order and NamedTuples of such, with the arrays borrowed.
    """

    def __init__(self, step: Callable[[tuple[Any, ...], Counters], None]):
        def entry(words: np.ndarray, counters: Counters, kind: Any) -> None:
            step(read_words(words, kind), counters)

        self._entry = compiled_inside(entry)

    def address(self, kind: Any) -> int:
        """Of the code for arguments of that type, see `scml_gym.jit.arguments`.

        Raises:
            numba.core.errors.NumbaError: if it does not compile, or the arguments are too many.
        """
        count_words(kind)
        kinds = entry_types(kind)
        self._entry.compile(kinds)
        made = self._entry.overloads[kinds]
        return made.library.get_pointer_to_function(made.fndesc.llvm_func_name)


@compiled
def lead(
    counters: Counters, words: np.ndarray, place: int, address: int, code: int, bounds: tuple[int, int], arguments: Any
) -> bool:
    """Do some rows with all workers that are there.

    Args:
        counters: Which the workers share.
        words: The arguments; the first is there.
        place: Where the others go.
        address: Of the step.
        code: The `type_code` of the others for which it was compiled.
        bounds: The first row, and the one after the last.
        arguments: The others.

    Returns:
        False, without doing anything, if they are of other types.
    """
    counters, words, arguments = borrow((counters, words, arguments))
    if code_of(arguments) != code:
        return False
    write_words(words, place, arguments)
    counters[STEP], counters[ROWS], counters[NEXT] = address, bounds[1], bounds[0]
    counters[JOBS] += 1
    store(counters, OPEN, counters[JOBS])
    call_entry(address, words, counters)
    close(counters)
    return True


@compiled
def follow(counters: Counters, words: np.ndarray) -> None:
    """Help with each job, until none comes for a moment."""
    counters, words = borrow((counters, words))
    done, looks = 0, 0
    while looks < PATIENCE and load(counters, CLOSED) == 0:
        job = load(counters, OPEN)
        if job == 0 or job == done:
            looks += 1
            pause()
            continue
        add(counters, INSIDE, 1)
        if load(counters, OPEN) == job:  # the arguments are those of this job, until the last one is out
            call_entry(counters[STEP], words, counters)
            done, looks = job, 0
        add(counters, INSIDE, -1)


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
    """A step that does each row by itself: ``do(arguments, row)``."""
    do = jittable(do)

    @jittable
    def step(arguments: tuple[Any, ...], counters: Counters) -> None:
        low, high = take(counters)
        while low < high:
            for row in range(low, high):
                do(arguments, row)
            low, high = take(counters)

    return BatchStep(step)


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
