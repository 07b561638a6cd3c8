"""A module's source, taken apart: its statements, with what each of them binds, changes and reads."""

from __future__ import annotations
import __future__

import ast
import dis
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import TypeGuard

from scml_gym.core.errors import InputError
from scml_gym.jit.sources import is_installed, module_file, package_of

STAND_INS: Mapping[str, str] = {"scml_gym.jit.compile": "scml_gym.export.uncompiled"}
"""Modules in place of which others are copied."""

_READS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
_TEXT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Import:
    """A name that a module imports at its top.

    Attributes:
        module: Whose; absolute.
        name: In that module; empty where it is the module itself.
    """

    module: str
    name: str


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a module, or several on one line.

    Attributes:
        node: Its syntax; of what a type checker alone reads and the rest of it, the whole.
        first, last: Its lines, from 1, with the comments before it and the text that says what it is after it.
        binds: Names that it gives a value.
        changes: Names whose value it changes.
        reads: Names of the module that its code reads.
    """

    node: ast.stmt | ast.Module
    first: int
    last: int
    binds: frozenset[str]
    changes: frozenset[str]
    reads: frozenset[str]


@dataclass(frozen=True)
class Source:
    """A module, parsed."""

    name: str
    path: Path
    text: str
    doc: str
    package: str
    future: bool
    imports: Mapping[str, Import]
    statements: tuple[Statement, ...]

    @functools.cached_property
    def bound(self) -> frozenset[str]:
        """All names at its top."""
        return frozenset(self.imports).union(*(s.binds for s in self.statements))


def is_own(module: str) -> bool:
    """Whether a module's source is copied: it is of this package, or no installed one."""
    ours = module.partition(".")[0] in ("scml_gym",)
    return (ours or not is_installed(module)) and module_file(module) is not None


@functools.cache
def read_source(module: str, whence: str) -> Source:
    path = module_file(STAND_INS.get(module, module))
    if path is None:
        raise InputError(f"{whence}: the module {module!r} is in no file, so it cannot be copied")
    return parse(module, path, path.read_text())


def parse(name: str, path: Path, text: str) -> Source:
    """A module's source, taken apart.

    Raises:
        InputError: if it imports in a way that cannot be copied.
    """
    tree = ast.parse(text)
    body, doc, future, imports, statements = tree.body, "", False, {}, []
    package = package_of(name, path)
    lines = text.split("\n")  # as Python counts them; splitlines would split at form feeds too
    if ast.get_docstring(tree, clean=False) is not None:
        doc = "\n".join(lines[body[0].lineno - 1 : body[0].end_lineno])
        body = body[1:]
    groups = _by_line(body)
    for i, group in enumerate(groups):
        for node in group:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                future = True
            elif isinstance(node, ast.Import | ast.ImportFrom):
                imports |= imported(node, package)
        if all(
            isinstance(node, ast.Import | ast.ImportFrom) or _is_text(node) or _is_for_types(node) for node in group
        ):
            continue
        first = min([group[0].lineno, *(d.lineno for d in getattr(group[0], "decorator_list", ()))])
        while first > 1 and lines[first - 2].startswith("#"):
            first -= 1
        following = groups[i + 1] if i + 1 < len(groups) else []
        told = following[0] if len(following) == 1 and _is_text(following[0]) else group[-1]
        node = group[0] if len(group) == 1 else ast.Module(group, [])
        binds, changes = _effects(node)
        reads = frozenset(_globals_of(node, future))
        statements.append(Statement(node, first, told.end_lineno or told.lineno, binds, changes, reads))
    return Source(name, path, text, doc, package, future, imports, tuple(statements))


def _by_line(body: Sequence[ast.stmt]) -> list[list[ast.stmt]]:
    """Statements; those that share a line, as in ``a = 1; b = 2``, together."""
    groups: list[list[ast.stmt]] = []
    for node in body:
        if groups and node.lineno == groups[-1][-1].end_lineno:
            groups[-1].append(node)
        else:
            groups.append([node])
    return groups


def _is_for_types(node: ast.AST) -> bool:
    """Whether only a type checker reads it: ``if TYPE_CHECKING:`` without an ``else``."""
    return checks_types(node) and not node.orelse


def checks_types(node: ast.AST) -> TypeGuard[ast.If]:
    """Whether it begins with ``if TYPE_CHECKING:``, or ``if typing.TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def run_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and all within it that can run."""
    todo = [node]
    while todo:
        part = todo.pop()
        yield part
        todo += [part.test, *part.orelse] if checks_types(part) else ast.iter_child_nodes(part)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def imported(node: ast.Import | ast.ImportFrom, package: str) -> dict[str, Import]:
    """Name here -> what it is imported from."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if "." in alias.name and alias.asname is None and is_own(alias.name):
                raise InputError(f"import {alias.name}: cannot be copied; valid: from .. import ..")
        return {a.asname or a.name.partition(".")[0]: Import(a.name, "") for a in node.names}
    parts = package.split(".")
    base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [node.module])])
    module = base if node.level else node.module or ""
    found = {}
    for alias in node.names:
        if alias.name == "*":
            raise InputError(f"from {module} import *: cannot be copied; valid: names")
        whole = f"{module}.{alias.name}"
        is_module = is_own(module) and module_file(whole) is not None
        found[alias.asname or alias.name] = Import(whole, "") if is_module else Import(module, alias.name)
    return found


def _effects(node: ast.AST) -> tuple[frozenset[str], frozenset[str]]:
    """Names that a statement binds, and those whose value it changes."""
    binds, changes = set(), set()
    todo: list[ast.AST] = [node]
    while todo:
        part = todo.pop()
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            binds.add(part.name)
            continue
        if isinstance(part, ast.Import | ast.ImportFrom):
            binds |= {a.asname or a.name.partition(".")[0] for a in part.names}
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            binds.add(part.id)
        elif isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store):
            changes |= _root(part)
        elif isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
            changes |= _root(part.value.func)
        if not isinstance(part, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            todo += ast.iter_child_nodes(part)
    return frozenset(binds), frozenset(changes)


def _root(node: ast.expr) -> set[str]:
    """The name of which an attribute, an attribute of it, and so on, is meant."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _globals_of(node: ast.stmt | ast.Module, future: bool) -> Iterator[str]:
    """Names that the code of a statement reads from its module."""
    flags = __future__.annotations.compiler_flag if future else 0
    whole = node if isinstance(node, ast.Module) else ast.Module([node], [])
    codes: list[CodeType] = [compile(whole, "<statement>", "exec", flags, dont_inherit=True)]
    while codes:
        code = codes.pop()
        yield from (i.argval for i in dis.get_instructions(code) if i.opname in _READS)
        codes += [c for c in code.co_consts if isinstance(c, CodeType)]


def own_text(node: ast.AST) -> str | None:
    """The text ``"module:Name"`` of a module that is copied."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _TEXT.fullmatch(node.value):
        module, _, name = node.value.partition(":")
        if is_own(module) and name in read_source(module, node.value).bound:
            return node.value
    return None
