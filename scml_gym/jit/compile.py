"""Compilation: what is written once in Python and also runs as machine code, where Numba is installed.

- ``@jittable`` marks a plain function that compiled code may call; called from Python it stays plain Python.
- ``@compiled`` makes a function that is compiled at its first call and kept on disk (`scml_gym.jit.cache`).

Without Numba both leave functions as they are: everything but the compiled world works, more slowly.
"""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from scml_gym.core.errors import InputError
from scml_gym.jit.cache import CodeCache, told_apart

numba: Any  # its types are incomplete
try:
    import numba
except ImportError:
    numba = None

Function = TypeVar("Function", bound=Callable[..., Any])


def require_numba() -> None:
    """Refuse to go on without a compiler.

    Raises:
        InputError: if Numba is not installed.
    """
    if numba is None:
        raise InputError("backend='compiled' needs Numba (pip install numba); backend='reference' does without")


def jittable(function: Function) -> Function:
    """A plain function that compiled functions may call too: numbers, records and arrays only.

    It becomes machine code as a part of them only, see `scml_gym.jit.inlined`. What C needs to call a function is made
    for none that this module compiles, as it takes a tenth of the time.
    """
    if numba is None:
        return function
    from scml_gym.jit.inlined import Inlined

    return numba.extending.register_jitable(no_cfunc_wrapper=True, pipeline_class=Inlined)(told_apart(function))


def compiled(function: Function) -> Function:
    """A function compiled at its first call with each combination of argument types, without holding Python's lock."""
    if numba is None:
        return function
    return _kept(_njit(nogil=True, no_cfunc_wrapper=True)(told_apart(function)), function)


def compiled_inside(function: Callable[..., Any]) -> Any:
    """As `compiled`, a function that only compiled code can call: what Python needs to call it is not made."""
    return _kept(_njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)(told_apart(function)), function)


def _njit(**options: Any) -> Any:
    from scml_gym.jit.flags import Compiler

    return numba.njit(pipeline_class=Compiler, **options)


def compiled_callback(function: Callable[..., Any], signature: Any) -> Any:
    """A function compiled now as a C callback; its ``address`` can be called from compiled code.

    Raises:
        numba.core.errors.NumbaError: if the function does not compile.
    """
    from numba.core.ccallback import CFunc

    from scml_gym.jit.flags import Compiler

    # `numba.cfunc` would compile before it is told where code is kept
    kind = numba.core.sigutils.normalize_signature(signature)
    callback = _kept(CFunc(told_apart(function), kind, {}, {"nopython": True}, Compiler), function)
    callback.compile()
    return callback


def _kept(made: Any, function: Callable[..., Any]) -> Any:
    """What Numba made, with its code kept on disk.

    Numba's own cache sees a change only in the file of the function itself, tells closures apart by a pickle that
    differs from process to process, and its numbered files are mixed up where several processes compile at once.
    """
    from scml_gym.jit.inlined import give_environments

    cache, compile_now = CodeCache(function, made._compiler.targetoptions), made._compiler.compile

    def compile_or_give_up(*types: Any) -> Any:
        _announce(cache.cache_path is not None)
        try:
            with _no_search_for_garbage():
                result = compile_now(*types)
            give_environments(result)
        except BaseException:
            cache.give_up()
            raise
        return result

    made._cache, made._compiler.compile = cache, compile_or_give_up
    return made


@contextmanager
def _no_search_for_garbage() -> Iterator[None]:
    """The compiler makes so many objects that Python searches all again and again: a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


_compilations = itertools.count()


def _announce(kept: bool) -> None:
    """Say at the first compilation of a process that it takes a moment."""
    if next(_compilations) == 0:
        how_often = "once for this version" if kept else "in this process"
        print(f"scml_gym: compiling, {how_often}; this takes up to a minute", file=sys.stderr)
