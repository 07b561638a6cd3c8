"""How compiled code calls the strategies of the registry, or a user's: by address, so that it need not know them.

Each strategy's ``decide`` and ``learn`` is compiled once as a C callback; a seat of a world holds the addresses.
"""

from __future__ import annotations

import functools
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaError
from numba.extending import intrinsic

from scml_gym.core.errors import InputError
from scml_gym.jit.arrays import array_at
from scml_gym.jit.compile import compiled_callback, jittable
from scml_gym.jit.random import N_DRAWS
from scml_gym.oneshot.strategies.base import Strategy
from scml_gym.oneshot.view import ACTION_DTYPE, MAX_PARTNERS, VIEW_DTYPE

_VIEW = types.CPointer(numba.from_dtype(VIEW_DTYPE))
_ACTION = types.CPointer(numba.from_dtype(ACTION_DTYPE))
_FLOATS = types.CPointer(types.float64)
_DECIDE = types.void(_VIEW, _FLOATS, types.intp, _FLOATS, types.intp, _FLOATS, _ACTION)
_LEARN = types.void(_VIEW, _FLOATS, types.intp, _FLOATS, types.intp)


def strategy_addresses(strategy: Strategy) -> tuple[int, int]:
    """Addresses of a strategy's compiled ``decide`` and ``learn``, 0 where it learns nothing.

    Raises:
        InputError: if they do not compile.
    """
    try:
        decide = _callback(_decide_caller, strategy.decide, _DECIDE)
        return decide.address, 0 if strategy.learn is None else _callback(_learn_caller, strategy.learn, _LEARN).address
    except NumbaError as error:
        raise InputError(
            f"strategy {strategy.name!r} does not compile ({reason_of(error)}); mark its helpers with"
            " scml_gym.jit.compile.jittable, or play it with backend='reference'"
        ) from error


def reason_of(error: NumbaError) -> str:
    """The first line of what the compiler says."""
    return next((line for line in map(str.strip, str(error).splitlines()) if line), "no reason given")


@functools.cache
def _callback(make: Any, function: Any, signature: Any) -> Any:
    """The C callback of a strategy's function, made once."""
    return compiled_callback(make(jittable(function)), signature)


def _decide_caller(decide: Any) -> Any:
    def call(view: Any, state: Any, n_state: int, params: Any, n_params: int, draws: Any, actions: Any) -> None:
        decide(
            array_at(view, 1)[0],
            array_at(state, n_state),
            array_at(params, n_params),
            array_at(draws, N_DRAWS),
            array_at(actions, MAX_PARTNERS),
        )

    return call


def _learn_caller(learn: Any) -> Any:
    def call(view: Any, state: Any, n_state: int, params: Any, n_params: int) -> None:
        learn(array_at(view, 1)[0], array_at(state, n_state), array_at(params, n_params))

    return call


def caller_by_address(n: int) -> Any:
    """Compiled code that calls the function at an address with ``n`` addresses and numbers."""

    @intrinsic
    def call(typing_context: Any, address: Any, arguments: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            word = context.get_value_type(types.intp)
            kind = ir.FunctionType(ir.VoidType(), [word] * n)
            function = builder.inttoptr(values[0], kind.as_pointer())
            builder.call(function, cgutils.unpack_tuple(builder, values[1], n))
            return context.get_dummy_value()

        return types.void(types.intp, types.UniTuple(types.intp, n)), generate

    return call


call_decide = caller_by_address(7)
"""``call_decide(address, (view, state, n_state, params, n_params, draws, actions))``, all int64."""

call_learn = caller_by_address(5)
"""``call_learn(address, (view, state, n_state, params, n_params))``, all int64."""
