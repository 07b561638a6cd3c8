"""How compiled code takes a strategy's turn: one function over a seat, called by its address."""

from __future__ import annotations

import functools
import math
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import NumbaError
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from scml_gym.bilateral.negotiators.base import NO_OFFER, Table, TableStrategy, outside
from scml_gym.core.errors import InputError
from scml_gym.jit.compile import compiled_callback, jittable
from scml_gym.jit.random import fill_draws
from scml_gym.oneshot.worlds.compiled.strategy_calls import caller_by_address, reason_of

SEAT_DTYPE = np.dtype(
    [
        ("seed", np.uint64),  # of the draws
        *((n, np.int64) for n in ("side", "n_outcomes", "n_issues", "n_steps", "turn")),
        *((n, np.int64) for n in Table._fields),  # addresses, as are those of the next line
        *((n, np.int64) for n in ("params", "state", "draws", "n_params", "n_state", "n_draws")),
        *((n, np.int64) for n in ("step", "offer", "bid", "accepts", "failed")),  # what a turn reads, and brings
    ],
    align=True,
)
"""One side: its table, its strategy (``turn`` is 0 where there is none) and the turn that it takes; ``failed`` is one
of the following."""

OUTSIDE, RAISED = 1, 2
"""The bid is no outcome; a function of the strategy raised."""

_TURN = types.void(types.CPointer(numba.from_dtype(SEAT_DTYPE)))

call_turn = caller_by_address(1)
"""``call_turn(seat["turn"], (address of the seat,))``."""


def turn_address(strategy: TableStrategy) -> int:
    """Address of a strategy's compiled turn.

    Raises:
        InputError: if it does not compile.
    """
    try:
        return _callback(strategy.receive, strategy.propose, strategy.accepts).address
    except NumbaError as error:
        raise InputError(
            f"negotiator {strategy.name!r} does not compile ({reason_of(error)}); mark its helpers with"
            " scml_gym.jit.compile.jittable, or play it with backend='reference'"
        ) from error


@functools.cache
def _callback(*functions: Any) -> Any:
    """The C callback of a turn, made once; see `scml_gym.bilateral.negotiators.base.TablePlayer.turn`."""
    receive, propose, accepts = map(jittable, functions)

    def turn(pointer: Any) -> None:
        seat = carray(pointer, 1)[0]
        table, offer, step, n_steps = table_of(seat), seat["offer"], seat["step"], seat["n_steps"]
        state, params = floats_at(seat["state"], seat["n_state"]), floats_at(seat["params"], seat["n_params"])
        draws = floats_at(seat["draws"], seat["n_draws"])
        fill_draws(seat["seed"], seat["side"], step, 0, seat["n_draws"], draws)
        try:  # an exception that leaves a C callback is printed and lost; told this way, it is raised again in Python
            if offer != NO_OFFER:
                receive(table, offer, step, n_steps, state, params, draws)
            bid = int(propose(table, step, n_steps, state, params, draws))
            seat["bid"] = bid
            if outside(table, bid):
                seat["failed"] = OUTSIDE
            else:
                seat["accepts"] = offer != NO_OFFER and accepts(table, offer, bid, step, n_steps, state, params, draws)
        except Exception:
            seat["failed"] = RAISED

    return compiled_callback(turn, _TURN)


@functools.cache
def number_callback(function: Any) -> Any:
    """The C callback of a function of two numbers that returns one, made once; nan where the function raises.

    Raises:
        InputError: if it does not compile.
    """
    try:
        return compiled_callback(_guarded(jittable(function)), types.float64(types.float64, types.float64))
    except NumbaError as error:
        name, reason = getattr(function, "__name__", function), reason_of(error)
        raise InputError(f"reward {name!r} does not compile ({reason}): use vectorization_mode='sync'") from error


def _guarded(function: Any) -> Any:
    def number(first: float, second: float) -> float:
        try:  # as in a turn; a reward that is not finite is refused in Python
            result = float(function(first, second))
        except Exception:
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


@jittable
def table_of(seat: np.void) -> Table:
    """A seat's table; in compiled code only."""
    n = seat["n_outcomes"]
    utilities, ranked = floats_at(seat["utilities"], n), floats_at(seat["sorted"], n)
    return Table(utilities, integers_at(seat["order"], n), ranked, integers_at(seat["shape"], seat["n_issues"]))
