"""The runs of a study computed one after the other in this process, or in several at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from pathlib import Path
from typing import Any

from scml_gym.core.engines.base import Context, Engine
from scml_gym.core.process import limit_threads
from scml_gym.evaluation.studies.files import own_config

Computed = tuple[str, Any, float]
"""Run, its tables, and the CPU seconds of the process that computed it, and of those that it started."""

_POLL = 0.5
"""Seconds between two looks at what the workers report."""

_worker: dict[str, Any] = {}
"""Of a worker process: its study, and where its progress goes."""


def compute(
    study: Any,
    config: Mapping[str, Any],
    runs: Sequence[str],
    workers: int,
    show: Callable[[int], None],
    engine: Engine,
    prepare: Callable[[Path, Any], Any] | None = None,
    recordings: Path | None = None,
) -> Generator[Computed]:
    """Compute runs, each yielded when it is done.

    Args:
        study: A `scml_gym.evaluation.studies.study.Study`.
        config: What it was built from, with its ``name``: workers build their own.
        runs: In the order in which they are begun.
        workers: Processes; 1 of this machine is this one.
        show: Is called in this process with the work that has been done since its last call.
        engine: Where the processes are.
        prepare: ``(folder, study) -> study``: makes ``study`` of what its config stands for, for the studies that
            workers build, where ``recordings`` is given.
        recordings: The folder that ``prepare`` is given.

    Raises:
        InputError: if a worker process was killed.
    """
    if engine.here(workers):
        for run in runs:
            yield _timed(study, run, show)
        return
    arguments = (type(study), engine.bring(own_config(config)), prepare)
    with engine.pool(workers, _begin, arguments, recordings) as pool:
        running = {pool.submit(_compute, run) for run in runs}
        while running:
            done, running = wait(running, _POLL, FIRST_COMPLETED)
            show(sum(pool.reported()))
            for future in done:
                yield future.result()


def _begin(
    context: Context, study_class: Any, config: Mapping[str, Any], prepare: Callable[[Path, Any], Any] | None
) -> None:
    limit_threads(1)
    study = study_class.build(config)
    if prepare is not None and context.output is not None:
        study = prepare(context.output, study)
    _worker.update(study=study, show=context.report)


def _compute(run: str) -> Computed:
    return _timed(_worker["study"], run, _worker["show"])


def _timed(study: Any, run: str, show: Callable[[int], None]) -> Computed:
    start = _cpu_seconds()
    tables = study.compute(run, show)
    return run, tables, _cpu_seconds() - start


def _cpu_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    return sum(os.times()[:4])
