"""A search: trials one portion after the other, kept in a study of Optuna that resumes.

The folder holds ``tune.yaml`` (experiment and search), ``study.log`` (Optuna's journal), ``trials/<number>/`` (the run
folders), ``trials.csv`` and ``best.yaml``, an experiment with the best settings and its own length of training.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from scml_gym.agents.training import build
from scml_gym.agents.tuning.config import Tuning, load_tuning, value_at, with_values
from scml_gym.agents.tuning.search import SAMPLERS, made, optuna
from scml_gym.agents.tuning.trial import Job, Outcome, run_trial
from scml_gym.core.arguments import whole
from scml_gym.core.config import load_experiment, read_yaml
from scml_gym.core.data_files import content_of, dump_yaml
from scml_gym.core.engines.base import Engine
from scml_gym.core.engines.each import each
from scml_gym.core.errors import InputError
from scml_gym.core.files import folder_lock, make_folder, replace_file
from scml_gym.core.interrupts import Interrupted
from scml_gym.core.reporting import progress_bar

Execute = Callable[[list[Job]], Iterable[Outcome]]
"""Runs jobs, in any processes; gives what became of them in their order."""

FAILURES = 5
"""Trials after which a search ends where none was better."""

JOURNAL, TUNE, BEST, TABLE = "study.log", "tune.yaml", "best.yaml", "trials.csv"


class Search:
    """A search in its folder.

    Args:
        config: The complete experiment.
        tuning: The search.
        folder: Which exists.

    Raises:
        InputError: if its journal is damaged.
    """

    def __init__(self, config: dict[str, Any], tuning: Tuning, folder: Path):
        self.config, self.tuning, self.folder = config, tuning, folder
        package = optuna()
        with content_of(folder / JOURNAL, "a journal of Optuna"):
            drop_unfinished_line(folder / JOURNAL)
            backend = package.storages.journal.JournalFileBackend(str(folder / JOURNAL))
            self.study = package.create_study(
                storage=package.storages.JournalStorage(backend),
                study_name="study",
                direction=tuning.direction,
                load_if_exists=True,
            )

    def finished(self) -> list[Any]:
        """The trials that are trained, pruned or failed, in order."""
        return [trial for trial in self.study.get_trials(deepcopy=False) if trial.state.is_finished()]

    def portions(self, trials: int) -> Iterator[list[Job]]:
        """The trainings that are left of so many trials, a portion at a time; each is to be told before the next."""
        while (first := len(self.finished())) < trials:
            number = first - first % self.tuning.together
            end = min(number + self.tuning.together, trials)
            while len(self.study.get_trials(deepcopy=False)) < end:
                known = len(self.study.get_trials(deepcopy=False))
                self.study.sampler = made(SAMPLERS, self.tuning.sampler, self.tuning.seed + known)
                self._choose(self.study.ask())
            every = self.study.get_trials(deepcopy=False)
            yield [self._job(trial, every[:number]) for trial in every[:end] if not trial.state.is_finished()]

    def _choose(self, trial: Any) -> None:
        for name, dimension in self.tuning.space.items():
            dimension.suggest(trial, name)

    def _job(self, trial: Any, earlier: list[Any]) -> Job:
        steps = max(1, round(value_at(self.config, self.tuning.budget) * self.tuning.share))
        changed = {self.tuning.budget: steps} | self.values(trial)
        config = with_values(self.config, changed) | {"loggers": []}
        return Job(trial.number, config, self.tuning, earlier, self.folder / "trials" / f"{trial.number:04d}")

    def values(self, trial: Any) -> dict[str, Any]:
        """The settings of a trial, by key path.

        Raises:
            InputError: if it has none for a dimension: a kill came while they were chosen.
        """
        if set(self.tuning.space) - trial.params.keys():
            self._choose(optuna().trial.Trial(self.study, trial._trial_id))
            trial = self.study.get_trials(deepcopy=False)[trial.number]
        return {name: dimension.read(trial.params[name]) for name, dimension in self.tuning.space.items()}

    def tell(self, outcome: Outcome) -> None:
        """Keep what became of a trial.

        Raises:
            InputError: if the first `FAILURES` have all failed.
        """
        package = optuna()
        trial = package.trial.Trial(self.study, self.study.get_trials(deepcopy=False)[outcome.number]._trial_id)
        for step, value in enumerate(outcome.reports, 1):
            trial.report(value, step)
        if outcome.failure:
            self.study.tell(outcome.number, state=package.trial.TrialState.FAIL)
            finished = self.finished()
            if len(finished) >= FAILURES and all(trial.state.name == "FAIL" for trial in finished):
                raise InputError(f"{outcome.failure} (no trial before it was better)")
            print(f"note: {outcome.failure}; the trial is left out", file=sys.stderr)
        elif outcome.value is None:
            self.study.tell(outcome.number, state=package.trial.TrialState.PRUNED)
        else:
            self.study.tell(outcome.number, outcome.value)

    def write(self) -> None:
        """The table of trials, and the best experiment where a trial was trained to its end."""
        rows = [
            {
                "trial": trial.number,
                "state": trial.state.name.lower(),
                "value": trial.value,
                "reports": len(trial.intermediate_values),
                "last_report": trial.intermediate_values[max(trial.intermediate_values)]
                if trial.intermediate_values
                else None,
                **trial.params,
            }
            for trial in self.finished()
        ]
        replace_file(self.folder / TABLE, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
        if (best := self.best()) is not None:
            told = (
                f"# The best of {len(rows)} trials (number {best.number}, {self.tuning.objective} {best.value:.6g}).\n"
            )
            replace_file(self.folder / BEST, told + dump_yaml(with_values(self.config, self.values(best))))

    def best(self) -> Any:
        """The best trial that was trained to its end, the first of equal ones; None where there is none."""
        trained = [trial for trial in self.finished() if trial.state.name == "COMPLETE"]
        sign = 1 if self.tuning.direction == "maximize" else -1
        return max(trained, key=lambda trial: sign * trial.value, default=None)


def drop_unfinished_line(path: Path) -> None:
    """A journal without what a kill left half written, behind which Optuna would write its next line.

    Raises:
        InputError: if it cannot be read or written.
        ValueError: if another line is damaged; nothing is written then.
    """
    try:
        with open(path, "ab+") as file:
            file.seek(0)
            *whole, unfinished = file.read().split(b"\n")
            for line in whole:
                json.loads(line)
            file.truncate(file.tell() - len(unfinished))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


@contextmanager
def by_engine(engine: Engine, workers: int | None) -> Iterator[Execute]:
    """Runs jobs by an engine, which is begun with the first ones.

    Args:
        engine: Where they are trained.
        workers: How many at once, None for as many as it has cores; it changes no result.
    """
    with ExitStack() as stack:
        begun: list[Execute] = []

        def execute(jobs: list[Job]) -> Iterable[Outcome]:
            if not begun:
                stack.enter_context(engine)
                engine.bring([job.config for job in jobs])
                begun.append(stack.enter_context(each(_run_there, engine, workers, jobs[0].folder.parent)))
            for job in jobs:
                shutil.rmtree(job.folder, ignore_errors=True)
            return begun[0](jobs)

        yield execute


def _run_there(job: Job, folder: Path | None) -> Outcome:
    assert folder is not None
    return run_trial(job._replace(folder=folder / job.folder.name))


def tune(
    experiment: str,
    trials: int,
    execute: Execute,
    options: list[str],
    file: str | None = None,
    seed: int | None = None,
    out: Path | None = None,
    command: str = "",
) -> Path:
    """Search settings of an experiment, or go on with a search, until it has so many trials.

    Args:
        experiment: A YAML file, or a name in configs/experiment.
        trials: In all.
        execute: Runs trainings, see `by_engine`.
        options: ``key.path=value`` each: of the experiment, or of the search where the key begins with ``tune.``.
        file: The search, see `scml_gym.agents.tuning.config.load_tuning`.
        seed: Replaces the experiment's.
        out: The folder; by default ``runs/tune-EXPERIMENT``, so that the same command goes on.
        command: How it goes on, for an interrupt.

    Returns:
        The folder.

    Raises:
        InputError: before anything is written, if the experiment or the search is wrong, or the folder holds anything
            else. Later, if the first `FAILURES` trials fail, as where the learner does not take their settings, or
            diverges; another trial that fails is told and left out.
        Interrupted: if the user stops it; what is trained is kept.
    """
    optuna()
    whole("--trials", trials)
    own = [option.removeprefix("tune.") for option in options if option.startswith("tune.")]
    loaded = load_experiment(experiment, [option for option in options if not option.startswith("tune.")], seed)
    tuning, _ = load_tuning(experiment, loaded, file, own)
    build(loaded)
    folder = out or Path("runs") / f"tune-{Path(experiment).stem}"
    content = {"experiment": loaded.config, "tuning": tuning.model_dump()}
    _check_folder(folder, content)
    make_folder(folder)
    with folder_lock(folder, "another process is tuning in"):
        replace_file(folder / TUNE, dump_yaml(content))
        search = Search(loaded.config, tuning, folder)
        try:
            with progress_bar(trials, "trials") as bar:
                for jobs in search.portions(trials):
                    for _, outcome in zip(jobs, execute(jobs), strict=True):
                        search.tell(outcome)
                        search.write()
                        best = search.best()
                        note = "" if best is None else f"best {best.value:.6g} (trial {best.number})"
                        bar.update(len(search.finished()), note)
        except KeyboardInterrupt as stop:
            kept = len(search.finished())
            raise Interrupted(f"interrupted; {kept} trials are kept, go on with: {command}") from stop
        search.write()
    return folder


def _check_folder(folder: Path, content: Mapping[str, Any]) -> None:
    """Refuse a folder of another search.

    Raises:
        InputError: if it holds anything else, or a search with other settings.
    """
    if not folder.exists() or (folder.is_dir() and all(path.name == ".lock" for path in folder.iterdir())):
        return
    if not (folder / TUNE).is_file():
        raise InputError(f"{folder} exists and is no folder of a search; nothing is overwritten")
    before = read_yaml(folder / TUNE)
    for part, now in content.items():
        then = before.get(part)
        if then != now:
            told = _first_difference(then, now) if isinstance(then, dict) else part
            raise InputError(f"{folder} is a search of another {part} ({told} differs); give another --out")


def _first_difference(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first key path at which two mappings differ."""
    key = next(key for key in [*now, *then] if then.get(key) != now.get(key))
    if isinstance(then.get(key), dict) and isinstance(now.get(key), dict):
        return f"{key}.{_first_difference(then[key], now[key])}"
    return key
