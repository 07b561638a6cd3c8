"""The options of one compilation, as Numba looks up the implementations of what is called with them.

Numba keeps the implementation of a function for its argument types and for all options of the caller. It compares them
one by one at each call that it types, and makes one implementation for callers that Python calls, another one for
helpers, though no option that tells these apart changes what they call. Here options are compared at once, and such
callers share what they call.
"""

from __future__ import annotations

from typing import Any, Self

from numba.core import compiler


class _Flags(compiler.Flags):
    """Numba's, which are equal to others, and hashed, as those are."""

    _HASH = hash(compiler.Flags())  # it is that of their names

    def __eq__(self, other: object) -> bool:
        return (isinstance(other, _Flags) and self._values == other._values) or super().__eq__(other)

    def __hash__(self) -> int:
        return self._HASH

    def copy(self) -> Self:
        """As those that are called see them: Numba's own implementations have the same."""
        seen = super().copy()
        for name in ("no_cfunc_wrapper", "no_compile", "release_gil"):
            seen.discard(name)
        seen.no_cpython_wrapper = True
        return seen


class Compiler(compiler.Compiler):
    """Numba's pipeline, with such options (``pipeline_class``)."""

    def __init__(
        self, typingctx: Any, targetctx: Any, library: Any, args: Any, return_type: Any, flags: Any, locals: Any
    ):
        super().__init__(typingctx, targetctx, library, args, return_type, _Flags(flags), locals)
