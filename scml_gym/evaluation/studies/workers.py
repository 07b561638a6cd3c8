"""The cells of a study computed one after the other in this process, or in several at once."""

from __future__ import annotations

import multiprocessing
import queue
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from typing import Any

from scml_gym.core.process import limit_threads
from scml_gym.core.worker_processes import worker_processes
from scml_gym.evaluation.studies.files import own_settings

Computed = tuple[str, Any, float]
"""Cell, its tables, and the CPU seconds of the process that computed it."""

_POLL = 0.5
"""Seconds between two looks at what the workers report."""

_worker: dict[str, Any] = {}
"""Of a worker process: its study, and where its progress goes."""


def compute(
    study: Any, settings: Mapping[str, Any], cells: Sequence[str], workers: int, show: Callable[[int], None]
) -> Generator[Computed]:
    """Compute cells, each yielded when it is done.

    Args:
        study: A `scml_gym.evaluation.studies.study.Study`.
        settings: What it was built from, with its ``name``: workers build their own.
        cells: In the order in which they are begun.
        workers: Processes, 1 for this one.
        show: Is called in this process with the work that has been done since its last call.

    Raises:
        InputError: if a worker process was killed.
    """
    if workers == 1:
        for cell in cells:
            yield _timed(study, cell, show)
        return
    progress = multiprocessing.get_context("spawn").Queue()
    with worker_processes(workers, _begin, (type(study), own_settings(settings), progress)) as pool:
        running = {pool.submit(_compute, cell) for cell in cells}
        while running:
            done, running = wait(running, _POLL, FIRST_COMPLETED)
            show(_drained(progress))
            for future in done:
                yield future.result()


def _begin(study_class: Any, settings: Mapping[str, Any], progress: Any) -> None:
    limit_threads(1)
    _worker.update(study=study_class.build(settings), show=progress.put)


def _compute(cell: str) -> Computed:
    return _timed(_worker["study"], cell, _worker["show"])


def _timed(study: Any, cell: str, show: Callable[[int], None]) -> Computed:
    start = time.process_time()
    tables = study.run(cell, show)
    return cell, tables, time.process_time() - start


def _drained(progress: Any) -> int:
    work = 0
    while True:
        try:
            work += progress.get_nowait()
        except queue.Empty:
            return work
