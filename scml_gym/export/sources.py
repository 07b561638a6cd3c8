"""The source that some functions need, and nothing else: copied statement by statement into a package of its own.

A name at the top of a module is reached if a statement that is reached reads it; then the statements are copied that
bind it, and those that change it (``NAME.register(...)``, ``NAME[...] = ...``). What a statement reads is what its own
code reads: annotations, which are not evaluated, do not count. Texts ``"module:Name"`` count as reads.

The copies are the statements as they were written, comments included. Only imports are written anew, as relative ones,
so that the package can stand anywhere under any name.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scml_gym.core.errors import InputError
from scml_gym.export.parsing import Import, Source, Statement, imported, is_own, own_text, parse, read_source, run_nodes

ALLOWED = ("numpy", "scml", "negmas", "gymnasium")
"""Packages that a submission may import: scml brings the others along."""


@dataclass
class Reached:
    """What of a module is reached: names that it imports, and statements by their index."""

    imports: set[str] = field(default_factory=set)
    statements: set[int] = field(default_factory=set)


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
        files[_file_of(source)] = _write(source, part)
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
            sources[module] = read_source(module, whence)
        source, part = sources[module], reached.setdefault(module, Reached())
        if name and name not in source.bound:
            raise InputError(f"{whence} needs {name!r} of {module}, which has it only as it runs: it cannot be copied")
        for one in [name] if name else source.bound:
            todo += [(m, n, module) for m, n in _take(source, one, part)]
    return reached


def _take(source: Source, name: str, part: Reached) -> Iterator[tuple[str, str]]:
    """Note what a module must have for one of its names, and give what that needs in turn: modules and names.

    Raises:
        InputError: if it is of a package that a submission does without.
    """
    target = source.imports.get(name)
    if target is not None:
        part.imports.add(name)
        if is_own(target.module):
            if target.name:
                yield target.module, target.name
        else:
            check_package(target.module, f"{source.name} ({source.path})")
    for i, statement in enumerate(source.statements):
        if i not in part.statements and name in statement.binds | statement.changes:
            part.statements.add(i)
            yield from _needs(source, statement)


def _needs(source: Source, statement: Statement) -> Iterator[tuple[str, str]]:
    """Module and name of all that a statement reads."""
    for name in statement.reads & source.bound:
        yield source.name, name
        target = source.imports.get(name)
        if target is not None and not target.name and is_own(target.module):
            yield from ((target.module, read) for read in _attributes(statement.node, name))
    for node in run_nodes(statement.node):
        if isinstance(node, ast.ImportFrom):
            for target in imported(node, source.package).values():
                if is_own(target.module):
                    yield target.module, target.name
        elif isinstance(node, ast.Import) and any(is_own(alias.name) for alias in node.names):
            raise InputError(f"{source.path}:{node.lineno}: cannot be copied; valid within a function: from .. import")
        elif (text := own_text(node)) is not None:
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


def check_package(module: str, whence: str) -> None:
    """Refuse what a submission does without.

    Args:
        module: That is imported and not copied.
        whence: Who imports it, for the message.

    Raises:
        InputError: if it is neither Python's own nor among `ALLOWED`.
    """
    top = module.partition(".")[0]
    if top not in sys.stdlib_module_names and top not in ALLOWED:
        raise InputError(f"cannot be exported: {whence} imports {module!r}: a submission has scml and NumPy alone")


def _file_of(source: Source) -> str:
    path = Path(*source.name.split("."))
    is_package = source.path.name == "__init__.py"
    return (path / "__init__.py" if is_package else path.with_suffix(".py")).as_posix()


def _up(source: Source) -> str:
    """The dots that lead from a module to the package that all copies are in."""
    return "." * (len(source.name.split(".")) + (source.path.name == "__init__.py"))


def _import_lines(source: Source, targets: Mapping[str, Import]) -> list[str]:
    """Imports written anew, one line for each module; of what is copied as relative ones, which come last."""
    names: dict[tuple[bool, str], list[str]] = {}
    plain = []
    for name, target in targets.items():
        own = is_own(target.module)
        if not own and not target.name:
            rename = "" if name == target.module.partition(".")[0] else f" as {name}"
            plain.append(f"import {target.module}{rename}")
            continue
        parent, _, child = target.module.rpartition(".")
        module, last = (target.module, target.name) if target.name else (parent, child)
        rename = "" if name == last else f" as {name}"
        names.setdefault((own, f"{_up(source)}{module}" if own else module), []).append(f"{last}{rename}")
    lines = [f"from {module} import {', '.join(sorted(names[own, module]))}" for own, module in sorted(names)]
    return sorted(plain) + lines


def _write(source: Source, part: Reached) -> str:
    """The copy of a module."""
    lines = [line.encode() for line in source.text.split("\n")]
    for i in part.statements:
        _rewrite(source, source.statements[i].node, lines)
    blocks = [source.doc] if source.doc else []
    if source.future:
        blocks.append("from __future__ import annotations")
    targets = {name: source.imports[name] for name in part.imports}
    blocks += ["\n".join(_import_lines(source, targets))] if targets else []
    text = "\n\n".join(blocks)
    last = 0
    for i in sorted(part.statements):
        statement = source.statements[i]
        kept = b"\n".join(lines[statement.first - 1 : statement.last]).decode()
        small = not isinstance(statement.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        text += "\n" * (1 if small and statement.first == last + 1 else 2 if small else 3) + kept
        last = statement.last
    return text + "\n"


def _rewrite(source: Source, statement: ast.AST, lines: list[bytes]) -> None:
    """Write the imports and the texts ``"module:Name"`` in a statement anew, in place, from its end on."""
    changes = []
    for node in ast.walk(statement):
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            changes.append((node, "pass"))  # it stands at the top
        elif isinstance(node, ast.ImportFrom):
            found = imported(node, source.package)
            if any(is_own(target.module) for target in found.values()):
                changes.append((node, "; ".join(_import_lines(source, found))))
        elif isinstance(node, ast.Constant) and (text := own_text(node)) is not None:
            changes.append((node, f'__name__.removesuffix("{source.name}") + "{text}"'))
    for node, new in sorted(changes, key=lambda change: (change[0].lineno, change[0].col_offset), reverse=True):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        lines[first] = lines[first][: node.col_offset] + new.encode() + lines[last][node.end_col_offset :]
        lines[first + 1 : last + 1] = [b""] * (last - first)
