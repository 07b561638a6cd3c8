"""Threads that share the rows of a batch, and wait for the next ones in compiled code.

A step of a batch can be a millisecond; waking a sleeping thread takes a twentieth of that, and so does Python's lock.
So the threads that help take part without Python: they look for work a little longer than a quick caller needs between
two steps, and only then go to sleep. Rows go to whoever asks, in portions that become smaller, so that a thread that
comes late does less, and one that does not come at all nothing. No result depends on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.jit.arrays import keep, kept, lend
from scml_gym.jit.atomics import add, load, pause, store
from scml_gym.jit.compile import compiled, jittable

LINE = 8
"""Numbers in a line of a processor's cache; threads hinder each other in numbers that share one."""

OPEN, INSIDE, NEXT, ROWS, PORTIONS, ORDERS, COMING, CLOSED, ASLEEP = range(0, 9 * LINE, LINE)
"""Where there stands, on the board: the number of the order that can be joined, or 0; threads that have
joined; the next row; rows; into how many portions those left are thought to be cut; orders so far; whether one
is coming, or not yet done; whether there will be no more; from there on, for each helper, whether it sleeps."""

PATIENCE = 1000
"""How often a helper looks for work before it sleeps: some tenths of a millisecond."""

Board = np.ndarray
"""What threads share, int64."""


class SharedProgram(NamedTuple):
    """A program as threads run it together.

    Attributes:
        lead: For the thread that has the arguments.
        follow: For its helpers, which find them in the room.
    """

    lead: Callable[..., None]
    follow: Callable[..., None]


def shared(program: Callable[..., None]) -> SharedProgram:
    """Compile a program for threads.

    Args:
        program: ``(arguments, board)``, which does the rows that `take` gives it until there are none. The arguments
            are a tuple of numbers, arrays in C order and NamedTuples of such, with the arrays uncounted.
    """

    @compiled
    def lead(board: Board, room: np.ndarray, n: int, arguments: tuple[Any, ...]) -> None:
        """Do ``n`` rows with all helpers that are there."""
        board, room, arguments = lend((board, room, arguments))
        keep(room, arguments)
        board[ROWS], board[NEXT] = n, 0
        board[ORDERS] += 1
        store(board, OPEN, board[ORDERS])
        program(arguments, board)
        close(board)

    @compiled
    def follow(board: Board, room: np.ndarray, like: tuple[Any, ...]) -> None:
        """Help with each order, until none comes for a moment; ``like`` are arguments of the same types."""
        board, room, like = lend((board, room, like))
        done, looks = 0, 0
        while looks < PATIENCE and load(board, CLOSED) == 0:
            order = load(board, OPEN)
            if order == 0 or order == done:
                looks += 1
                pause()
                continue
            add(board, INSIDE, 1)
            if load(board, OPEN) == order:  # the arguments are those of this order, until the last one is out
                program(kept(room, like), board)
                done, looks = order, 0
            add(board, INSIDE, -1)

    return SharedProgram(lead, follow)


@jittable
def take(board: Board) -> tuple[int, int]:
    """The next rows of a thread, from one to before another; there are none left where these are equal."""
    n = board[ROWS]
    left = n - load(board, NEXT)
    if left <= 0:
        return n, n
    size = max(1, left // board[PORTIONS])
    low = min(n, add(board, NEXT, size))
    return low, min(n, low + size)


@jittable
def close(board: Board) -> None:
    """Let nobody join the order any more, and wait for those who have."""
    store(board, OPEN, 0)
    while load(board, INSIDE) > 0:
        pause()
    board[COMING] = 0


give_up = compiled(close)
"""For an order that failed."""


@compiled
def leave(board: Board) -> None:
    """For a helper that failed."""
    add(board, INSIDE, -1)
