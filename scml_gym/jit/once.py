"""Functions for Python and for compiled code that are compiled once for all compiled functions that call them."""

from __future__ import annotations

import functools
from typing import Any

from scml_gym.jit.cache import told_apart
from scml_gym.jit.compile import Function, compiled, numba


def jittable_once(function: Function) -> Function:
    """As `scml_gym.jit.compile.jittable`, for functions that do much: compiled code calls one copy of it, see
    `scml_gym.jit.separate.separate`; called from Python it stays plain Python."""
    if numba is None:
        return function
    from scml_gym.jit.separate import separate

    plain = told_apart(function)
    apart = separate(plain)

    def call(*arguments: Any) -> Any:
        return apart(*arguments)

    numba.extending.overload(plain, strict=False)(lambda *arguments: call)
    return plain


def compiled_once(function: Function) -> Function:
    """As `scml_gym.jit.compile.compiled`, for functions that do much: Python and compiled code call one copy of it.

    Its arrays are in C order.
    """
    if numba is None:
        return function
    from scml_gym.jit.separate import separate

    apart = separate(told_apart(function))

    def call(*arguments: Any) -> Any:
        return apart(*arguments)

    made: Any = functools.update_wrapper(compiled(call), function)
    return made
