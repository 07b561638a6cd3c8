"""Parameters by name: an array of numbers read as a record, at no cost in compiled code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from scml_gym.jit.compile import numba


def parameters_dtype(names: Iterable[str]) -> np.dtype:
    """A record of float64 numbers with these names, in their order; a mapping of defaults is taken too."""
    return np.dtype([(name, np.float64) for name in names])


def count_parameters(dtype: np.dtype) -> int:
    """How many numbers a record of `parameters_dtype` has."""
    return len(dtype.names or ())


def record_of(numbers: np.ndarray, dtype: np.dtype, first: int) -> Any:
    """The numbers of an array from ``first`` on as a record, not a copy.

    Args:
        numbers: Float64, one after the other in memory, with at least as many from ``first`` on as the record needs.
        dtype: Of `parameters_dtype`, or of any record; in compiled code a constant.
        first: Index of the first number.

    Example:
        >>> float(record_of(np.array([1.0, 2.0, 3.0]), parameters_dtype(["rate", "slack"]), 1)["rate"])
        2.0
    """
    return numbers[first:].view(np.uint8)[: dtype.itemsize].view(dtype)[0]


if numba is not None:
    from numba.core import cgutils
    from numba.np.arrayobj import make_array

    extending, types = numba.extending, numba.types

    @extending.type_callable(record_of)
    def _(context: Any) -> Any:
        def kind(numbers: Any, dtype: Any, first: Any) -> Any:
            floats = isinstance(numbers, types.Array) and numbers.dtype == types.float64
            return dtype.dtype if floats and numbers.layout == "C" and isinstance(dtype, types.DType) else None

        return kind

    @extending.lower_builtin(record_of, types.Array, types.DType, types.Integer)
    def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        data = make_array(signature.args[0])(context, builder, values[0]).data
        first = context.cast(builder, values[2], signature.args[2], types.intp)
        place = cgutils.pointer_add(builder, data, builder.mul(first, first.type(8)), return_type=data.type)
        return builder.bitcast(place, context.get_value_type(signature.return_type))
