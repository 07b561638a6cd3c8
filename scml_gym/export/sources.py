"""The source that some functions need, and nothing else: copied statement by statement into a package of its own.

A name at the top of a module is reached if a statement that is reached reads it; then the statements are copied that
bind it, and those that change it (``NAME.register(...)``, ``NAME[...] = ...``). What a statement reads is what its own
code reads: annotations, which are not evaluated, do not count. Texts ``"module:Name"`` count as reads.

The copies are the statements as they were written, comments included. Only imports are written anew, as relative ones,
so that the package can stand anywhere under any name.
"""

from __future__ import annotations

import __future__

import ast
import dis
import functools
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

from scml_gym.core.errors import InputError
from scml_gym.jit.sources import is_installed, module_file, package_of

ALLOWED = ("numpy", "scml", "negmas", "gymnasium")
"""Packages that a submission may import: scml brings the others along."""

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
    """A statement at the top of a module.

    Attributes:
        node: Its syntax.
        first, last: Its lines, from 1, with the comments before it and the text that says what it is after it.
        binds: Names that it gives a value.
        changes: Names whose value it changes.
        reads: Names of the module that its code reads.
    """

    node: ast.stmt
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


@dataclass
class Reached:
    """What of a module is reached: names that it imports, and statements by their index."""

    imports: set[str] = field(default_factory=set)
    statements: set[int] = field(default_factory=set)


def is_own(module: str) -> bool:
    """Whether a module's source is copied: it is of this package, or no installed one."""
    ours = module.partition(".")[0] in ("scml_gym", "agents")
    return (ours or not is_installed(module)) and module_file(module) is not None


def copy_sources(paths: list[str], modules: Mapping[str, str]) -> dict[str, str]:
    """The files of a package that has all that some names need.

    Args:
        paths: Names, as ``"module:Name"``, of this package or the user's own.
        modules: Further modules, by name, whose whole source is given.

    Returns:
        Path in the package -> content. The module ``a.b`` is ``a/b.py``.

    Raises:
        InputError: if a part cannot be copied, saying which: it is in no file, or imports another package.
    """
    sources = {name: parse(name, Path(f"{name}.py"), text) for name, text in modules.items()}
    reached = _reach(paths, sources)
    for name in modules:
        assert name in reached, f"nothing reads {name}"
    files = {}
    for name, part in reached.items():
        source = sources[name]
        files[_file_of(source)] = _write(source, part, sources)
    for name in list(files):
        for folder in Path(name).parents:
            files.setdefault((folder / "__init__.py").as_posix(), "")
    return files


def _reach(paths: list[str], sources: dict[str, Source]) -> dict[str, Reached]:
    """What of which module is reached; sources that are read for it are added."""
    reached: dict[str, Reached] = {}
    todo = [(path.partition(":")[0], path.partition(":")[2], path) for path in paths]
    done = set()
    while todo:
        module, name, whence = todo.pop()
        if (module, name) in done:
            continue
        done.add((module, name))
        if module not in sources:
            sources[module] = _read(module, whence)
        source, part = sources[module], reached.setdefault(module, Reached())
        for name in source.bound if not name else [name]:
            if name in source.imports:
                part.imports.add(name)
                target = source.imports[name]
                if is_own(target.module) or target.module in sources:
                    if target.name:
                        todo.append((target.module, target.name, module))
                elif not _is_allowed(target.module):
                    raise InputError(
                        f"{module} ({source.path}) imports {target.module!r}: a submission has scml and NumPy alone"
                    )
                continue
            for i, statement in enumerate(source.statements):
                if i not in part.statements and name in statement.binds | statement.changes:
                    part.statements.add(i)
                    todo += [(m, n, module) for m, n in _needs(source, statement)]
    return reached


def _needs(source: Source, statement: Statement) -> Iterator[tuple[str, str]]:
    """Module and name of all that a statement reads."""
    for name in statement.reads & source.bound:
        yield source.name, name
        target = source.imports.get(name)
        if target is not None and not target.name and is_own(target.module):
            yield from ((target.module, read) for read in _attributes(statement.node, name))
    for node in ast.walk(statement.node):
        if isinstance(node, ast.ImportFrom):
            for target in _imported(node, source.package).values():
                if is_own(target.module):
                    yield target.module, target.name
        elif isinstance(node, ast.Import) and any(is_own(alias.name) for alias in node.names):
            raise InputError(f"{source.path}:{node.lineno}: cannot be copied; valid within a function: from .. import")
        elif (text := _own_text(node)) is not None:
            module, _, name = text.partition(":")
            yield module, name


def _attributes(node: ast.AST, name: str) -> list[str]:
    """What is read of an imported module: attributes, or all (an empty name) where it is read itself."""
    reads = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == name]
    found = [
        n.attr
        for n in ast.walk(node)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == name
    ]
    return found if len(found) == len(reads) else [""]


def _own_text(node: ast.AST) -> str | None:
    """The text ``"module:Name"`` of a module that is copied."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _TEXT.fullmatch(node.value):
        module, _, name = node.value.partition(":")
        if is_own(module) and name in _read(module, node.value).bound:
            return node.value
    return None


@functools.cache
def _read(module: str, whence: str) -> Source:
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
    lines = text.splitlines()
    if ast.get_docstring(tree, clean=False) is not None:
        doc = "\n".join(lines[body[0].lineno - 1 : body[0].end_lineno])
        body = body[1:]
    for i, node in enumerate(body):
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            future = True
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imports |= _imported(node, package)
        elif not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")) and not _is_text(node):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            while first > 1 and lines[first - 2].startswith("#"):
                first -= 1
            told = body[i + 1] if i + 1 < len(body) and _is_text(body[i + 1]) else node
            binds, changes = _effects(node)
            reads = frozenset(_globals_of(node, future))
            statements.append(Statement(node, first, told.end_lineno or told.lineno, binds, changes, reads))
    return Source(name, path, text, doc, package, future, imports, tuple(statements))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imported(node: ast.Import | ast.ImportFrom, package: str) -> dict[str, Import]:
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


def _effects(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
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


def _globals_of(node: ast.stmt, future: bool) -> Iterator[str]:
    """Names that the code of a statement reads from its module."""
    flags = __future__.annotations.compiler_flag if future else 0
    codes: list[CodeType] = [compile(ast.Module([node], []), "<statement>", "exec", flags, dont_inherit=True)]
    while codes:
        code = codes.pop()
        yield from (i.argval for i in dis.get_instructions(code) if i.opname in _READS)
        codes += [c for c in code.co_consts if isinstance(c, CodeType)]


def _is_allowed(module: str) -> bool:
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or top in ALLOWED


def _file_of(source: Source) -> str:
    path = Path(*source.name.split("."))
    is_package = source.path.name == "__init__.py"
    return (path / "__init__.py" if is_package else path.with_suffix(".py")).as_posix()


def _up(source: Source) -> str:
    """The dots that lead from a module to the package that all copies are in."""
    return "." * (len(source.name.split(".")) + (source.path.name == "__init__.py"))


def _import_lines(source: Source, targets: Mapping[str, Import], copied: Mapping[str, Source]) -> list[str]:
    """Imports written anew, one line for each module; of what is copied as relative ones, which come last."""
    names: dict[tuple[bool, str], list[str]] = {}
    plain = []
    for name, target in targets.items():
        own = target.module in copied or is_own(target.module)
        if not own and not target.name:
            rename = "" if name == target.module.partition(".")[0] else f" as {name}"
            plain.append(f"import {target.module}{rename}")
            continue
        module, last = (target.module, target.name) if target.name else target.module.rsplit(".", 1)
        rename = "" if name == last else f" as {name}"
        names.setdefault((own, f"{_up(source)}{module}" if own else module), []).append(f"{last}{rename}")
    lines = [f"from {module} import {', '.join(sorted(names[own, module]))}" for own, module in sorted(names)]
    return sorted(plain) + lines


def _write(source: Source, part: Reached, copied: Mapping[str, Source]) -> str:
    """The copy of a module."""
    lines = [line.encode() for line in source.text.splitlines()]
    for i in part.statements:
        _rewrite(source, source.statements[i].node, lines, copied)
    blocks = [source.doc] if source.doc else []
    if source.future:
        blocks.append("from __future__ import annotations")
    targets = {name: source.imports[name] for name in part.imports}
    blocks += ["\n".join(_import_lines(source, targets, copied))] if targets else []
    text = "\n\n".join(blocks)
    last = 0
    for i in sorted(part.statements):
        statement = source.statements[i]
        kept = b"\n".join(lines[statement.first - 1 : statement.last]).decode()
        small = not isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        text += "\n" * (1 if small and statement.first == last + 1 else 2 if small else 3) + kept
        last = statement.last
    return text + "\n"


def _rewrite(source: Source, statement: ast.stmt, lines: list[bytes], copied: Mapping[str, Source]) -> None:
    """Write the imports and the texts ``"module:Name"`` in a statement anew, in place, from its end on."""
    changes = []
    for node in ast.walk(statement):
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            found = _imported(node, source.package)
            if any(is_own(target.module) for target in found.values()):
                changes.append((node, "; ".join(_import_lines(source, found, copied))))
        elif isinstance(node, ast.Constant) and (text := _own_text(node)) is not None:
            changes.append((node, f'__name__.removesuffix("{source.name}") + "{text}"'))
    for node, new in sorted(changes, key=lambda change: (change[0].lineno, change[0].col_offset), reverse=True):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        lines[first] = lines[first][: node.col_offset] + new.encode() + lines[last][node.end_col_offset :]
        lines[first + 1 : last + 1] = [b""] * (last - first)
