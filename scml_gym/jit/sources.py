"""What the source of a function is: the modules that it reaches by imports, and what it holds as a closure.

A compiled function has the constants of other modules in its machine code. So every module counts that its own module
reaches by imports, directly or through others, whether that compiles anything or not, and wherever in a file the import
stands. Imports below ``if TYPE_CHECKING:`` do not count. Installed packages do not count either, except the function's
own and this one.

``import a.b`` and ``from a import b`` reach the module ``a.b``, not the file of the package ``a``, unless ``b`` is a
name in that file. An import by a text (`importlib.import_module`) is not seen; a function that was got so counts once
another holds it as a closure.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import inspect
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scml_gym.jit.imports import imports_of, keep_imports

STARTED = time.time()
"""About when this process read its modules: a file that was changed later is not what it runs."""

_OWN = __name__.partition(".")[0]


class Module(NamedTuple):
    """A module's file.

    Attributes:
        digest: Of the file's content.
        imports: Full names of the modules, or of the names in modules, that it imports.
        changed: Whether the file was changed since this process started.
    """

    digest: str
    imports: tuple[str, ...]
    changed: bool


def source_digest(function: Callable[..., Any]) -> str | None:
    """A digest of all source that the machine code of a function can depend on.

    Args:
        function: Plain, or compiled by Numba.

    Returns:
        The digest; None where a part of the source is not in a file (a prompt, ``exec``), or was changed since
        this process started, so that nobody knows which state it runs.
    """
    functions = list(held_functions(function))
    codes = [getattr(f, "__code__", None) for f in functions]
    if any(code is not None and code.co_filename.startswith("<") for code in codes):
        return None
    return _digest(frozenset(map(_module_of, functions)))


def source_files(function: Callable[..., Any]) -> frozenset[Path]:
    """The files that `source_digest` reads."""
    return _reached(frozenset(map(_module_of, held_functions(function))))


@functools.cache
def _digest(names: frozenset[str]) -> str | None:
    if any(module_file(name) is None and not is_installed(name) for name in names):
        return None
    modules = [read_module(path) for path in _reached(names)]
    keep_imports()
    if any(module.changed for module in modules):
        return None
    return hashlib.sha256(" ".join(sorted(module.digest for module in modules)).encode()).hexdigest()


@functools.cache
def _reached(names: frozenset[str]) -> frozenset[Path]:
    """The files of some modules and of all that these reach."""
    own = {_OWN, *(name.partition(".")[0] for name in names)}
    open_names, seen, files = list(names), set(names), set()
    while open_names:
        name = open_names.pop()
        if is_installed(name) and name.partition(".")[0] not in own:
            continue
        path = module_file(name)
        if path is None or path in files:
            continue
        files.add(path)
        for imported in _imported_modules(path, package_of(name, path)):
            if imported not in seen:
                seen.add(imported)
                open_names.append(imported)
    return frozenset(files)


@functools.cache
def _imported_modules(path: Path, package: str) -> frozenset[str]:
    """The modules that a file in a package imports."""
    found = set()
    for name in read_module(path).imports:
        if name.startswith("."):
            try:
                name = importlib.util.resolve_name(name, package)
            except ImportError:
                continue
        module, _, last = name.rpartition(".")
        found.add(name if last != "*" and (not module or module_file(name) is not None) else module)
    return frozenset(found)


@functools.cache
def read_module(path: Path) -> Module:
    """Read a file, once in a process."""
    source = path.read_bytes()
    changed = path.stat().st_ctime > STARTED
    digest = hashlib.sha256(source).hexdigest()
    return Module(digest, imports_of(source, digest), changed)


@functools.cache
def module_file(name: str) -> Path | None:
    """The Python file of a module, which need not be imported; None if it has none."""
    top, _, rest = name.partition(".")
    if top in sys.stdlib_module_names:
        return None
    if top in ("__main__", "__mp_main__"):
        file = getattr(sys.modules.get(top), "__file__", None)
        return Path(file).resolve() if file and not rest and Path(file).is_file() else None
    if top == _OWN and rest:  # whose packages may stand elsewhere, see pyproject.toml
        second, _, rest = rest.partition(".")
        top = f"{top}.{second}"
    for place in _places(top):
        base = place.joinpath(*rest.split(".")) if rest else place
        for path in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None


@functools.cache
def _places(module: str) -> tuple[Path, ...]:
    """The folders, and for a single file the path without its ending, where a module stands whose package is known."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        file = getattr(sys.modules.get(module), "__file__", None)
        return (Path(file).resolve().with_suffix(""),) if file else ()
    if spec.submodule_search_locations is not None:
        return tuple(Path(place).resolve() for place in spec.submodule_search_locations)
    return (Path(spec.origin).resolve().with_suffix(""),) if spec.has_location and spec.origin else ()


@functools.cache
def is_installed(name: str) -> bool:
    """Whether a module is of the standard library or of an installed package."""
    top = name.partition(".")[0]
    if top in ("__main__", "__mp_main__"):
        return False
    if top in sys.stdlib_module_names:
        return True
    return any({"site-packages", "dist-packages"} & set(place.parts) for place in _places(top))


def package_of(name: str, path: Path) -> str:
    """The package that relative imports in a module start from."""
    if name in ("__main__", "__mp_main__"):
        return getattr(sys.modules[name], "__package__", None) or ""
    return name if path.name == "__init__.py" else name.rpartition(".")[0]


def held_functions(value: Any) -> Iterator[Callable[..., Any]]:
    """A function, or those in a tuple, and all functions that it and these hold as closures or defaults."""
    seen: set[int] = set()
    open_values = [value]
    while open_values:
        value = open_values.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, tuple):
            open_values += value
        elif callable(value):
            function = inspect.unwrap(value)
            seen.add(id(function))
            yield function
            open_values += _held(function)


def identity(value: Any, outer: tuple[int, ...] = ()) -> str:
    """What tells a function from others in one state of the source: its name, where it stands, and what it holds.

    Two processes give the same text; texts with ``" at 0x"`` hold something that cannot be told so.

    Args:
        value: A function, or what one holds.
        outer: For the functions that hold it, of which one may be this.
    """
    if isinstance(value, np.ndarray):
        return f"array {value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, tuple):
        return f"{type(value).__qualname__}({', '.join(identity(part, outer) for part in value)})"
    if not callable(value):
        return repr(value)
    function = inspect.unwrap(value)
    if id(function) in outer:
        return "itself"
    outer = (*outer, id(function))
    code = getattr(function, "__code__", None)
    if code:  # names may be used twice in a module, and lines by two lambdas
        end = max((line or 0, column or 0) for _, line, _, column in code.co_positions())
        name = f"{code.co_qualname}:{code.co_firstlineno}:{end}"
    else:
        name = getattr(function, "__qualname__", repr(function))
    return f"{_module_of(function)}.{name}({', '.join(identity(held, outer) for held in _held(function))})"


def _module_of(function: Any) -> str:
    return getattr(function, "__module__", None) or type(function).__module__


def _held(function: Any) -> list[Any]:
    """What a function holds: its closure, without what is not yet there, and its defaults."""
    held = []
    for cell in getattr(function, "__closure__", None) or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:  # of a function that calls itself, before it has its name
            held.append("itself")
    keywords = getattr(function, "__kwdefaults__", None) or {}
    return [*held, *(getattr(function, "__defaults__", None) or ()), *itertools.chain(*sorted(keywords.items()))]
