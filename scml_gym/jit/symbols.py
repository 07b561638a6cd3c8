"""Names under which compiled functions find others that are compiled separately (`scml_gym.jit.separate.separate`).

Machine code holds such a name, and not an address, so that it can be kept on disk: whoever takes it from there links
the names first.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

_PREFIX = "scml_gym."


class Reference(NamedTuple):
    """A function for some argument types: its name in `FUNCTIONS`, and those types."""

    function: str
    kinds: tuple[Any, ...]


class Linked(NamedTuple):
    """Where machine code finds a function: its symbol, and what Numba made for the argument types."""

    symbol: str
    result: Any


FUNCTIONS: dict[str, Any] = {}
"""Name -> function that is compiled separately, of this process."""

_references: dict[str, Reference] = {}


def register(name: str, function: Any) -> str:
    """Make a function known, as Numba has made it, and return the name that it has got.

    One that is defined anew, as in a notebook's cell that is run again, must not be taken for the one before: it gets a
    number, of this process, and callers of it are not kept on disk.
    """
    known, number = name, 1
    while known in FUNCTIONS and FUNCTIONS[known].py_func.__code__ != function.py_func.__code__:
        number += 1
        known = f"{name}#{number}"
    FUNCTIONS[known] = function
    return known


def can_be_kept(references: list[Reference]) -> bool:
    """Whether code that calls these functions means the same in another process."""
    return not any("#" in reference.function for reference in references)


def link(reference: Reference) -> Linked:
    """Have a function compiled, or taken from disk, and its symbol known to all machine code of this process.

    Raises:
        numba.core.errors.NumbaError: if it does not compile.
    """
    from llvmlite import binding

    function, kinds = FUNCTIONS[reference.function], reference.kinds
    function.compile(kinds)
    result = function.overloads[kinds]
    # a borrowed array has the repr of an ordinary one and a name of its own, which only str shows
    key = " ".join((reference.function, *map(str, kinds)))
    symbol = _PREFIX + hashlib.sha256(key.encode()).hexdigest()[:32]
    if symbol not in _references:
        binding.add_symbol(symbol, result.library.get_pointer_to_function(result.fndesc.llvm_func_name))
        _references[symbol] = reference
    return Linked(symbol, result)


def references_of(library: Any) -> list[Reference]:
    """The functions that machine code calls by name, for what Numba has just compiled."""
    functions = library._final_module.functions
    return [_references[f.name] for f in functions if f.is_declaration and f.name.startswith(_PREFIX)]
