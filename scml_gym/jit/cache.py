"""Compiled code on disk: a file for each function, argument types, state of its source, and machine.

The key of a file is what the function is and holds, all source that it depends on (`scml_gym.jit.sources`), the
argument types, the versions of Numba, llvmlite, NumPy and Python, and the processor. States of the source share the
folder. Code is linked by name, and a file holds its own copy of what it calls. A process finds only files whose whole
source is what it runs, so two functions of one name in it are the same (`told_apart` gives closures their own names).

What is kept are pickles and machine code, so it is read only where nobody else can have written it: the folder and its
files must belong to the user and be writable by nobody else. A damaged file is thrown away and its function compiled.

The folder is ``scml_gym`` in ``SCML_GYM_CACHE_DIR``, else in ``XDG_CACHE_HOME``, else in ``~/.cache``. It holds at most
`MOST_BYTES`: when something new is kept, what was used longest ago goes first.

Of several processes that need the same code, one compiles it while the others wait, for at most `PATIENCE` seconds. The
lock is the system's, so a process that is killed frees it. Where the file system has no locks, each compiles.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import pickle
import platform
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any, TextIO, TypeVar

import numpy as np

from scml_gym.core.files import replace_file
from scml_gym.jit.folder import code_folder, is_private, warn
from scml_gym.jit.sources import identity, source_digest
from scml_gym.jit.symbols import can_be_kept, link, references_of

Function = TypeVar("Function", bound=Callable[..., Any])

MOST_BYTES = 2**30
"""Of the files in the folder."""

PATIENCE = 300.0
"""How long a process waits for another one that compiles the same, in seconds."""

_POLL = 0.05
_HOUR = 3600.0
_CHECK = 32  # bytes of the digest that a file starts with


def told_apart(function: Function) -> Function:
    """The function; one within another, or without a name, under a name that also says what it holds.

    Machine code is linked by name. Numba numbers functions of one name, but from 1 in every process, so that code which
    two processes have kept would call each other's closures.
    """
    plain: Any = function
    if isinstance(plain, FunctionType) and "<" in plain.__qualname__:
        digest = hashlib.sha256(identity(plain).encode()).hexdigest()[:16]
        plain.__qualname__ = f"{plain.__code__.co_qualname}_{digest}"
    return function


class CodeCache:
    """The code of one function on disk, as Numba's dispatchers and C callbacks ask for it (``numba.core.caching``).

    Numba looks here, compiles what is not there and brings it, all under one lock of its own. In between this holds the
    file's lock, and `give_up` frees it when the compilation fails.

    Args:
        function: Plain.
        options: How Numba compiles it: one function may be compiled in several ways.
    """

    def __init__(self, function: Callable[..., Any], options: Mapping[str, Any]):
        self._function, self._options = function, sorted(options.items())
        self._enabled = True
        self._pending: list[tuple[Path | None, TextIO | None]] = []  # compilations may be nested

    @property
    def cache_path(self) -> str | None:
        """The folder; None where nothing is kept."""
        folder = code_folder() if source_digest(self._function) else None
        return None if folder is None else str(folder)

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        """The code for these argument types; None if it must be compiled."""
        target_context.refresh()
        path = self._path(signature, target_context.codegen())
        code = _linked(path)
        if code is None:
            lock = _lock(path)
            code = _linked(path)  # meanwhile another process may have brought it
            if code is None:
                self._pending.append((path, lock))
                return None
            _unlock(path, lock)
        from numba.core.compiler import CompileResult

        return CompileResult._rebuild(target_context, *code)

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep what was compiled."""
        path, lock = self._pending.pop()
        try:
            if path is not None and self._can_be_kept(result):
                references = references_of(result.library)
                if can_be_kept(references):
                    _write(path, (references, result._reduce()))
        finally:
            _unlock(path, lock)

    def give_up(self) -> None:
        """What was to be compiled does not compile."""
        _unlock(*self._pending.pop())

    def enable(self) -> None:
        """As it is from the start."""
        self._enabled = True

    def disable(self) -> None:
        """Nothing is kept from now on, and nothing taken."""
        self._enabled = False

    def flush(self) -> None:
        """Compiled again is what was changed, and else nothing; so nothing is thrown away."""

    def _path(self, signature: Any, codegen: Any) -> Path | None:
        """The file; None where the code cannot be kept."""
        source, folder = source_digest(self._function), code_folder()
        # a borrowed array has the repr of an ordinary one and a name of its own, which only str shows
        key = repr((identity(self._function), self._options, source, signature, str(signature), *_names(signature)))
        key += repr((*_versions(), codegen.magic_tuple()))
        if not self._enabled or source is None or folder is None:
            return None
        if " at 0x" in key:  # an address, which is another thing in the next process
            return None
        name = self._function.__qualname__.replace("<locals>.", "")[:100]
        return folder / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:32]}.nbc"

    def _can_be_kept(self, result: Any) -> bool:
        if not (result.library.has_dynamic_globals or any(not part.can_cache for part in result.lifted)):
            return True
        from numba.core.errors import NumbaWarning

        text = (
            f"{self._function.__qualname__} is compiled in every process: it holds addresses, large arrays or objects"
        )
        warnings.warn(text, NumbaWarning, stacklevel=2)
        return False


def _names(signature: Any) -> tuple[str, ...]:
    """Of the argument types; a signature is a tuple of them or knows them as ``args``."""
    return tuple(map(str, getattr(signature, "args", signature)))


@functools.cache
def _versions() -> tuple[str, ...]:
    import llvmlite
    import numba

    python = f"{sys.implementation.cache_tag} {platform.python_version()}"
    return numba.__version__, llvmlite.__version__, np.__version__, python


@functools.cache
def _warn_of_writing(folder: Path, reason: str | None) -> None:
    """Once a process and reason: a disk that is full is so for all that is compiled."""
    warn(f"{folder} cannot be written ({reason})")


def _read(path: Path | None) -> Any:
    """What `_write` kept; None if there is nothing, or it is damaged."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            state, data = os.fstat(file.fileno()), file.read()
        if not is_private(state):
            return None
        if time.time() - state.st_mtime > _HOUR:
            with contextlib.suppress(OSError):
                os.utime(path)  # used now
    except OSError:
        return None
    try:
        if hashlib.sha256(data[_CHECK:]).digest() == data[:_CHECK]:
            return pickle.loads(data[_CHECK:])
    except Exception:  # it is whole, and of something else
        pass
    with contextlib.suppress(OSError):
        path.unlink()
    return None


def _linked(path: Path | None) -> Any:
    """The code that was kept, once all is linked that it calls by name; None as `_read`."""
    references, code = _read(path) or ((), None)
    for reference in references:
        link(reference)
    return code


def _write(path: Path, code: Any) -> None:
    from numba.core.serialize import dumps

    data = dumps(code)
    try:
        replace_file(path, hashlib.sha256(data).digest() + data)
        _make_room(path.parent)
    except OSError as error:
        _warn_of_writing(path.parent, error.strerror)


@functools.cache
def _make_room(folder: Path) -> None:
    """Remove what was used longest ago, once in a process; files of earlier versions and of killed processes too."""
    files = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # another process removes too
            state = path.lstat()
            if path.is_file() and ".nbc" in path.name:
                files.append((state.st_mtime, state.st_size, path))
    left = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if left <= MOST_BYTES:
            break
        with contextlib.suppress(OSError):
            path.unlink()
        left -= size


def _lock(path: Path | None) -> TextIO | None:
    """Wait for the lock of a file that is to be written; None where there are no locks, or the wait is too long."""
    if path is None:
        return None
    try:
        import fcntl
    except ImportError:
        return None
    try:
        file = path.with_suffix(".nbc.lock").open("w")
    except OSError:
        return None
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            # of the process: a child that was forked meanwhile does not hold it
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                _unlock(path, file)
                return None
        _say_waiting()
        time.sleep(_POLL)  # a file that is not returned is closed with its last name
    file.close()
    return None


@functools.cache
def _say_waiting() -> None:
    print("scml_gym: waiting for another process that compiles the same", file=sys.stderr)


def _unlock(path: Path | None, lock: TextIO | None) -> None:
    """Free a lock. Its file goes first: who waits for it looks for the code again in any case."""
    if path is not None and lock is not None:
        with contextlib.suppress(OSError):
            path.with_suffix(".nbc.lock").unlink(missing_ok=True)
        lock.close()
