"""Separate compilation: functions that compiled code calls by name, and does not hold.

Numba puts a copy of what a function calls into its machine code and optimises it there again, and so on through all
that call that one. A function that is called rarely, or does much, need not be copied: it is compiled once for all of
its callers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from scml_gym.jit.arrays import borrow
from scml_gym.jit.cache import told_apart
from scml_gym.jit.compile import compiled, numba
from scml_gym.jit.symbols import FUNCTIONS, Reference, link

Function = TypeVar("Function", bound=Callable[..., Any])


def separate(function: Function) -> Function:
    """A plain function that compiled functions call by name, with arrays in C order, which they lend it; called from
    Python it stays plain Python.

    An exception that leaves it comes out of its callers.
    """
    if numba is None:
        return function
    made = compiled(told_apart(function))
    name = f"{function.__module__}.{function.__qualname__}"
    FUNCTIONS[name] = made
    call = _caller(name)

    @numba.extending.overload(function, strict=False)
    def _(*arguments: Any) -> Any:
        return lambda *arguments: call(borrow(arguments))

    return function


def _caller(name: str) -> Any:
    """``call(arguments)``: calls the function with a tuple of arguments."""
    from numba import types
    from numba.core import cgutils
    from numba.core.imputils import fix_returning_optional

    @numba.extending.intrinsic
    def call(typing_context: Any, arguments: Any) -> Any:
        kinds = tuple(map(types.unliteral, arguments))
        symbol, result = link(Reference(name, kinds))
        called = result.signature

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kind = context.call_conv.get_function_type(called.return_type, called.args)
            function = cgutils.get_or_insert_function(builder.module, kind, symbol)
            given = cgutils.unpack_tuple(builder, values[0])
            status, value = context.call_conv.call_function(builder, function, called.return_type, called.args, given)
            with cgutils.if_unlikely(builder, status.is_error):
                context.call_conv.return_status_propagate(builder, status)
            return fix_returning_optional(context, builder, called, status, value)

        return called.return_type(types.Tuple(kinds)), generate

    return call
