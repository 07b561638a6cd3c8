"""Worker processes that compute for this one, and end quietly with it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.core.interrupts import children_without_interrupts
from scml_gym.core.process import limit_threads


class _Executor(ProcessPoolExecutor):
    """Starts its processes, which it does when something is submitted, where no Ctrl-C reaches them."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See `ProcessPoolExecutor`."""
        with children_without_interrupts():
            return super().submit(function, *args, **kwargs)


def _begin(begin: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    """In a new process: see that it ends with the one that started it, which may be killed, and begin."""
    end_with_parent()
    begin(*arguments)


def end_with_parent() -> None:
    """From now on this process ends when the one that started it does, even if that was killed."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def worker_processes(
    workers: int, begin: Callable[..., object] = limit_threads, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes, for a ``with`` block, that is ended at once where an exception leaves the block.

    The calling script needs an ``if __name__ == "__main__"`` guard.

    Args:
        workers: How many.
        begin: Called in each process when it has started, with the arguments.
        arguments: Of ``begin``.

    Raises:
        InputError: if a process was killed, or there is no room for what the processes share.
    """
    others = set(multiprocessing.active_children())
    try:
        pool = _Executor(workers, multiprocessing.get_context("spawn"), _begin, (begin, arguments))
    except OSError as error:  # of its semaphores
        raise InputError(f"/dev/shm: {error.strerror or error}, where {workers} worker processes need room") from error
    try:
        yield pool
    except BaseException as error:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        if isinstance(error, BrokenProcessPool):
            raise told_killed() from error
        raise
    finally:
        pool.shutdown()


def told_killed() -> InputError:
    """What is said where a process was killed."""
    return InputError("a worker process was killed; what is finished is kept: start again to go on")
