"""What stands in a process of a Ray cluster: an object that computes, in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import pickle
import platform
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from scml_gym.core.engines.files import Files, put_output, take_files
from scml_gym.core.engines.sent_files import unpack
from scml_gym.core.errors import InputError
from scml_gym.core.process import limit_threads
from scml_gym.core.provenance import PACKAGES, source_digest, version_of

_DYING = 3.0
"""Seconds that a machine which is going down may take from the end of our processes to that of Ray's."""


@dataclass(frozen=True)
class Origin:
    """What a machine must have in common with the one that leads.

    Attributes:
        versions: Of Python and of packages; None for what is not there.
        source: Digest of this package's source.
        hash_seed: ``PYTHONHASHSEED`` of processes.
        python_path: Folders of ``PYTHONPATH``.
        elsewhere: Files and folders that are not sent.
    """

    versions: dict[str, str | None]
    source: str
    hash_seed: str
    python_path: tuple[str, ...]
    elsewhere: tuple[str, ...]

    @classmethod
    def here(cls, elsewhere: tuple[str, ...] = ()) -> Origin:
        """Of this process."""
        found = {name: version_of(name) for name in PACKAGES} | {"python": platform.python_version()}
        python_path = tuple(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
        hash_seed = os.environ.get("PYTHONHASHSEED", "0")
        return cls(found, source_digest(), hash_seed, tuple(map(os.path.abspath, python_path)), elsewhere)

    def check(self) -> None:
        """Refuse this machine where it would compute something else.

        Raises:
            InputError: what differs, in one line.
        """
        name, own = socket.gethostname(), Origin.here()
        for package, version in self.versions.items():
            if own.versions[package] != version:
                raise InputError(
                    f"the machine {name} has {package} {own.versions[package]}, this one {version}: results would "
                    "differ; install the same on both"
                )
        if own.source != self.source:
            raise InputError(f"the source of scml-gym on the machine {name} is not that of this one; install the same")
        for path in self.elsewhere:
            if not os.path.exists(path):
                raise InputError(
                    f"the machine {name} has no {path}; what is in the current folder is sent along, all else must be "
                    "on each machine"
                )


class Host:
    """Holds one object; a Ray actor is made of it.

    Everything but bytes comes and goes pickled, because the user's own modules can be imported in `begin` only.
    """

    def begin(self, packed: bytes, told: bytes) -> bytes:
        """Make the object.

        Args:
            packed: SentFiles.
            told: Of `Origin`, of ``make`` and of whether there is an output folder.

        Returns:
            As `call`; the value is the name of the machine.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="scml-gym-host-"))
        self._output: Path | None = None
        try:
            self._prepare(packed, told)
        except Exception as error:
            return _pickled(False, error)
        return _pickled(True, socket.gethostname())

    def _prepare(self, packed: bytes, told: bytes) -> None:
        origin, make, with_output = pickle.loads(told)
        origin.check()
        unpack(packed, self._folder)
        os.chdir(self._folder)
        os.environ["PYTHONHASHSEED"] = origin.hash_seed  # of the processes that are started from here
        limit_threads(1)
        vars(sys.modules["__main__"]).pop("__file__", None)  # or each of them would load the script of Ray's workers
        (of_ray,) = import_module("ray").__path__  # packages of Ray's own are for its workers
        own = (path for path in sys.path if not Path(path).is_relative_to(of_ray))
        sys.path[:] = dict.fromkeys([*origin.python_path, *own, str(self._folder)])
        if with_output:
            self._output = self._folder / ".output"
            self._output.mkdir()
        self._held = pickle.loads(make)(self._output)

    def call(self, told: bytes) -> bytes:
        """Call a method of the object.

        Args:
            told: Its name and its arguments.

        Returns:
            Whether it came to its end, its value or the exception that it raised, and the files of the output.
        """
        method, arguments = pickle.loads(told)
        try:
            done, value = True, getattr(self._held, method)(*arguments)
        except Exception as error:
            done, value = False, error
        if not self._held.alive:
            time.sleep(_DYING)  # whoever calls shall see that a machine was lost, and not that a process has died there
        return _pickled(done, value, take_files(self._output) if self._output is not None else {})

    def close(self) -> None:
        """End the object, also while it is called, and remove the folder."""
        with contextlib.suppress(AttributeError):  # it was never made
            self._held.close()
        os.chdir(tempfile.gettempdir())
        shutil.rmtree(self._folder, ignore_errors=True)


def _pickled(done: bool, value: Any, files: Files | None = None) -> bytes:
    return pickle.dumps((done, value, files or {}))


def value_of(answer: bytes, output: Path | None = None) -> Any:
    """What a `Host` answered, on the machine that asked; the files of its output are put where they belong.

    Raises:
        Exception: that was raised there.
    """
    done, value, files = pickle.loads(answer)
    if output is not None:
        put_output(output, files)
    if not done:
        raise value
    return value


def told_to_begin(origin: Origin, make: Callable[[Path | None], Any], output: Path | None) -> bytes:
    """The second argument of `Host.begin`."""
    return pickle.dumps((origin, pickle.dumps(make), output is not None))
