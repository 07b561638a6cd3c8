"""Functions called by address: compiled code calls what it does not know, and finds arrays at addresses.

A function that others bring (a strategy, a reward) is compiled once as a C callback. A record holds its address, so
that the code that calls it is compiled once for all of them.
"""

from __future__ import annotations

import functools
import math
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaError
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from scml_gym.core.errors import InputError
from scml_gym.jit.compile import compiled_callback, jittable


@functools.cache
def callback(make: Callable[..., Any], signature: Any, *functions: Callable[..., Any]) -> Any:
    """The C callback ``make(*functions)`` of functions that others brought, made once; it has an ``address``.

    An exception that leaves a callback is printed and lost: ``make`` says in what it returns or writes that one came.

    Raises:
        numba.core.errors.NumbaError: if it does not compile.
    """
    return compiled_callback(make(*map(jittable, functions)), signature)


@contextmanager
def refuse_uncompiled(what: str, advice: str) -> Iterator[None]:
    """Tell in one line that what others brought does not compile.

    Args:
        what: Its name.
        advice: What can be done.

    Raises:
        InputError: where the compiler gives up in the ``with`` block.
    """
    try:
        yield
    except NumbaError as error:
        raise InputError(f"{what} does not compile ({reason_of(error)}){advice}") from error
    except KeyError as error:  # Numba's for a field of a record that is read as an attribute
        raise InputError(f"{what} does not compile (there is no field {error}){advice}") from error


def reason_of(error: NumbaError) -> str:
    """The first line of the compiler's that tells what is wrong, and the first place outside of this package."""
    text = _COLOURS.sub("", str(error))
    lines = [line for line in map(str.strip, text.splitlines()) if line] or ["no reason given"]
    reason = next((line for line in lines if not line.startswith(_FRAMING)), lines[0])
    reason = re.sub(r"Cannot bind '.*' to signature", "Cannot bind the arguments to signature", reason)
    places = (f", at {path}:{line}" for path, line in _PLACES.findall(text) if not path.startswith(_PACKAGE))
    return textwrap.shorten(reason, 160, placeholder=" ...") + next(places, "")


_COLOURS = re.compile(r"\x1b\[\d*m")
_PLACES = re.compile(r" at (\S+\.py) \((\d+)\)")
_PACKAGE = str(Path(__file__).parents[1])
_FRAMING = (
    *("Failed in", "TypingError: Failed in", "No implementation of function", ">>>", "There are", "- Of which"),
    *("Overload", "With argument(s)", "Rejected as", "No match", "raised from", "During:", "File "),
)
"""How the lines begin in which Numba tells where it was, and not what is wrong."""


def caller_by_address(n: int) -> Any:
    """Compiled code that calls the function at an address with ``n`` addresses and numbers.

    It is ``call(address, arguments) -> int``, of int64 and a tuple of ``n`` int64.
    """

    @intrinsic
    def call(typing_context: Any, address: Any, arguments: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            word = context.get_value_type(types.intp)
            function = builder.inttoptr(values[0], ir.FunctionType(word, [word] * n).as_pointer())
            return builder.call(function, cgutils.unpack_tuple(builder, values[1], n))

        return types.intp(types.intp, types.UniTuple(types.intp, n)), generate

    return call


_NUMBER = types.float64(types.float64, types.float64)


def number_callback(function: Callable[[float, float], float]) -> Any:
    """The C callback of a function of two numbers that returns one; nan where the function raises.

    Raises:
        numba.core.errors.NumbaError: if it does not compile.
    """
    return callback(_guarded, _NUMBER, function)


def _guarded(function: Any) -> Any:
    def number(first: float, second: float) -> float:
        try:
            result = float(function(first, second))
        except Exception:  # lost if it left a C callback; Numba compiles no narrower clause
            result = math.nan
        return result

    return number


def _call_number(typing_context: Any, address: Any, arguments: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = context.get_value_type(types.float64)
        function = builder.inttoptr(values[0], ir.FunctionType(number, [number] * 2).as_pointer())
        return builder.call(function, cgutils.unpack_tuple(builder, values[1], 2))

    return types.float64(types.intp, types.UniTuple(types.float64, 2)), generate


call_number: Any = intrinsic(_call_number)
"""``call_number(address, (first, second)) -> float`` of a `number_callback`."""


def _pointer(typing_context: Any, address: Any, dtype: Any) -> Any:
    pointer = types.CPointer(dtype.dtype)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], context.get_value_type(pointer))

    return pointer(types.intp, dtype), generate


pointer_to: Any = intrinsic(_pointer)
"""``pointer_to(address, dtype)``: an address as a pointer to numbers of that kind."""


@jittable
def floats_at(address: int, n: int) -> np.ndarray:
    """The float64 array of that length at an address; in compiled code only."""
    return carray(pointer_to(address, np.float64), n)


@jittable
def integers_at(address: int, n: int) -> np.ndarray:
    """The int64 array of that length at an address; in compiled code only."""
    return carray(pointer_to(address, np.int64), n)
