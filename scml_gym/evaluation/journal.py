"""The worlds of a tournament that are played already, kept until its results are written: a killed one goes on.

They stand beside the results folder, in ``<folder>.plays.jsonl``: a line that says what is played, then a line for each
world. What a world brings depends on its players, seed and setting alone, so a world that stands there is as good as
one that is played, and a resumed tournament gives the table of an uninterrupted one. Failures are not kept: who failed
is tried again.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from scml_gym.core.errors import InputError
from scml_gym.core.files import lock_file, make_folder, replace_file
from scml_gym.evaluation.config import TournamentConfig
from scml_gym.evaluation.pool import WorkerPool
from scml_gym.evaluation.worker import Result
from scml_gym.game.definition import Setting

SCHEMA = "scml-gym-plays-2"
FREE = ("worlds", "workers", "out", "time_limit", "format")
"""What may differ from start to start."""


class Journal:
    """The journal of one results folder, for a ``with`` block.

    The file is made when the first world is handed out; it goes when `remove` is called, or nothing was played.

    Args:
        folder: The results folder.
        config: What is played.

    Raises:
        InputError: if there are plays of another tournament, or of run folders that have changed since; if it is in use
            or cannot be read.
    """

    def __init__(self, folder: Path, config: TournamentConfig):
        self.path = folder.with_name(f"{folder.name}.plays.jsonl")
        self._head = {
            "schema": SCHEMA,
            "config": config.model_dump(mode="json", exclude=set(FREE)),
            "files": _files(config),
        }
        self._file: TextIO | None = None
        self._writing, self._played = threading.Lock(), 0
        self._known: dict[tuple[Any, ...], Any] = {}
        if self.path.exists():
            self._open()

    def _open(self) -> None:
        """Make the file where there is none, take it for this process, and read it."""
        make_folder(self.path.parent)
        if not self.path.exists():
            replace_file(self.path, json.dumps(self._head) + "\n")
        file = self.path.open("r+", encoding="utf-8")
        lock_file(file, f"another process is playing {self.path}")
        try:
            lines = [line for line in file.read().splitlines(keepends=True) if line.endswith("\n")]
            found, *plays = [dict(json.loads(line)) for line in lines]
            self._known = {_key(play["names"], play["seed"], play["setting"]): play["value"] for play in plays}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self.path} is not readable ({error}); remove it to play all worlds") from error
        changed = _first_difference(found, self._head)
        if changed:
            raise InputError(
                f"{self.path} holds the worlds of another tournament ({changed}); remove it, or give another --out"
            )
        file.seek(sum(len(line.encode()) for line in lines))
        file.truncate()  # a line that a kill cut off
        self._file = file

    def __len__(self) -> int:
        """Worlds that stand in it."""
        return len(self._known) + self._played

    def play(
        self, pool: WorkerPool, names: Sequence[str], seed: int, setting: Setting, **record: Any
    ) -> Future[Result]:
        """`WorkerPool.play`, unless the world stands here; it is noted when it has been played, and recorded."""
        key = _key(names, seed, setting)
        if key in self._known:
            done: Future[Result] = Future()
            done.set_result({"value": self._known[key]})
            return done
        if self._file is None:
            self._open()
        future = pool.play(names, seed, setting, **record)
        future.add_done_callback(lambda played: self._note(played, names, seed, setting))
        return future

    def _note(self, played: Future[Result], names: Sequence[str], seed: int, setting: Setting) -> None:
        if played.cancelled() or played.exception() is not None or "value" not in played.result():
            return
        row = {"names": list(names), "seed": seed, "setting": list(setting), "value": played.result()["value"]}
        with self._writing:
            if self._file is not None and not self._file.closed:
                self._file.write(json.dumps(row) + "\n")
                self._file.flush()
                self._played += 1

    def remove(self) -> None:
        """The results are written: nothing is left to be resumed."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._writing:
            if self._file is not None:
                if not len(self):
                    self.remove()
                self._file.close()


def _key(names: Sequence[str], seed: int, setting: Sequence[Any]) -> tuple[Any, ...]:
    return (*names, int(seed), *setting)


def _files(config: TournamentConfig) -> dict[str, int]:
    """When the run folders and policy files among the players were last changed, by name, in nanoseconds."""
    found = {}
    for name in (*config.competitors, *config.background):
        for path in (Path(name) / "run.json", Path(name)):
            if os.path.isfile(path):
                found[name] = path.stat().st_mtime_ns
                break
    return found


def _first_difference(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """What is not as it was, for people; None where all is."""
    if old.get("schema") != new["schema"]:
        return f"schema {old.get('schema')!r}"
    for key, value in new["config"].items():
        before = old["config"].get(key, TournamentConfig.model_fields[key].default)
        if before != value:
            return f"{key} is {before!r} there, {value!r} here"
    return next((f"{name} has changed since" for name, t in new["files"].items() if old["files"].get(name) != t), None)
