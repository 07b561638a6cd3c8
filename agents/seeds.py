"""One experiment trained with several seeds: a run folder each, some at once, and one plot of all.

The folder holds ``seeds.json`` (the seeds, and the command of each start), ``config.yaml`` (the complete experiment),
``learning_curve.png`` (the mean over the seeds) and, for each seed, ``seed-<n>/`` (its run folder) and ``seed-<n>.log``
(what its training said). A kill at any moment costs what it costs a single training; ``train.py --resume`` goes on with
those that are not finished.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import yaml

from scml_gym.agents import training
from scml_gym.core.cli import INTERRUPTED, how_to_call
from scml_gym.core.config import load_experiment
from scml_gym.core.curve_file import CurveFile
from scml_gym.core.curves import curve_figures
from scml_gym.core.data_files import read_json
from scml_gym.core.engines.base import Engine, Process
from scml_gym.core.engines.local import Local
from scml_gym.core.errors import InputError
from scml_gym.core.files import folder_lock, new_folder, replace_file
from scml_gym.core.interrupts import Interrupted, interrupt_on_sigterm
from scml_gym.core.leftovers import remove_leftovers, remove_leftovers_of
from scml_gym.core.reporting import Progress, progress_bar
from scml_gym.core.trained import run_path
from scml_gym.core.trust import trust
from scml_gym.core.worker_processes import end_with_parent
from scml_gym.experiments.run_folder import CURVE, Run, check_free
from scml_gym.experiments.run_info import check_links

SCHEMA = "scml-gym-seeds-1"
FILE = "seeds.json"
MOST_SEEDS = 1_000

_POLL = 0.5
"""Seconds between two looks at what the trainings have done."""


def parse_seeds(text: str) -> list[int]:
    """The seeds in ``0-4``, ``0,3,7`` or ``0-2,5``.

    Raises:
        InputError: if it is not of that form, names a seed twice, or more than `MOST_SEEDS`.
    """
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", part.strip(), re.ASCII)
        if found is None:
            raise InputError(f"--seeds {text}: {part.strip()!r} is not valid; valid: a seed, or FIRST-LAST")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise InputError(f"--seeds {text}: {part.strip()!r} ends before it begins")
        if last - first >= MOST_SEEDS - len(seeds):
            raise InputError(f"--seeds {text}: more than {MOST_SEEDS} seeds")
        seeds += range(first, last + 1)
    twice = next((seed for seed in seeds if seeds.count(seed) > 1), None)
    if twice is not None:
        raise InputError(f"--seeds {text}: {twice} is given twice")
    return seeds


def start_seeds(
    experiment: str | Path,
    options: Sequence[str],
    seeds: Sequence[int],
    workers: int | None = 1,
    out: str | Path | None = None,
    command: str = "",
    begin_from: str | Path | None = None,
    engine: Engine | None = None,
) -> Path:
    """Train an experiment with each of several seeds, into a new folder.

    Args:
        experiment: A YAML file, or a name in configs/experiment.
        options: ``key.path=value`` each.
        seeds: At least one.
        workers: Trainings at once, None for as many as the engine has cores; it changes no result.
        out: The folder; by default ``runs/<experiment>-seeds-<time>``.
        command: To be noted in the folders.
        begin_from: A run with whose knowledge all of them begin, see `scml_gym.agents.training.start`.
        engine: Where they are trained; None for processes of this machine.

    Returns:
        The folder.

    Raises:
        InputError: before anything is written, if the experiment or the folder is refused; after the other seeds are
            trained, if a training failed.
        Interrupted: if the user stopped it; each training has saved a checkpoint, and the message says how to go on.
    """
    loaded = load_experiment(experiment, options, seeds[0])
    folder = Path(out) if out else Path("runs") / f"{Path(experiment).stem}-seeds-{time.strftime('%Y%m%d-%H%M%S')}"
    check_free(folder)
    _check_workers(workers)
    agent = training.build(loaded)
    beginning = None if begin_from is None else training.take_over(agent, loaded, Path(begin_from))
    info = {"schema": SCHEMA, "seeds": list(seeds), "commands": []}
    remove_leftovers_of(folder)
    try:
        with new_folder(folder) as filling:
            (filling / "config.yaml").write_text(yaml.safe_dump(loaded.config, sort_keys=False))
            (filling / FILE).write_text(json.dumps(info, indent=1) + "\n")
            for seed in seeds if beginning is not None else ():  # all of them from the same checkpoint, which is copied
                Run.create(filling / f"seed-{seed}", loaded.config | {"seed": seed}, command, beginning)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from error
    return resume_seeds(folder, workers, command, engine)


def is_seeds_folder(path: Path) -> bool:
    """Whether a folder holds the trainings of several seeds."""
    return (path / FILE).is_file()


def runs_in(path: Path) -> list[Path]:
    """The run folders that a path stands for: itself (of ``zoo:NAME`` its folder), or those of its seeds.

    Raises:
        InputError: if there is no such trained agent, or if it is a folder of seeds of which none has begun, or that is
            not readable.
    """
    if not is_seeds_folder(path):
        return [run_path(path)]
    runs = runs_of(path)
    if not runs:
        raise InputError(f"{path}: none of its seeds has begun yet")
    return runs


def runs_of(folder: Path) -> list[Path]:
    """The run folders of the seeds that have begun, in order.

    Raises:
        InputError: if the folder is not readable.
    """
    found = (folder / f"seed-{seed}" for seed in _read(folder)["seeds"])
    return [path for path in found if (path / "run.json").is_file()]


def resume_seeds(folder: Path, workers: int | None = 1, command: str = "", engine: Engine | None = None) -> Path:
    """Train the seeds of a folder that are not finished, which is trusted; see `start_seeds`."""
    _check_workers(workers)
    info = _read(folder)
    trust(folder)
    check_links(folder)
    with folder_lock(folder, "another process is training in"):
        info["commands"].append(command)
        replace_file(folder / FILE, json.dumps(info, indent=1) + "\n")
        remove_leftovers(folder)  # of a kill while a run folder was made
        try:
            with Local() if engine is None else engine as where:
                where.bring(yaml.safe_load((folder / "config.yaml").read_text()))
                failed = _Trainings(folder, info, workers or where.cores(), command, where).run()
        finally:
            _plot(folder, info)
    if failed:
        lines = [f"seed {seed} failed ({_last_line(folder, seed)})" for seed in failed]
        raise InputError(f"{'; '.join(lines)}; go on with: {_how(folder)}")
    return folder


class _Trainings:
    """The processes that train the seeds of a folder, so many at once."""

    def __init__(self, folder: Path, info: dict[str, Any], workers: int, command: str, engine: Engine):
        self._folder, self._info, self._workers, self._command = folder, info, workers, command
        self._engine = engine
        self._left = [seed for seed in info["seeds"] if not _finished(folder / f"seed-{seed}")]
        self._running: dict[int, Process] = {}
        self._failed: list[int] = []

    def run(self) -> list[int]:
        """Train them; returns the seeds whose training failed."""
        try:
            with progress_bar(len(self._info["seeds"]), "seeds") as bar:
                while self._left or self._running:
                    while self._left and len(self._running) < self._workers:
                        self._start(self._left.pop(0))
                    wait([process.sentinel for process in self._running.values()], _POLL)
                    self._collect()
                    self._show(bar)
        except KeyboardInterrupt as stop:
            self._stop()
            raise Interrupted(f"interrupted; go on with: {_how(self._folder)}") from stop
        finally:
            for process in self._running.values():
                process.kill()
        return [seed for seed in self._info["seeds"] if seed in self._failed]

    def _start(self, seed: int) -> None:
        needed = ("config.yaml", f"seed-{seed}", f"seed-{seed}.log")
        arguments = (seed, self._command)
        self._running[seed] = self._engine.start(_train, arguments, f"seed {seed}", self._folder, needed)

    def _collect(self) -> None:
        for seed, process in list(self._running.items()):
            if process.exitcode is not None:
                del self._running[seed]
                if process.exitcode != 0:
                    self._failed.append(seed)

    def _show(self, bar: Progress) -> None:
        done = len(self._info["seeds"]) - len(self._left) - len(self._running) - len(self._failed)
        steps = [f"seed {n}: step {CurveFile(self._folder / f'seed-{n}' / CURVE).last_step()}" for n in self._running]
        bar.update(done, "  ".join(steps))

    def _stop(self) -> None:
        """Let all of them save a checkpoint; a further Ctrl-C does not wait for it."""
        print("\nthe trainings save their checkpoints; once more to stop at once", file=sys.stderr)
        for process in self._running.values():
            process.terminate()
        try:
            for process in self._running.values():
                process.join()
        except KeyboardInterrupt:
            pass  # they are killed by whoever called


def _train(folder: Path, seed: int, command: str) -> None:
    """In a process of its own: train one seed, saying what is to be said into its log."""
    interrupt_on_sigterm()
    end_with_parent()
    log = os.open(folder / f"seed-{seed}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    run = folder / f"seed-{seed}"
    try:
        if (run / "run.json").is_file():
            training.resume(run, command)
        else:
            training.start(folder / "config.yaml", seed=seed, out=run, command=command)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt as stop:
        print(str(stop) or "interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


def _plot(folder: Path, info: dict[str, Any]) -> None:
    """Draw the mean of all seeds that have a curve, with its interval."""
    runs = [Run.open(path) for path in runs_of(folder)]
    curves = [run.curve() for run in runs]
    curves = [rows for rows in curves if rows]
    if curves:
        title = f"{runs[0].info['agent_name']}, {len(curves)} of {len(info['seeds'])} seeds: mean and 95 % interval"
        for name, picture in curve_figures({"": curves}, title).items():
            replace_file(folder / name, picture)


def _read(folder: Path) -> dict[str, Any]:
    file = folder / FILE
    info = read_json(file)
    seeds = info.get("seeds")
    readable = isinstance(seeds, list) and all(type(seed) is int and seed >= 0 for seed in seeds) and seeds
    if info.get("schema") != SCHEMA or not readable or not isinstance(info.get("commands"), list):
        raise InputError(f"{file} is not of the schema {SCHEMA!r}")
    return info


def _finished(run: Path) -> bool:
    return (run / "run.json").is_file() and Run.open(run).finished


def _last_line(folder: Path, seed: int) -> str:
    log = folder / f"seed-{seed}.log"
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    told = next((line for line in reversed(lines) if line.strip()), "it was killed")
    return f"{told.removeprefix('error: ').strip()}; see {log}"


def _how(folder: Path) -> str:
    return f"{how_to_call('train')} --resume {shlex.quote(str(folder))}"


def _check_workers(workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise InputError(f"--workers {workers}: at least 1 is needed")
