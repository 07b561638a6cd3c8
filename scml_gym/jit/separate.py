"""Separate compilation: functions that compiled code calls by name, and does not hold.

Numba puts a copy of what a function calls into its machine code and optimises it there again, and so on through all
that call that one. A function that does much need not be copied: it is compiled once for all of its callers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from scml_gym.jit.compile import compiled_inside, numba
from scml_gym.jit.symbols import Reference, link, register


@functools.cache
def separate(function: Callable[..., Any]) -> Any:
    """A function that is compiled once for all that call it; in compiled code only.

    Its callers lend it their arrays, which are in C order. An exception that leaves it comes out of them. Without Numba
    it stays as it is.
    """
    if numba is None:
        return function
    from numba import types
    from numba.core import cgutils
    from numba.core.imputils import fix_returning_optional
    from numba.extending import intrinsic

    from scml_gym.jit.arrays import borrowed_type, lend

    made = function if hasattr(function, "overloads") else compiled_inside(function)
    name = register(f"{function.__module__}.{function.__qualname__}", made)

    def call(typing_context: Any, *arguments: Any) -> Any:
        given = types.StarArgTuple(tuple(map(types.unliteral, arguments)))
        lent = borrowed_type(given)
        symbol, result = link(Reference(name, tuple(lent)))
        called = result.signature

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kind = context.call_conv.get_function_type(called.return_type, called.args)
            target = cgutils.get_or_insert_function(builder.module, kind, symbol)
            parts = cgutils.unpack_tuple(builder, lend(context, builder, given, values[0]))
            status, value = context.call_conv.call_function(builder, target, called.return_type, called.args, parts)
            with cgutils.if_unlikely(builder, status.is_error):
                context.call_conv.return_status_propagate(builder, status)
            return fix_returning_optional(context, builder, called, status, value)

        return called.return_type(given), generate

    return functools.update_wrapper(intrinsic(call), function)
