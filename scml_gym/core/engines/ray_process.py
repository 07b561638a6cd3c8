"""A process in a Ray cluster that works in a folder, whose files come here while it works.

It is started again on another machine, with the files that have come, where its machine is lost.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from scml_gym.core.engines.files import Changes, Files, Watched, apply, put_files, read_files
from scml_gym.core.engines.local import spawned
from scml_gym.core.engines.ray_actors import MOST_LOSSES, Actor, Actors, MachineLostError

_PAUSE = 3.0
"""Seconds between two looks at the folder."""

LOST = 1
"""Exit code of a process that was lost with its machine again and again."""


class FolderProcess:
    """The process, held on its machine."""

    def __init__(self, output: Path | None):
        self._process: Any = None

    @property
    def alive(self) -> bool:
        """Whether nobody has killed it."""
        return self._process is None or (self._process.exitcode or 0) >= 0

    def start(
        self, target: Callable[..., object], arguments: Sequence[Any], name: str, folder: Path, files: Files
    ) -> None:
        """Start it in a folder with these files."""
        folder.mkdir(parents=True, exist_ok=True)
        put_files(folder, files)
        self._watched = Watched(folder)
        self._process = spawned(target, (folder, *arguments), name)

    def look(self, seconds: float) -> tuple[int | None, Changes]:
        """Wait for its end so long: its exit code, or None, and what has changed in the folder."""
        self._process.join(seconds)
        code = self._process.exitcode
        return code, self._watched.changes()

    def terminate(self) -> None:
        """Ask it to stop."""
        self._process.terminate()

    def close(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.kill()
            self._process.join()


class RayProcess:
    """See `scml_gym.core.engines.base.Process`."""

    def __init__(
        self,
        actors: Actors,
        target: Callable[..., object],
        arguments: Sequence[Any],
        name: str,
        folder: Path,
        there: Path,
        brought: Sequence[str],
    ):
        self._actors, self._started = actors, (target, tuple(arguments), name, there)
        self._folder, self._brought = folder, tuple(brought)
        self._code: int | None = None
        self._error: Exception | None = None
        self._stopping = False
        self._member: Actor | None = None
        self.sentinel, self._end = os.pipe()
        self._thread = threading.Thread(target=self._lead, name=name, daemon=True)
        self._thread.start()

    def __del__(self) -> None:
        os.close(self.sentinel)

    @property
    def exitcode(self) -> int | None:
        """See `Process`.

        Raises:
            InputError: if a machine was refused, or there was none.
        """
        if self._error is not None:
            raise self._error
        return self._code

    def _lead(self) -> None:
        code = LOST
        try:
            for _ in range(MOST_LOSSES):
                member = self._actors.take()
                try:
                    code = self._follow(member)
                    break
                except MachineLostError:
                    self._actors.lost(member)
        except CancelledError:
            pass
        except Exception as error:
            self._error = error
        finally:
            self._member = None
            self._actors.close()
            self._code = code
            os.close(self._end)

    def _follow(self, member: Actor) -> int:
        member.call("start", *self._started, read_files(self._folder, self._brought))
        self._member = member
        if self._stopping:
            member.call("terminate")
        while True:
            code, changes = member.call("look", _PAUSE)
            apply(self._folder, changes)
            if code is not None:
                return code

    def terminate(self) -> None:
        """See `Process`."""
        self._stopping = True
        member = self._member
        if member is None:
            self._actors.close()  # it has not begun
            return
        try:
            member.call("terminate")
        except MachineLostError:
            self._actors.close()

    def kill(self) -> None:
        """See `Process`."""
        self._stopping = True
        self._actors.close()

    def join(self) -> None:
        """See `Process`."""
        self._thread.join()
