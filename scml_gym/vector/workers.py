"""The threads that run a `SharedProgram`: the caller's, and helpers that sleep while there is nothing to do."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from scml_gym.copying import Uncopied
from scml_gym.jit.arrays import ROOM
from scml_gym.vector.jobs import ASLEEP, CLOSED, COMING, INSIDE, LINE, PORTIONS, SharedProgram, give_up, leave


class Crew(Uncopied):
    """A program and its threads. Helpers start with the first call, and end with `close` or with this object.

    Args:
        program: What is run.
        threads: How many run it, the caller's among them.
    """

    why_not = "threads are at work in it; make another one of the same program"

    def __init__(self, program: SharedProgram, threads: int = 1):
        self._program = program
        self._board = np.zeros(ASLEEP + LINE * threads, dtype=np.int64)
        self._board[PORTIONS] = 1 if threads == 1 else 2 * threads
        self._room = np.zeros(ROOM, dtype=np.uint8)
        self._threads, self._process = threads, os.getpid()
        self._gates: list[threading.Lock] = []
        self._failures: list[BaseException] = []
        self._end: Callable[[], Any] | None = None

    def __call__(self, n: int, *arguments: Any) -> None:
        """Run the program on rows 0 to ``n - 1``.

        Args:
            n: Of rows.
            arguments: Of the program. Their types must be those of the first call, which nobody checks: helpers take
                the memory for that.

        Raises:
            BaseException: what the program raised in one of the threads.
        """
        if n == 0:
            return
        if self._gates and self._process != os.getpid():  # the helpers stayed with the process that was forked
            self._gates, self._threads = [], 1
            self._board[INSIDE] = 0
        if self._threads > 1 and self._end is None:
            self._start(arguments)
        try:
            self._board[COMING] = 1
            for k, gate in enumerate(self._gates):
                _wake(self._board, k, gate)
            self._program.lead(self._board, self._room, n, arguments)
        except BaseException:
            give_up(self._board)
            self._failures.clear()
            raise
        if self._failures:
            failure = self._failures[0]
            self._failures.clear()
            raise failure

    def close(self) -> None:
        """End the helpers; the caller's thread goes on alone."""
        if self._end is not None:
            self._end()
        self._gates, self._threads = [], 1

    def _start(self, arguments: tuple[Any, ...]) -> None:
        like = _blank(arguments)
        board = np.zeros_like(self._board)
        board[CLOSED] = 1
        self._program.follow(board, self._room, like)  # all is compiled before somebody waits for it
        leave(board)
        give_up(board)
        helpers: list[threading.Thread] = []
        self._process = os.getpid()
        self._end = weakref.finalize(self, _dismiss, self._board, self._gates, helpers)
        for k in range(self._threads - 1):
            gate = threading.Lock()
            gate.acquire()
            given = gate, k, self._board, self._room, self._program, like, self._failures
            helper = threading.Thread(target=_help, args=given, name=f"helper {k}", daemon=True)
            helper.start()
            helpers.append(helper)
            self._gates.append(gate)
            self._board[ASLEEP + LINE * k] = 1


def _blank(arguments: Any) -> Any:
    """Empty arrays of the same types, in the same tuples."""
    if isinstance(arguments, np.ndarray):
        return np.zeros((0,) * arguments.ndim, dtype=arguments.dtype)
    if isinstance(arguments, tuple):
        parts = [_blank(part) for part in arguments]
        return type(arguments)(*parts) if hasattr(arguments, "_fields") else tuple(parts)
    return arguments


def _help(
    gate: threading.Lock,
    k: int,
    board: np.ndarray,
    room: np.ndarray,
    program: SharedProgram,
    like: tuple[Any, ...],
    failures: list[BaseException],
) -> None:
    """What a helper does: it sleeps at its gate, and is awake as long as there are orders."""
    while not board[CLOSED]:
        gate.acquire()
        awake = True
        while awake:
            try:
                program.follow(board, room, like)
            except BaseException as error:  # for the thread that gave the order, which waits for this one
                failures.append(error)
                leave(board)
            awake = board[COMING] != 0 and not board[CLOSED]
        board[ASLEEP + LINE * k] = 1


def _wake(board: np.ndarray, k: int, gate: threading.Lock) -> None:
    if board[ASLEEP + LINE * k]:
        board[ASLEEP + LINE * k] = 0
        gate.release()


def _dismiss(board: np.ndarray, gates: list[threading.Lock], helpers: list[threading.Thread]) -> None:
    """Wake and end the helpers: they say that they sleep before they look whether they may, and here it is reversed.

    A crew can be collected while this thread holds what a helper needs to end, so they are waited for in moderation.
    """
    board[CLOSED] = 1
    for k, (gate, helper) in enumerate(zip(gates, helpers, strict=False)):
        _wake(board, k, gate)
        if helper is not threading.current_thread():
            helper.join(timeout=1.0)
