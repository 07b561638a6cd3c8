"""The default engine: processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scml_gym.core.engines.base import Context, Member, Process
from scml_gym.core.interrupts import children_without_interrupts
from scml_gym.core.worker_processes import worker_processes


class Local:
    """See `scml_gym.core.engines.base.Engine`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def cores(self) -> int:
        """Cores that this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def here(self, workers: int) -> bool:
        """One worker is this process."""
        return workers == 1

    def bring(self, data: Any) -> Any:
        """Everything is here."""
        return data

    def hold(self, make: Callable[[Path | None], Member], most: int, output: Path | None = None) -> LocalHeld:
        """Each is made when first needed."""
        return LocalHeld(make, most, output)

    @contextmanager
    def pool(
        self, workers: int, begin: Callable[..., object], arguments: Sequence[Any] = (), output: Path | None = None
    ) -> Iterator[LocalPool]:
        """See `Engine.pool`; the calling script needs an ``if __name__ == "__main__"`` guard."""
        reports = multiprocessing.get_context("spawn").Queue()
        with worker_processes(workers, begin_worker, (reports, output, begin, *arguments)) as processes:
            yield LocalPool(processes, reports)

    def start(
        self, target: Callable[..., object], arguments: Sequence[Any], name: str, folder: Path, brought: Sequence[str]
    ) -> Process:
        """It works in the folder itself."""
        return spawned(target, (folder, *arguments), name)


class LocalHeld:
    """Objects in this process, each made when first needed, and replaced when it is not alive."""

    def __init__(self, make: Callable[[Path | None], Member], most: int, output: Path | None):
        self._make, self._output = make, output
        self._idle: queue.SimpleQueue[Member | None] = queue.SimpleQueue()
        for _ in range(most):
            self._idle.put(None)
        self._made: list[Member] = []
        self._closed = False

    def call(self, method: str, *arguments: Any) -> Any:
        """See `Held`."""
        member = self._idle.get()
        try:
            if member is None or not member.alive:
                member = self._make(self._output)
                self._made.append(member)
                if self._closed:
                    member.close()
            return getattr(member, method)(*arguments)
        finally:
            self._idle.put(member)

    def close(self) -> None:
        """See `Held`."""
        self._closed = True
        for member in list(self._made):
            member.close()


class LocalPool:
    """A pool of processes, and the queue of their reports."""

    def __init__(self, processes: ProcessPoolExecutor, reports: Any):
        self._processes, self._reports = processes, reports

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """See `Pool`."""
        return self._processes.submit(function, *arguments)

    def reported(self) -> list[Any]:
        """See `Pool`."""
        return drained(self._reports)


def begin_worker(reports: Any, output: Path | None, begin: Callable[..., object], *arguments: Any) -> None:
    """In a process of a pool: begin, with a context."""
    begin(Context(reports.put, output), *arguments)


def drained(reports: Any) -> list[Any]:
    """What stands in a queue."""
    found = []
    while True:
        try:
            found.append(reports.get_nowait())
        except queue.Empty:
            return found


def spawned(target: Callable[..., object], arguments: Sequence[Any], name: str) -> Any:
    """A new process of this machine, which sees no Ctrl-C."""
    process = multiprocessing.get_context("spawn").Process(target=target, args=tuple(arguments), name=name)
    with children_without_interrupts():
        process.start()
    return process
