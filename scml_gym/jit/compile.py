"""Compilation: what is written once in Python and also runs as machine code, where Numba is installed.

- ``@jittable`` marks a plain function that compiled code may call; called from Python it stays plain Python.
- ``@compiled`` makes a function that is compiled at its first call and kept on disk.

Without Numba both leave functions as they are: everything but the compiled world works, more slowly.

Compiled code is kept under ``SCML_GYM_CACHE_DIR``, by default the user's cache folder, in a folder of its own for each
state of this package's source, because Numba notices a change of a file only where the changed function itself stands.
Other packages can ask for the same with `keep_compiled`.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file

numba: Any  # its types are incomplete
try:
    import numba
except ImportError:
    numba = None

Function = TypeVar("Function", bound=Callable[..., Any])

PACKAGE = Path(__file__).parents[1]

_SOURCES = {PACKAGE.name: PACKAGE}
"""Name -> folder of the packages whose compiled code is kept."""


def require_numba() -> None:
    """Refuse to go on without a compiler.

    Raises:
        InputError: if Numba is not installed.
    """
    if numba is None:
        raise InputError("backend='compiled' needs Numba (pip install numba); backend='reference' does without")


def jittable(function: Function) -> Function:
    """A plain function that compiled functions may call too: numbers, records and arrays only."""
    if numba is None:
        return function
    return numba.extending.register_jitable(_told_apart(function))


def compiled(function: Function) -> Function:
    """A function compiled at its first call with each combination of argument types, without holding Python's lock."""
    if numba is None:
        return function
    return _with_cache(lambda cache: numba.njit(cache=cache, nogil=True)(function), _told_apart(function))


def compiled_callback(function: Callable[..., Any], signature: Any) -> Any:
    """A function compiled now as a C callback; its ``address`` can be called from compiled code.

    Raises:
        numba.core.errors.NumbaError: if the function does not compile.
    """
    from numba.core.ccallback import CFunc

    def make(cache: bool) -> Any:
        callback = CFunc(function, numba.core.sigutils.normalize_signature(signature), {}, {"nopython": True})
        if cache:
            callback.enable_caching()
        return callback

    # `numba.cfunc` would look for the code before it is told under which name
    callback = _with_cache(make, _told_apart(function))
    callback.compile()
    return callback


def keep_compiled(package: str, folder: Path) -> None:
    """Keep the compiled code of another package on disk too, for each state of its source and this package's.

    Args:
        package: Its name, as ``agents.q_learning``.
        folder: Where its source stands. Its compiled functions may use what stands there, in this package, and in
            installed ones.
    """
    _SOURCES[package] = folder


def _with_cache(make: Callable[[bool], Any], function: Callable[..., Any]) -> Any:
    """Make a compiled function whose code is kept in our folder; Numba asks for the folder when it is made.

    What a user wrote is compiled anew in each process, as the folder does not stand for its source.
    """
    _announce_compilation()
    packages = [_package(f) for f in _functions(function)]
    folder = cache_folder(*sorted({p for p in packages if p is not None}))
    if folder is None or None in packages:
        return make(False)
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        made = make(True)
    finally:
        numba.config.CACHE_DIR = before
    # Numba tells closures apart by a pickle of what they hold, which differs from process to process
    key = numba.__version__, _identity(function)
    made._cache._index_key = lambda signature, codegen: (*key, signature, codegen.magic_tuple())
    made._cache._cache_file = _KeyedFiles(Path(made._cache.cache_path), function.__qualname__)
    return made


class _KeyedFiles:
    """Where a function's compiled code is kept: a file for each key, named by it.

    Numba's own files are numbered, and an index says which is whose; of two processes that compile at once, one can
    overwrite the index or a file of the other, and then the wrong code runs.
    """

    def __init__(self, folder: Path, name: str):
        self._folder, self._name = folder, name

    def save(self, key: tuple[Any, ...], code: Any) -> None:
        """Keep what Numba made."""
        replace_file(self._path(key), numba.core.serialize.dumps((key, code)))

    def load(self, key: tuple[Any, ...]) -> Any:
        """What was kept; None if nothing was."""
        try:
            kept, code = pickle.loads(self._path(key).read_bytes())
        except FileNotFoundError:
            return None
        return code if kept == key else None

    def _path(self, key: tuple[Any, ...]) -> Path:
        return self._folder / f"{self._name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}.nbc"


def _told_apart(function: Function) -> Function:
    """The function; a closure under a name that also says what it holds.

    Machine code is linked by name. Numba numbers functions of one name, but from 1 in every process, so that code which
    two processes have kept would call each other's closures.
    """
    if getattr(function, "__closure__", None):
        digest = hashlib.sha256(_identity(function).encode()).hexdigest()[:16]
        function.__qualname__ = f"{function.__code__.co_qualname}_{digest}"
    return function


def _package(function: Callable[..., Any]) -> str | None:
    """Which of the packages whose code is kept a function stands in."""
    return next((name for name in _SOURCES if f"{function.__module__}.".startswith(f"{name}.")), None)


def _functions(value: Any) -> Iterator[Callable[..., Any]]:
    """A function and all functions that it and these hold as closures."""
    function = getattr(value, "py_func", value)
    if callable(function):
        yield function
        for cell in getattr(function, "__closure__", None) or ():
            yield from _functions(cell.cell_contents)


def _identity(value: Any) -> str:
    """What tells a function from others in this state of the source: its name, and what it holds."""
    if isinstance(value, np.ndarray):
        return f"array {value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    function = getattr(value, "py_func", value)
    if not callable(function):
        return repr(value)
    held = [_identity(cell.cell_contents) for cell in getattr(function, "__closure__", None) or ()]
    name = function.__code__.co_qualname if hasattr(function, "__code__") else function.__qualname__
    return f"{function.__module__}.{name}({', '.join(held)})"


@functools.cache
def cache_folder(*packages: str) -> Path | None:
    """Where compiled code of this state of the source, and of other packages' that keep theirs, is kept; None, after a
    warning, where nothing can be written."""
    root = os.environ.get("SCML_GYM_CACHE_DIR") or Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = Path(root) / "scml_gym" / _source_digest({PACKAGE.name, *packages})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        print(
            f"scml_gym: {folder} cannot be written ({error.strerror}), so code is compiled anew in every process;"
            " give another folder in SCML_GYM_CACHE_DIR",
            file=sys.stderr,
        )
        return None
    return folder


def _source_digest(packages: set[str]) -> str:
    digest = hashlib.sha256()
    for package in sorted(packages):
        for path in sorted(_SOURCES[package].rglob("*.py")):
            digest.update(path.relative_to(_SOURCES[package]).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def _announce_compilation() -> None:
    """Say once in a process that it takes a moment, should something really be compiled (not found on disk)."""
    from numba.core import event

    class Announcement(event.Listener):
        said = False

        def on_start(self, event: Any) -> None:
            """Speak at the first function of a package that keeps its code."""
            function = getattr(event.data.get("dispatcher"), "py_func", None)
            if not self.said and (function is None or _package(function) is not None):
                self.said = True
                kept = "once for this version" if cache_folder() else "in this process"
                print(f"scml_gym: compiling, {kept}; this takes up to a minute", file=sys.stderr)

        def on_end(self, event: Any) -> None:
            """Nothing to say."""

    event.register("numba:compile", Announcement())
