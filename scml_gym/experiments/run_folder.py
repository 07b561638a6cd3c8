"""Run folders: everything that a training leaves behind, never half-written.

A run folder holds ``config.yaml`` (complete: it is itself an experiment that `train.py` takes), ``command.txt`` (one
line for each time it was started), ``versions.json``, ``learning_curve.csv`` and ``.png``, ``tb/`` for TensorBoard,
``checkpoints/<step>/`` (the last two) and ``run.json``, which names the learner and the checkpoint that counts.

A kill at any moment costs at most the time since the last checkpoint: folders are built under another name and renamed,
files replaced as a whole, and ``run.json`` points at a checkpoint only when that is complete.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TextIO

import yaml

from scml_gym.core.config import DEFAULT_LOGGERS
from scml_gym.core.curve_file import CurveFile
from scml_gym.core.curves import curve_figures
from scml_gym.core.errors import InputError
from scml_gym.core.files import new_folder, remove_tree, replace_file, take_lock
from scml_gym.core.interrupts import StopRequest, stop_requests
from scml_gym.core.leftovers import remove_leftovers, remove_leftovers_of
from scml_gym.core.loggers import LOGGERS, Logger
from scml_gym.core.provenance import versions
from scml_gym.core.reporting import Progress, progress_bar
from scml_gym.core.trust import trust
from scml_gym.experiments.run_info import BEST, CHECKPOINTS, SCHEMA, STEP_FOLDER, check_links, read_config, read_info

FIRST_CHECKPOINT = 60.0
"""Seconds after which the first checkpoint of a run is due at the latest."""
BEGINNING = "from"
"""A copy of another run's checkpoint, with whose knowledge this one began."""
CURVE = "learning_curve.csv"
POLICY_FILE = "policy.npz"
"""In a checkpoint whose policy is a network: that network as data, see `scml_gym.game.policy_files`."""

FORMER_FILES = {POLICY_FILE: "snapshot.npz", "self_play": "league"}
"""Files and folders of a run by the names that they had."""


def find_policy_file(checkpoint: Path) -> Path | None:
    """The policy file in a checkpoint of whatever age, or None."""
    names = (POLICY_FILE, FORMER_FILES[POLICY_FILE])
    return next((checkpoint / name for name in names if (checkpoint / name).is_file()), None)


def check_free(path: Path) -> None:
    """Refuse a path that a new run folder cannot have.

    Raises:
        InputError: if it is a file, or a folder that is not empty.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} exists and is not empty; give another --out, or --resume {path}")


class Run:
    """One run folder; made by `create` or `open`, not by hand.

    Attributes:
        path: The folder.
        config: The complete experiment, plain data: ``seed``, ``agent``, ``env``, ``checkpoint_minutes``, ``threads``.
        info: The content of ``run.json``.
    """

    def __init__(self, path: Path, config: dict[str, Any], info: dict[str, Any]):
        self.path = path
        self.config = config
        self.info: dict[str, Any] = info
        self._lock: TextIO | None = None
        self._loggers: list[Logger] | None = None
        self._curve = CurveFile(path / CURVE)
        self._saved_at = time.monotonic()
        self._stop = StopRequest()

    @classmethod
    def create(cls, folder: str | Path, config: dict[str, Any], command: str, beginning: Path | None = None) -> Self:
        """A new run folder, which appears as a whole and is trusted by this process.

        Args:
            folder: Must not exist, or be empty.
            config: The complete experiment; its ``agent`` section has a ``name``: as registered, or ``module:Class``.
            command: The exact command line.
            beginning: A checkpoint of another run, to be copied, with whose knowledge this one begins; None for none.

        Raises:
            InputError: if the folder is not empty or cannot be made.
        """
        path = Path(folder)
        name = config["agent"]["name"]
        info = {
            "schema": SCHEMA,
            "agent": name,
            "agent_name": name,
            "env": config["env"],
            "seed": config["seed"],
            "checkpoint": None,
            "step": 0,
        }
        if beginning is not None:
            info["from"] = str(beginning.resolve())
        try:
            check_free(path)
            remove_leftovers_of(path)
            with new_folder(path) as filling:
                (filling / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
                (filling / "command.txt").write_text(command + "\n")
                (filling / "versions.json").write_text(json.dumps(versions(), indent=1) + "\n")
                (filling / "run.json").write_text(json.dumps(info, indent=1) + "\n")
                (filling / "checkpoints").mkdir()
                if beginning is not None:
                    shutil.copytree(beginning, filling / BEGINNING)
        except OSError as error:
            raise InputError(f"cannot make the run folder {path}: {error.strerror or error}") from error
        trust(path)
        return cls(path, config, info)

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """An existing run folder, to resume or to read; nothing in it changes yet.

        Raises:
            InputError: if it is missing or corrupt, or of another schema.
        """
        path = Path(folder)
        if not (path / "run.json").is_file():
            raise InputError(f"{path} is not a run folder: it has no run.json")
        info, config = read_info(path), read_config(path)
        while info["checkpoint"] is not None and not (path / info["checkpoint"]).is_dir():
            before, info = info, read_info(path)
            if info == before:
                raise InputError(f"{path} is corrupt: its {info['checkpoint']} is missing")
        return cls(path, config, info)

    def remove_unless_begun(self) -> None:
        """Remove the folder where it holds nothing but what `create` wrote: no row, no checkpoint, no data."""
        held = {path.relative_to(self.path).as_posix() for path in self.path.rglob("*")}
        held = {name for name in held if name.partition("/")[0] != BEGINNING}
        if held <= {"config.yaml", "command.txt", "versions.json", "run.json", "checkpoints", ".lock"}:
            shutil.rmtree(self.path)

    @property
    def finished(self) -> bool:
        """Whether the training came to its configured end (False for runs of earlier versions)."""
        return self.info.get("finished", False)

    def finish(self) -> None:
        """Note that the training came to its end."""
        self._write_info({"finished": True})

    def beginning(self) -> Path | None:
        """The checkpoint with whose knowledge the training begins; None where it begins with none, or goes on."""
        folder = self.path / BEGINNING
        return folder if folder.is_dir() and self.info["checkpoint"] is None else None

    @property
    def step(self) -> int:
        """Of the latest checkpoint; 0 where there is none."""
        return self.info["step"]

    def latest_checkpoint(self) -> Path | None:
        """The folder of the checkpoint to continue from or to play, or None before the first."""
        return self.path / self.info["checkpoint"] if self.info["checkpoint"] else None

    @property
    def best(self) -> dict[str, Any] | None:
        """Of the best checkpoint (`keep_best`): ``checkpoint``, ``step`` and ``value``; None where none is kept."""
        return self.info.get("best")

    def keep_best(self, step: int, value: float, save: Callable[[Path], None]) -> None:
        """Keep a checkpoint as the best one so far, in place of the one before it.

        Args:
            step: Environment steps so far.
            value: By which it is the best.
            save: As of `checkpoint`.
        """
        folder = self._new_checkpoint(BEST, step, save)
        best = {"checkpoint": f"{BEST}/{folder.name}", "step": step, "value": value}
        self._write_info({"best": best})
        _remove_others(self.path / BEST, folder)

    @contextmanager
    def stops_at_checkpoints(self) -> Iterator[None]:
        """Inside, Ctrl-C and SIGTERM wait for the next `checkpoint`, which is due then; elsewhere they come at once.

        For the loop of a learner that looks at `checkpoint_due` every few seconds at most.
        """
        try:
            with stop_requests() as self._stop:
                yield
        finally:
            self._stop = StopRequest()

    @property
    def stop(self) -> StopRequest:
        """Whether the user wants the training to stop, for work of some length within it."""
        return self._stop

    @property
    def stop_requested(self) -> bool:
        """Whether the user wants the training to stop: the next `checkpoint` interrupts it when it is saved."""
        return self._stop.made

    def checkpoint_due(self) -> bool:
        """Whether a stop is requested, or ``checkpoint_minutes`` have passed since the last one, or since the start; a
        run's first one is due after a minute at the latest."""
        wait = 60 * self.config["checkpoint_minutes"]
        if self.info["checkpoint"] is None:
            wait = min(wait, FIRST_CHECKPOINT)
        return self.stop_requested or time.monotonic() - self._saved_at >= wait

    def checkpoint(self, step: int, save: Callable[[Path], None]) -> None:
        """Save a checkpoint; the one before it is kept, older ones go.

        Args:
            step: Environment steps so far; names the folder and cuts the learning curve on resuming.
            save: Writes everything into the folder that it is given, which is renamed afterwards.

        Raises:
            KeyboardInterrupt: when it is saved, if the user has asked to stop (see `stops_at_checkpoints`).
        """
        previous = self.latest_checkpoint()
        final = self._new_checkpoint(CHECKPOINTS, step, save)
        self._write_info({"checkpoint": f"{CHECKPOINTS}/{final.name}", "step": step})
        _remove_others(final.parent, final, previous)
        self._saved_at = time.monotonic()
        if self.stop_requested:
            raise KeyboardInterrupt

    def _new_checkpoint(self, parent: str, step: int, save: Callable[[Path], None]) -> Path:
        """A folder with what ``save`` writes, complete, that ``run.json`` does not point at yet."""
        self._acquire()
        final = self.path / parent / f"{step:012d}"
        if final in (self.latest_checkpoint(), self.path / self.best["checkpoint"] if self.best else None):
            final = final.with_name(f"{final.name}-again")
        with new_folder(final, self.path / parent / ".partial") as filling:
            save(filling)
            shutil.rmtree(final, ignore_errors=True)  # a leftover that run.json does not point at
        return final

    def _write_info(self, changes: Mapping[str, Any]) -> None:
        self.info = {**self.info, **changes}
        replace_file(self.path / "run.json", json.dumps(self.info, indent=1) + "\n")

    def log(self, step: int, **numbers: float) -> None:
        """Append a row to the learning curve, and give it to the loggers.

        Args:
            step: Environment steps so far.
            numbers: By name. Those that end in ``_per_second`` depend on the machine: they go to the loggers only, so
                that the learning curve of a seed repeats byte for byte.
        """
        self._acquire()
        if self._loggers is None:
            makers = [LOGGERS.get(name, "loggers") for name in self.config.get("loggers", DEFAULT_LOGGERS)]
            self._loggers = [make(self.path, self.step + 1) for make in makers]
        for logger in self._loggers:
            logger.add(step, numbers)
        self._curve.append({"step": step} | {k: v for k, v in numbers.items() if not k.endswith("_per_second")})

    def truncate_log(self, step: int) -> None:
        """Cut the rows of the learning curve after this step (they are trained again)."""
        self._acquire()
        self._curve.truncate(step)

    def curve(self) -> list[dict[str, str]]:
        """The rows of the learning curve, as texts by column; a last row without its end is left out."""
        return self._curve.rows()

    def plot(self) -> Path | None:
        """Draw ``learning_curve.png`` from the CSV, and ``learning_curve_rest.png`` where there are many columns; None
        where there are no rows."""
        title = f"{self.info['agent_name']}, seed {self.config['seed']}"
        figures = curve_figures({"": [self.curve()]}, title)
        for name, picture in figures.items():
            replace_file(self.path / name, picture)
        return self.path / "learning_curve.png" if figures else None

    @contextmanager
    def progress(self, total: int, description: str) -> Iterator[Progress]:
        """`progress_bar`: ``with run.progress(total_steps, "training") as bar: bar.update(step, "note")``."""
        with progress_bar(total, description) as bar:
            yield bar

    def resumed(self, command: str) -> None:
        """Note that training goes on: the command is added, what came after the checkpoint and what a kill left is cut.

        Raises:
            InputError: if another process is training in this folder, or a link in it leads elsewhere.
        """
        self._acquire()
        check_links(self.path)
        for now, former in FORMER_FILES.items():
            if (self.path / former).is_dir():
                os.replace(self.path / former, self.path / now)
        self.info = read_info(self.path)  # whoever trained here until now may have gone further
        remove_leftovers(self.path)
        for parent in (CHECKPOINTS, BEST):
            remove_tree(self.path / parent / ".partial")
        replace_file(self.path / "command.txt", (self.path / "command.txt").read_text() + command + "\n")
        self.truncate_log(self.step)

    def hold(self) -> None:
        """Take the folder's lock, which the system gives back when this process ends, however it ends.

        Raises:
            InputError: if another process is training in this folder.
        """
        self._acquire()

    def _acquire(self) -> None:
        if self._lock is None:
            self._lock = take_lock(self.path, "another process is training in")


def _remove_others(folder: Path, *kept: Path | None) -> None:
    """Remove the checkpoints in a folder but these; what is no checkpoint stays."""
    for path in folder.iterdir():
        if path not in kept and STEP_FOLDER.fullmatch(path.name):
            remove_tree(path)
