"""One trial as a function: a training whose learning curve is watched; it may run in any process."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scml_gym.agents import training
from scml_gym.agents.tuning.config import Tuning, value_at
from scml_gym.agents.tuning.search import PRUNERS, made, optuna
from scml_gym.core.config import Loaded
from scml_gym.core.errors import InputError
from scml_gym.core.reporting import Progress
from scml_gym.experiments.run_folder import Run


class Job(NamedTuple):
    """A training.

    Attributes:
        number: Of the trial.
        config: The complete experiment.
        tuning: How it is valued.
        earlier: Optuna's frozen trials before it, with which it is compared.
        folder: Its run folder; what an interrupted trial left there goes.
    """

    number: int
    config: dict[str, Any]
    tuning: Tuning
    earlier: Sequence[Any]
    folder: Path


class Outcome(NamedTuple):
    """What became of a training.

    Attributes:
        number: Of the trial.
        reports: Its value at each report, from the first.
        value: At its end; None where it was pruned or failed.
        failure: What is wrong: the learner does not take the settings, or its objective is no finite number.
    """

    number: int
    reports: list[float]
    value: float | None
    failure: str = ""


class PrunedError(Exception):
    """A training is worse than others."""


class WatchedRun(Run):
    """A run folder whose learning curve is followed.

    Attributes:
        watch: Is given each row.
    """

    watch: Any = None

    def log(self, step: int, **numbers: float) -> None:
        """See `Run`."""
        super().log(step, **numbers)
        if self.watch is not None:
            self.watch({"step": step} | numbers)

    @contextmanager
    def progress(self, total: int, description: str) -> Iterator[Progress]:
        """Nothing is shown: the search shows how far it is."""
        yield Progress(lambda step, note: None, math.inf, math.inf, math.inf)


class Watch:
    """The values of a training as it goes on.

    Args:
        job: The trial.
    """

    def __init__(self, job: Job):
        self._job, self._total = job, float(value_at(job.config, job.tuning.budget))
        self._rows = list[tuple[float, float]]()
        self.reports, self._known = list[float](), dict[str, None]()
        self._study = optuna().create_study(
            direction=job.tuning.direction,
            pruner=made(PRUNERS, job.tuning.pruner),
            sampler=optuna().samplers.RandomSampler(0),
        )
        self._study.add_trials(list(job.earlier))
        self._trial = self._study.ask()

    def __call__(self, row: dict[str, float]) -> None:
        """A row of the learning curve.

        Raises:
            PrunedError: if the training is worse than others.
        """
        tuning = self._job.tuning
        self._known |= dict.fromkeys(row)
        if tuning.progress not in row or tuning.objective not in row:
            return  # a row in which no episode ended
        done = row[tuning.progress] / self._total
        self._rows.append((done, row[tuning.objective]))
        if done * tuning.reports >= len(self.reports) + 1 and len(self.reports) < tuning.reports - 1:
            self._report()

    def _report(self) -> None:
        self.reports.append(self.value())
        self._trial.report(self.reports[-1], len(self.reports))
        if self._trial.should_prune():
            raise PrunedError

    def value(self) -> float:
        """The mean of the objective over the last part of what was trained.

        Raises:
            InputError: if no row of the curve has the columns that it needs.
        """
        if not self._rows:
            wanted = f"{self._job.tuning.progress!r} and {self._job.tuning.objective!r}"
            raise InputError(f"no row of the learning curve has {wanted}; it has {', '.join(self._known) or 'no rows'}")
        now = self._rows[-1][0]
        return float(np.mean([value for done, value in self._rows if done >= now * (1 - self._job.tuning.window)]))


def run_trial(job: Job) -> Outcome:
    """Train.

    Raises:
        InputError: if the learning curve has no such columns.
    """
    shutil.rmtree(job.folder, ignore_errors=True)
    watch = Watch(job)
    try:
        agent = training.build(Loaded(job.config, {"": f"trial {job.number}"}))
    except InputError as error:
        return Outcome(job.number, [], None, str(error))
    run = WatchedRun.create(job.folder, job.config, f"trial {job.number}")
    run.watch = watch
    try:
        training.train(agent, run)
    except PrunedError:
        return Outcome(job.number, watch.reports, None)
    if not math.isfinite(value := watch.value()):
        return Outcome(job.number, watch.reports, None, f"trial {job.number}: {job.tuning.objective} is {value}")
    return Outcome(job.number, watch.reports, value)
