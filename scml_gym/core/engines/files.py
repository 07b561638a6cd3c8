"""Files on their way from one machine to another: what is in a folder, what has changed in it, and how it is put."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scml_gym.core.files import new_folder, replace_file

Files = Mapping[str, bytes]
"""Path within a folder, with slashes -> content."""


@dataclass(frozen=True)
class Changes:
    """How a folder came from one state to another.

    Attributes:
        written: Files that are new or have another content.
        removed: Files that are gone.
    """

    written: Files = field(default_factory=dict)
    removed: tuple[str, ...] = ()


class Watched:
    """A folder whose changes are asked for now and then; what is hidden in it is left out, as it is not finished.

    Args:
        folder: Is there.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._known = self._state()

    def changes(self) -> Changes:
        """Since the last call, or since this object was made; none while files are being changed, as it would be half
        of what another process is writing."""
        now = self._state()
        written = {}
        try:
            for name, state in now.items():
                if self._known.get(name) != state:
                    written[name] = (self._folder / name).read_bytes()
        except FileNotFoundError:
            return Changes()
        if self._state() != now:
            return Changes()
        removed = tuple(name for name in self._known if name not in now)
        self._known = now
        return Changes(written, removed)

    def _state(self) -> dict[str, tuple[int, int]]:
        found = {}
        for name, path in names_in(self._folder):
            with contextlib.suppress(FileNotFoundError):
                state = path.stat()
                found[name] = (state.st_mtime_ns, state.st_size)
        return found


def names_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files in a folder and those below it that are not hidden, by their names within it."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                path = Path(parent, name)
                yield path.relative_to(folder).as_posix(), path


def read_files(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The files and folders of these names in a folder, as far as they are there."""
    found = {}
    for name in names:
        path = folder / name
        inner = [(name, path)] if path.is_file() else [(f"{name}/{below}", file) for below, file in names_in(path)]
        found |= {key: file.read_bytes() for key, file in inner}
    return found


def take_files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, which is empty then."""
    found = read_files(folder, sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")))
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return found


def put_files(folder: Path, files: Files) -> None:
    """Write files; a folder that is new appears with all its files, and those deep in folders come first, as those
    above them may tell of them."""
    by_parent: dict[Path, dict[str, bytes]] = {}
    for name, content in files.items():
        path = folder / name
        by_parent.setdefault(path.parent, {})[path.name] = content
    for parent in sorted(by_parent, key=lambda path: len(path.parts), reverse=True):
        if parent.exists():
            for name, content in by_parent[parent].items():
                replace_file(parent / name, content)
        else:
            parent.parent.mkdir(parents=True, exist_ok=True)
            with new_folder(parent) as filling:
                for name, content in by_parent[parent].items():
                    (filling / name).write_bytes(content)


def put_output(folder: Path, files: Files) -> None:
    """Write the files of a job; a folder that has no others in it is one thing, and replaces one of the same name."""
    parents = {Path(name).parent for name in files} - {Path()}
    for parent in parents:
        if not any(parent in other.parents for other in parents):
            shutil.rmtree(folder / parent, ignore_errors=True)
    put_files(folder, files)


def apply(folder: Path, changes: Changes) -> None:
    """Change a folder as another one was changed."""
    put_files(folder, changes.written)
    for name in changes.removed:
        path = folder / name
        path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == folder or any(parent.iterdir()):
                break
            parent.rmdir()
