"""The threads that run a `BatchStep`: the caller's, and workers that sleep while there is nothing to do."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from scml_gym.core.copying import Uncopied
from scml_gym.jit.arrays import BUFFER_SIZE
from scml_gym.vector.jobs import ASLEEP, CLOSED, COMING, INSIDE, LINE, PORTIONS, BatchStep, give_up, leave


class Workers(Uncopied):
    """A step and its threads. Workers start with the first call, and end with `close` or with this object.

    Args:
        step: What is run.
        threads: How many run it, the caller's among them.
    """

    why_not = "threads are at work in it; make another one of the same step"

    def __init__(self, step: BatchStep, threads: int = 1):
        self._step = step
        self._counters = np.zeros(ASLEEP + LINE * threads, dtype=np.int64)
        self._counters[PORTIONS] = 1 if threads == 1 else 2 * threads
        self._buffer = np.zeros(BUFFER_SIZE, dtype=np.uint8)
        self._threads, self._process = threads, os.getpid()
        self._wake_locks: list[threading.Lock] = []
        self._failures: list[BaseException] = []
        self._end: Callable[[], Any] | None = None

    def __call__(self, n: int, *arguments: Any) -> None:
        """Run the step on rows 0 to ``n - 1``.

        Args:
            n: Of rows.
            arguments: Of the step. Their types must be those of the first call, which nobody checks: workers read
                the argument buffer as such.

        Raises:
            BaseException: what the step raised in one of the threads.
        """
        if n == 0:
            return
        if self._wake_locks and self._process != os.getpid():  # the workers stayed with the process that was forked
            self._wake_locks, self._threads = [], 1
            self._counters[INSIDE] = 0
        if self._threads > 1 and self._end is None:
            self._start(arguments)
        try:
            self._counters[COMING] = 1
            for k, wake_lock in enumerate(self._wake_locks):
                _wake(self._counters, k, wake_lock)
            self._step.lead(self._counters, self._buffer, 0, n, arguments)
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

    def _start(self, arguments: tuple[Any, ...]) -> None:
        like = _blank(arguments)
        counters = np.zeros_like(self._counters)
        counters[CLOSED] = 1
        self._step.follow(counters, self._buffer, like)  # all is compiled before somebody waits for it
        leave(counters)
        give_up(counters)
        workers: list[threading.Thread] = []
        self._process = os.getpid()
        self._end = weakref.finalize(self, _dismiss, self._counters, self._wake_locks, workers)
        for k in range(self._threads - 1):
            wake_lock = threading.Lock()
            wake_lock.acquire()
            given = wake_lock, k, self._counters, self._buffer, self._step, like, self._failures
            worker = threading.Thread(target=_help, args=given, name=f"worker {k}", daemon=True)
            worker.start()
            workers.append(worker)
            self._wake_locks.append(wake_lock)
            self._counters[ASLEEP + LINE * k] = 1


def _blank(arguments: Any) -> Any:
    """Empty arrays of the same types, in the same tuples."""
    if isinstance(arguments, np.ndarray):
        return np.zeros((0,) * arguments.ndim, dtype=arguments.dtype)
    if isinstance(arguments, tuple):
        parts = [_blank(part) for part in arguments]
        return type(arguments)(*parts) if hasattr(arguments, "_fields") else tuple(parts)
    return arguments


def _help(
    wake_lock: threading.Lock,
    k: int,
    counters: np.ndarray,
    buffer: np.ndarray,
    step: BatchStep,
    like: tuple[Any, ...],
    failures: list[BaseException],
) -> None:
    """What a worker does: it sleeps at its lock, and is awake as long as there are jobs."""
    while not counters[CLOSED]:
        wake_lock.acquire()
        awake = True
        while awake:
            try:
                step.follow(counters, buffer, like)
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
