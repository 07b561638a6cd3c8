"""The worlds of a tournament that are played already, kept until its results are written: a killed one goes on.

They stand beside the results folder, in ``<folder>.plays.jsonl``: a line that says what is played and with which code,
then a line for each world. What a world brings depends on its players, seed and setting alone, so a world that stands
there is as good as one that is played, and a resumed tournament gives the table of an uninterrupted one. Failures are
not kept: who failed is tried again.

Each line ends with a digest of itself and of the line before it, so one that was edited, damaged or taken away is
found. The digest has no secret: whoever can write the file can make lines that fit.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from scml_gym.core.errors import InputError
from scml_gym.core.files import errors_about, lock_file, make_folder, replace_file
from scml_gym.core.leftovers import remove_leftovers_of
from scml_gym.evaluation.config import TournamentConfig, saved_config
from scml_gym.evaluation.isolation.kinds import Result
from scml_gym.evaluation.pool import WorkerPool
from scml_gym.evaluation.sources import played_with
from scml_gym.game.definition import Setting

SCHEMA = "scml-gym-plays-3"
DIGEST = "digest"
"""The last key of a line."""

FREE = {"worlds", "workers", "out", "time_limit", "format"}
"""What may differ from start to start."""


class Journal:
    """The journal of one results folder, for a ``with`` block.

    The file is made when the first world is handed out; it goes when `remove` is called, or nothing was played.

    Args:
        folder: The results folder.
        config: What is played.

    Raises:
        InputError: if there are plays of another tournament, or by code that has changed since; if it is in use, or
            a line of it is not what was written.
    """

    def __init__(self, folder: Path, config: TournamentConfig):
        self.path = _path(folder)
        self._head = {
            "schema": SCHEMA,
            "config": _fixed(config),
            "played_with": played_with(config),
        }
        self._last = ""
        self._file: TextIO | None = None
        self._writing, self._played = threading.Lock(), 0
        self._known: dict[tuple[Any, ...], Any] = {}
        if self.path.exists():
            self._open()

    def _open(self) -> None:
        """Make the file where there is none, take it for this process, and read it."""
        make_folder(self.path.parent)
        remove_leftovers_of(self.path)
        if not self.path.exists():
            replace_file(self.path, _line(self._head, "")[0])
        file = self.path.open("r+", encoding="utf-8")
        lock_file(file, f"another process is playing {self.path}")
        try:
            lines = [line for line in file.read().splitlines(keepends=True) if line.endswith("\n")]
        except UnicodeDecodeError as error:
            raise InputError(f"{self.path} is not readable ({error}); remove it to play all worlds") from error
        found, *plays = self._checked(lines)
        changed = _first_difference(found, self._head)
        if changed:
            raise InputError(
                f"{self.path} holds the worlds of another tournament ({changed}); remove it to play all worlds anew, "
                "or give another --out"
            )
        self._known = {_key(play["names"], play["seed"], play["setting"]): play["value"] for play in plays}
        file.seek(sum(len(line.encode()) for line in lines))
        file.truncate()  # a line that a kill cut off
        self._file = file

    def _checked(self, lines: Sequence[str]) -> list[dict[str, Any]]:
        """The contents of lines, each of which is what was written."""
        if not lines:
            raise InputError(f"{self.path} is not readable (it has no line); remove it to play all worlds")
        contents = []
        for number, line in enumerate(lines, 1):
            try:
                content = dict(json.loads(line))
                expected, last = _line({k: v for k, v in content.items() if k != DIGEST}, self._last)
            except (ValueError, TypeError, RecursionError):
                content, expected, last = {}, "", ""
            if number == 1 and content.get("schema") not in (None, SCHEMA):
                return [content]  # of another version, whose lines are others
            if line != expected:
                told = "it is not what was written, or a line before it is missing"
                raise InputError(f"{self.path}, line {number}: {told}; remove the file to play all worlds")
            self._last = last
            contents.append(content)
        return contents

    def __len__(self) -> int:
        """Worlds that stand in it."""
        return len(self._known) + self._played

    def play(
        self, pool: WorkerPool, names: Sequence[str], seed: int, setting: Setting, **record: Any
    ) -> Future[Result]:
        """`WorkerPool.play`, unless the world stands here; it is noted when it has been played, and recorded.

        The future raises an ``OSError`` about this file where it cannot be noted.
        """
        key = _key(names, seed, setting)
        if key in self._known:
            known: Future[Result] = Future()
            known.set_result({"value": self._known[key]})
            return known
        if self._file is None:
            self._open()
        noted: Future[Result] = Future()

        def note(played: Future[Result]) -> None:
            if played.cancelled():  # nobody waits for it any more
                return
            try:
                result = played.result()
                if "value" in result:
                    world = {"names": list(names), "seed": seed, "setting": list(setting)}
                    self._note(world | {"value": result["value"]})
                noted.set_result(result)
            except BaseException as error:
                noted.set_exception(error)

        pool.play(names, seed, setting, **record).add_done_callback(note)
        return noted

    def _note(self, world: dict[str, Any]) -> None:
        with self._writing:
            if self._file is None or self._file.closed:
                return
            line, digest = _line(world, self._last)
            try:
                with errors_about(self.path):
                    self._file.write(line)
                    self._file.flush()
            except OSError:
                self._close()  # part of the line may be written: no other one may follow
                raise
            self._last = digest
            self._played += 1

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what could not be written cannot be written now
                self._file.close()

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
                self._close()


def remove_journal(folder: Path, before: Callable[[TournamentConfig], None]) -> TournamentConfig | None:
    """Remove the journal that stands beside results of the same tournament, whose process was killed before it had.

    Args:
        folder: With the results, which appeared as a whole.
        before: Called with their configuration before that; where it is killed, the next start calls it again.

    Returns:
        Their configuration; None where there is no journal of it.

    Raises:
        InputError: if another process has it, and so is about to remove it; or the results cannot be read.
    """
    path = _path(folder)
    if not path.is_file():
        return None
    with path.open("r+", encoding="utf-8", errors="replace") as file:
        lock_file(file, f"another process is playing {path}")
        try:
            head = dict(json.loads(file.readline()))
        except (ValueError, TypeError, RecursionError):
            return None
        config = saved_config(folder)
        if head.get("config") != _fixed(config):
            return None
        before(config)
        path.unlink()
    return config


def _path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.plays.jsonl")


def _fixed(config: TournamentConfig) -> dict[str, Any]:
    """What does not differ from start to start."""
    return config.model_dump(mode="json", exclude=FREE)


def _key(names: Sequence[str], seed: int, setting: Sequence[Any]) -> tuple[Any, ...]:
    return (*names, int(seed), *setting)


def _line(content: dict[str, Any], last: str) -> tuple[str, str]:
    """A line that holds a content, and its digest; ``last`` is that of the line before."""
    text = json.dumps(content)
    digest = hashlib.sha256(f"{last}{text}".encode()).hexdigest()[:32]
    return f'{text[:-1]}, "{DIGEST}": "{digest}"}}\n', digest


def _first_difference(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """What is not as it was, for people; None where all is."""
    if old.get("schema") != new["schema"]:
        return f"schema {old.get('schema')!r}"
    for key, value in new["config"].items():
        before = old["config"].get(key, TournamentConfig.model_fields[key].default)
        if before != value:
            return f"{key} is {before!r} there, {value!r} here"
    before, now = old["played_with"], new["played_with"]
    names = (name for name in {**before, **now} if before.get(name) != now.get(name))
    return next((f"{name} has changed since" for name in names), None)
