"""The threads that run a `BatchStep`: the caller's, and workers that sleep while there is nothing to do."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import typeof, types

from scml_gym.core.copying import Uncopied
from scml_gym.jit.arguments import ArgumentBuffer, type_code
from scml_gym.jit.arrays import borrowed_type
from scml_gym.vector.jobs import ASLEEP, CLOSED, COMING, INSIDE, LINE, PORTIONS, BatchStep, follow, give_up, lead, leave


class PreparedStep:
    """A step, and its arguments where it finds them."""

    def __init__(self, step: BatchStep):
        self._step, self._buffer, self._address, self._code = step, ArgumentBuffer(), 0, 0

    @property
    def words(self) -> np.ndarray:
        """The arguments, see `scml_gym.jit.arguments`."""
        return self._buffer.words

    def prepare(self, first: Any, others: tuple[Any, ...]) -> None:
        """Write the first argument, and have the step compiled where that was of another type before.

        Raises:
            numba.core.errors.NumbaError: see `Workers`.
        """
        if self._buffer.write(first):
            self._address = 0
        if self._address == 0:
            self._compile(others)

    def run(self, counters: np.ndarray, bounds: tuple[int, int], others: tuple[Any, ...]) -> None:
        """Do rows from the first of ``bounds`` to before the other, after `prepare`, with who follows the counters."""
        given = self._buffer.words, self._buffer.size
        if not lead(counters, *given, self._address, self._code, bounds, others):
            self._compile(others)
            lead(counters, *given, self._address, self._code, bounds, others)

    def _compile(self, others: tuple[Any, ...]) -> None:
        kind = borrowed_type(typeof(others))
        self._address = self._step.address(types.Tuple([self._buffer.kind, *kind]))
        self._code = type_code(kind)


class Workers(Uncopied):
    """A step and its threads. Workers start with the first call, and end with `close` or with this object.

    Args:
        step: What is run.
        threads: How many run it, the caller's among them.
    """

    why_not = "threads are at work in it; make another one of the same step"

    def __init__(self, step: BatchStep, threads: int = 1):
        self._step = PreparedStep(step)
        self._counters = np.zeros(ASLEEP + LINE * threads, dtype=np.int64)
        self._counters[PORTIONS] = 1 if threads == 1 else 2 * threads
        self._threads, self._process = threads, os.getpid()
        self._wake_locks: list[threading.Lock] = []
        self._failures: list[BaseException] = []
        self._end: Callable[[], Any] | None = None

    def __call__(self, n: int, first: Any, *others: Any) -> None:
        """Run the step on rows 0 to ``n - 1``.

        Args:
            n: Of rows.
            first: Its first argument, which is taken apart only where a part of it is another object than last time.
            others: Its other arguments.

        Raises:
            numba.core.errors.NumbaError: if the step does not compile for them, or an array is not in C order.
            BaseException: what the step raised in one of the threads.
        """
        if n == 0:
            return
        if self._wake_locks and self._process != os.getpid():  # the workers stayed with the process that was forked
            self._wake_locks, self._threads = [], 1
            self._counters[INSIDE] = 0
        self._step.prepare(first, others)
        if self._threads > 1 and self._end is None:
            self._start()
        try:
            self._counters[COMING] = 1
            for k, wake_lock in enumerate(self._wake_locks):
                _wake(self._counters, k, wake_lock)
            self._step.run(self._counters, (0, n), others)
        except BaseException:
            give_up(self._counters)
            self._failures.clear()
            raise
        if self._failures:
            failure = self._failures[0]
            self._failures.clear()
            raise failure

    def close(self) -> None:
        """End the workers; the caller's thread goes on alone."""
        if self._end is not None:
            self._end()
        self._wake_locks, self._threads = [], 1

    def _start(self) -> None:
        counters = np.zeros_like(self._counters)
        counters[CLOSED] = 1
        follow(counters, self._step.words)  # all is compiled before somebody waits for it
        leave(counters)
        give_up(counters)
        workers: list[threading.Thread] = []
        self._process = os.getpid()
        self._end = weakref.finalize(self, _dismiss, self._counters, self._wake_locks, workers)
        for k in range(self._threads - 1):
            wake_lock = threading.Lock()
            wake_lock.acquire()
            given = wake_lock, k, self._counters, self._step, self._failures
            worker = threading.Thread(target=_help, args=given, name=f"worker {k}", daemon=True)
            worker.start()
            workers.append(worker)
            self._wake_locks.append(wake_lock)
            self._counters[ASLEEP + LINE * k] = 1


def _help(
    wake_lock: threading.Lock,
    k: int,
    counters: np.ndarray,
    step: PreparedStep,
    failures: list[BaseException],
) -> None:
    """What a worker does: it sleeps at its lock, and is awake as long as there are jobs."""
    while not counters[CLOSED]:
        wake_lock.acquire()
        awake = True
        while awake:
            try:
                follow(counters, step.words)
            except BaseException as error:  # for the thread that gave the job, which waits for this one
                failures.append(error)
                leave(counters)
            awake = counters[COMING] != 0 and not counters[CLOSED]
        counters[ASLEEP + LINE * k] = 1


def _wake(counters: np.ndarray, k: int, wake_lock: threading.Lock) -> None:
    if counters[ASLEEP + LINE * k]:
        counters[ASLEEP + LINE * k] = 0
        wake_lock.release()


def _dismiss(counters: np.ndarray, wake_locks: list[threading.Lock], workers: list[threading.Thread]) -> None:
    """Wake and end the workers: they say that they sleep before they look whether they may, and here it is reversed.

    An object can be collected while this thread holds what a worker needs to end, so they are waited for in moderation.
    """
    counters[CLOSED] = 1
    for k, (wake_lock, worker) in enumerate(zip(wake_locks, workers, strict=False)):
        _wake(counters, k, wake_lock)
        if worker is not threading.current_thread():
            worker.join(timeout=1.0)
