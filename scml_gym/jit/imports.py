"""What files of Python import, and what is known of that on disk, by the files' content.

To parse all modules that an environment reaches takes a fifth of the time in which a process makes its first one.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from scml_gym.core.files import replace_file
from scml_gym.jit.folder import code_folder, is_private

MOST_FILES = 10_000
"""Of which something is kept; where there would be more, it begins anew."""

_found: dict[str, tuple[str, ...]] = {}
"""Digest -> imports, of files that this process has parsed."""


def imports_of(source: bytes, digest: str) -> tuple[str, ...]:
    """Full names of the modules, or of the names in modules, that a file imports; relative ones with dots before them.

    Imports below ``if TYPE_CHECKING:`` do not count.

    Args:
        source: The file's content.
        digest: Of it.
    """
    known = _known().get(digest) or _found.get(digest)
    if known is None:
        try:
            known = tuple(sorted(set(_imports(ast.parse(source).body))))
        except (SyntaxError, ValueError):  # it can be reached without ever being imported
            known = ()
        _found[digest] = known
    return known


def keep_imports() -> None:
    """Keep on disk what was found since the last time."""
    place = _place()
    if place is None or _found.keys() <= _known().keys():
        return
    kept = _read(place)  # other processes have kept something meanwhile
    kept = _found if len(kept) + len(_found) > MOST_FILES else kept | _found
    with contextlib.suppress(OSError):  # who keeps code there says so
        replace_file(place, json.dumps(kept))
    _known().update(_found)


@functools.cache
def _known() -> dict[str, tuple[str, ...]]:
    place = _place()
    return {} if place is None else _read(place)


@functools.cache
def _place() -> Path | None:
    """The file, one for each state of this module."""
    folder = code_folder()
    state = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    return folder and folder / f"imports-{state}.json"


def _read(place: Path) -> dict[str, tuple[str, ...]]:
    """What was kept; nothing where the file is damaged, or others could have written it."""
    try:
        with place.open("rb") as file:
            content = json.loads(file.read()) if is_private(os.fstat(file.fileno())) else {}
        return {digest: tuple(map(str, names)) for digest, names in content.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _imports(body: list[ast.stmt]) -> Iterator[str]:
    """What statements import, as full names; relative ones with their dots before them."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from (f"{base}.{alias.name}" if node.module else base + alias.name for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            yield from _imports(node.orelse)
        else:
            for part in ("body", "orelse", "finalbody", "handlers", "cases"):
                inner = getattr(node, part, None)
                if isinstance(inner, list):
                    yield from _imports(inner)
