"""What jobs on another machine need of this one: modules of the current folder, and the files that are named.

It is packed here and unpacked there into a folder of its own, in which names relative to the current folder mean what
they mean here. A file outside the current folder is not sent: it must be there, at the same place.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scml_gym.core.engines.files import names_in
from scml_gym.core.errors import InputError

MOST_BYTES = 500_000_000
MOST_MODULES = 5_000
"""In the current folder; more are somebody's home, and no project."""

_NO_MODULES = ("__pycache__", "node_modules")

RUN_FILE = "run.json"
"""Of a run folder, which is sent as a whole where a part of it is named."""


class SentFiles:
    """What is to be sent, collected by `add`."""

    def __init__(self) -> None:
        self._here = Path.cwd()
        self._named: dict[str, str] = {}
        self._sent: set[Path] = set()
        self.elsewhere: set[str] = set()
        """Absolute paths that must be on each machine."""

    def add(self, data: Any) -> Any:
        """Add the files and folders that texts and paths in nested data name.

        Returns:
            The same data, with the names that they have there.
        """
        if isinstance(data, Mapping):
            return {key: self.add(value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return type(data)(self.add(value) for value in data)
        if isinstance(data, Path):
            return Path(self._name(str(data)))
        return self._name(data) if isinstance(data, str) else data

    def _name(self, name: str) -> str:
        if name not in self._named:
            self._named[name] = self._found(name)
        return self._named[name]

    def _found(self, name: str) -> str:
        try:
            if not name or not os.path.exists(name):
                return name
        except ValueError:  # no name of a file
            return name
        path = Path(os.path.abspath(name))
        if not path.is_relative_to(self._here):
            self.elsewhere.add(str(path))
            return str(path)
        relative = path.relative_to(self._here)
        runs = [parent for parent in relative.parents if (self._here / parent / RUN_FILE).is_file()]
        if relative.parts:
            self._sent.add(runs[0] if runs else relative)
        return str(relative) if os.path.isabs(name) else name

    def pack(self) -> bytes:
        """A zip file of everything.

        Raises:
            InputError: if it is too much.
        """
        packed, total = io.BytesIO(), 0
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted({*self._modules(), *self._files()}):
                total += path.stat().st_size
                if total > MOST_BYTES:
                    raise InputError(
                        f"the modules of {self._here} and the files that are named are more than {MOST_BYTES:,} bytes, "
                        "too much to be sent: have files on each machine, and give their absolute paths"
                    )
                archive.write(path, path.relative_to(self._here))
        return packed.getvalue()

    def _files(self) -> Iterator[Path]:
        for relative in self._sent:
            path = self._here / relative
            yield from [path] if path.is_file() else (file for _, file in names_in(path))

    def _modules(self) -> Iterator[Path]:
        found = 0
        for parent, folders, files in os.walk(self._here):
            left = [name for name in folders if not name.startswith(".") and name not in _NO_MODULES]
            folders[:] = [name for name in left if not os.path.exists(os.path.join(parent, name, "pyvenv.cfg"))]
            modules = [Path(parent, name) for name in files if name.endswith(".py") and not name.startswith(".")]
            found += len(modules)
            if found > MOST_MODULES:
                raise InputError(
                    f"{self._here} has more than {MOST_MODULES} Python files, which are sent to each machine; "
                    "start in a folder of your own"
                )
            yield from modules


def unpack(packed: bytes, folder: Path) -> None:
    """Unpack what `SentFiles.pack` made."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(folder)
