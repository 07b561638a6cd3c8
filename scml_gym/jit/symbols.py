"""Names under which compiled functions find others that are compiled separately (`scml_gym.jit.compile.separate`).

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
