"""Numbers that threads share in compiled code: each operation is indivisible, and all threads see them in one order.

``numbers`` is an int64 array and ``i`` an index into it that is 0 or more.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils

from scml_gym.jit.compile import jittable, numba

types = numba.types

ORDERING = "seq_cst"

_sched_yield = types.ExternalFunction("sched_yield", types.int32())


def _address(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, values[0])
    return cgutils.gep(builder, array.data, values[1])


@numba.extending.intrinsic
def load(typing_context: Any, numbers: Any, i: Any) -> Any:
    """``load(numbers, i)``: what stands there."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load_atomic(_address(context, builder, signature, values), ORDERING, 8)

    return types.int64(numbers, types.intp), generate


@numba.extending.intrinsic
def store(typing_context: Any, numbers: Any, i: Any, value: Any) -> Any:
    """``store(numbers, i, value)``."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store_atomic(values[2], _address(context, builder, signature, values), ORDERING, 8)
        return context.get_dummy_value()

    return types.void(numbers, types.intp, types.int64), generate


@numba.extending.intrinsic
def add(typing_context: Any, numbers: Any, i: Any, value: Any) -> Any:
    """``add(numbers, i, value)``; returns what stood there before."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.atomic_rmw("add", _address(context, builder, signature, values), values[2], ORDERING)

    return types.int64(numbers, types.intp, types.int64), generate


@jittable
def pause() -> None:
    """Let another thread have this processor, if one wants it."""
    _sched_yield()
