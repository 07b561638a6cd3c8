"""A pool of processes in a Ray cluster, see `scml_gym.core.engines.base.Pool`."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from scml_gym.core.engines.local import begin_worker, drained
from scml_gym.core.engines.ray_actors import Actors
from scml_gym.core.worker_processes import told_killed, worker_processes

_PAUSE = 2.0
"""Seconds between two looks at what the processes report."""


class PoolProcess:
    """A process of a pool; held on its machine."""

    def __init__(self, begin: Callable[..., object], arguments: Sequence[Any], output: Path | None):
        self._reports = multiprocessing.get_context("spawn").Queue()
        self._stack = ExitStack()
        process = worker_processes(1, begin_worker, (self._reports, output, begin, *arguments))
        self._process = self._stack.enter_context(process)
        self.alive = True

    def compute(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        """What the function gives in the process."""
        try:
            return self._process.submit(function, *arguments).result()
        except BrokenProcessPool:
            self.alive = False
            raise

    def reported(self) -> list[Any]:
        """Since the last call."""
        return drained(self._reports)

    def close(self) -> None:
        """End the process, also while it computes."""
        for process in multiprocessing.active_children():
            process.kill()
        self._stack.close()


class RayPool:
    """See `scml_gym.core.engines.base.Pool`."""

    def __init__(self, actors: Actors, threads: ThreadPoolExecutor):
        self._actors, self._threads = actors, threads
        self._asked = time.monotonic()

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """See `Pool`."""
        return self._threads.submit(self._actors.call, "compute", function, arguments)

    def reported(self) -> list[Any]:
        """See `Pool`."""
        if time.monotonic() - self._asked < _PAUSE:
            return []
        found = [report for reports in self._actors.each("reported") for report in reports]
        self._asked = time.monotonic()
        return found


@contextmanager
def ray_pool(
    actors_of: Callable[..., Actors],
    workers: int,
    begin: Callable[..., object],
    arguments: Sequence[Any],
    output: Path | None,
) -> Iterator[RayPool]:
    """A pool for a ``with`` block.

    Args:
        actors_of: ``actors_of(make, most, output)``.
        workers: See `scml_gym.core.engines.base.Engine.pool`, also for the others.
        begin: See there.
        arguments: See there.
        output: See there.
    """
    actors = actors_of(partial(PoolProcess, begin, arguments), workers, output)
    threads = ThreadPoolExecutor(workers)
    try:
        yield RayPool(actors, threads)
    except BrokenProcessPool as error:
        raise told_killed() from error
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        actors.close()
        threads.shutdown()
