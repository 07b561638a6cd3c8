"""Borrowed arrays: scratch on the stack and memory that others keep alive, without reference counting, for speed only.

Numba takes each new array from the heap, and counts who holds an array wherever it is passed on. That is a good part of
the time of a function of a microsecond, and threads that share an array wait for each other at its counter. Arrays of
the type `Borrowed` are used as any other, without that. In Python the scratch functions give NumPy arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.jit.compile import jittable, numba


def scratch_integers(n: int) -> np.ndarray:
    """Zeros for the length of a call, int64, shape ``(n,)``; ``n`` is a constant, and the array is not returned."""
    return np.zeros(n, dtype=np.int64)


def scratch_bits(n: int) -> np.ndarray:
    """Zeros for the length of a call, uint64, shape ``(n,)``; ``n`` is a constant, and the array is not returned."""
    return np.zeros(n, dtype=np.uint64)


def scratch_floats(n: int) -> np.ndarray:
    """Zeros for the length of a call, float64, shape ``(n,)``; ``n`` is a constant, and the array is not returned."""
    return np.zeros(n)


def part_of(array: np.ndarray, i: int) -> np.ndarray:
    """The part ``i`` of an array, 0 or more, along its first axis; borrowed."""
    return array[i]


def line_of(array: np.ndarray, first: int, n: int) -> np.ndarray:
    """So many elements of an array of one dimension from ``first``, 0 or more, on; borrowed."""
    return array[first : first + n]


def borrowed_array(array: np.ndarray) -> np.ndarray:
    """The array itself, borrowed; for calls of functions, while the caller holds it."""
    return array


@jittable
def copy_line(source: np.ndarray, target: np.ndarray) -> None:
    """Copy an array of one dimension to another one; an assignment to a slice would count who holds them."""
    for i in range(len(target)):
        target[i] = source[i]


def clear_part(array: np.ndarray, i: int) -> None:
    """Set every byte of the part ``i``, 0 or more, of an array in C order to 0."""
    array[i : i + 1].view(np.uint8)[:] = 0


def copy_record(source: np.ndarray, i: int, target: np.ndarray, j: int) -> None:
    """Copy the bytes of record ``i`` to where record ``j`` of another array begins; there are no more than those of it.

    Both arrays have one dimension and are in C order, and both numbers are 0 or more.
    """
    target[j : j + 1].view(np.uint8)[: source.itemsize] = source[i : i + 1].view(np.uint8)


if numba is not None:
    from llvmlite import ir
    from numba.core import cgutils
    from numba.np.arrayobj import make_array, populate_array

    extending, types = numba.extending, numba.types

    class Borrowed(types.Array):
        """Numba's type of an array in memory that outlives whoever sees it.

        Parts of it are ordinary arrays without an owner.
        """

        def __init__(self, dtype: Any, ndim: int = 1, layout: str = "C"):
            super().__init__(dtype, ndim, layout, name=f"borrowed({dtype}, {ndim}d, {layout})")

    @extending.register_model(Borrowed)
    class _BorrowedModel(extending.models.StructModel):
        """An array's layout, in which the owner is a mere address, always 0."""

        def __init__(self, manager: Any, kind: Borrowed):
            members = [
                ("meminfo", types.voidptr),
                ("parent", types.pyobject),
                ("nitems", types.intp),
                ("itemsize", types.intp),
                ("data", types.CPointer(kind.dtype)),
                ("shape", types.UniTuple(types.intp, kind.ndim)),
                ("strides", types.UniTuple(types.intp, kind.ndim)),
            ]
            super().__init__(manager, kind, members)

    @extending.lower_cast(Borrowed, types.Array)
    def _(context: Any, builder: Any, kind: Borrowed, to: Any, value: Any) -> Any:
        """Where a name stands for this or an ordinary array: one without an owner, laid out alike."""
        return value

    def _line(context: Any, builder: Any, kind: Borrowed, memory: Any, n: Any) -> Any:
        """A one-dimensional array."""
        made = make_array(kind)(context, builder)
        size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        populate_array(made, data=memory, shape=[n], strides=[size], itemsize=size, meminfo=None)
        return made._getvalue()

    def _part(context: Any, builder: Any, kind: Any, value: Any, to: Borrowed, i: Any = None) -> Any:
        """An array, or its part ``i``, as a borrowed one."""
        whole, made = make_array(kind)(context, builder, value), make_array(to)(context, builder)
        shape, strides = (cgutils.unpack_tuple(builder, part) for part in (whole.shape, whole.strides))
        data = whole.data
        if i is not None:
            data = cgutils.pointer_add(builder, data, builder.mul(i, strides[0]), return_type=data.type)
        first = kind.ndim - to.ndim
        populate_array(made, data, shape[first:], strides[first:], whole.itemsize, None)
        return made._getvalue()

    @extending.intrinsic
    def array_at(typing_context: Any, pointer: Any, n: Any) -> Any:
        """``array_at(pointer, n)``: the array of so many elements at a C pointer."""

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return _line(context, builder, signature.return_type, *values)

        return Borrowed(pointer.dtype)(pointer, types.intp), generate

    @extending.type_callable(part_of)
    def _(context: Any) -> Any:
        return lambda array, i: (
            Borrowed(array.dtype, array.ndim - 1, array.layout) if isinstance(array, types.Array) else None
        )

    @extending.lower_builtin(part_of, types.Array, types.Integer)
    def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, at = signature.args
        i = context.cast(builder, values[1], at, types.intp)
        return _part(context, builder, kind, values[0], signature.return_type, i)

    @extending.type_callable(line_of)
    def _(context: Any) -> Any:
        return lambda array, first, n: Borrowed(array.dtype) if isinstance(array, types.Array) else None

    @extending.lower_builtin(line_of, types.Array, types.Integer, types.Integer)
    def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        whole = make_array(signature.args[0])(context, builder, values[0])
        first, n = (context.cast(builder, values[i], signature.args[i], types.intp) for i in (1, 2))
        return _line(context, builder, signature.return_type, builder.gep(whole.data, [first]), n)

    def _in_c_order(kind: Any) -> bool:
        return isinstance(kind, types.Array) and kind.layout == "C"

    def _part_bytes(context: Any, builder: Any, kind: Any, value: Any, i: Any, at: Any) -> Any:
        """Address and size of the part ``i`` of an array."""
        whole = make_array(kind)(context, builder, value)
        size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        for n in cgutils.unpack_tuple(builder, whole.shape)[1:]:
            size = builder.mul(size, n)
        start = builder.mul(context.cast(builder, i, at, types.intp), size)
        return cgutils.pointer_add(builder, whole.data, start), size

    @extending.type_callable(clear_part)
    def _(context: Any) -> Any:
        return lambda array, i: types.void if _in_c_order(array) else None

    @extending.lower_builtin(clear_part, types.Array, types.Integer)
    def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        memory, size = _part_bytes(context, builder, signature.args[0], values[0], values[1], signature.args[1])
        cgutils.memset(builder, memory, size, 0)
        return context.get_dummy_value()

    @extending.type_callable(copy_record)
    def _(context: Any) -> Any:
        return lambda source, i, target, j: types.void if _in_c_order(source) and _in_c_order(target) else None

    @extending.lower_builtin(copy_record, types.Array, types.Integer, types.Array, types.Integer)
    def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kinds = signature.args
        memory, size = _part_bytes(context, builder, kinds[0], values[0], values[1], kinds[1])
        to, _ = _part_bytes(context, builder, kinds[2], values[2], values[3], kinds[3])
        cgutils.raw_memcpy(builder, to, memory, size, 1)
        return context.get_dummy_value()

    def borrowed_type(kind: Any) -> Any:
        """The type of what is borrowed."""
        if isinstance(kind, types.Array):
            if kind.layout != "C":
                raise numba.core.errors.TypingError(f"only arrays in C order can be borrowed, not {kind}")
            return Borrowed(kind.dtype, kind.ndim, kind.layout)
        if isinstance(kind, types.BaseNamedTuple):
            return types.BaseTuple.from_types([borrowed_type(part) for part in kind], kind.instance_class)
        return types.Tuple([borrowed_type(part) for part in kind]) if isinstance(kind, types.BaseTuple) else kind

    def lend(context: Any, builder: Any, kind: Any, value: Any) -> Any:
        to = borrowed_type(kind)
        if isinstance(kind, types.Array):
            return _part(context, builder, kind, value, to)
        if isinstance(kind, types.BaseTuple):
            values = cgutils.unpack_tuple(builder, value)
            parts = [lend(context, builder, part, value) for part, value in zip(kind, values, strict=True)]
            return context.make_tuple(builder, to, parts)
        return value

    @extending.intrinsic
    def borrow(typing_context: Any, record: Any) -> Any:
        """``borrow(record)``: a the tuple with its arrays borrowed, to be used while the caller holds the first.

        Parts that are tuples are borrowed too; arrays are in C order.
        """

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return lend(context, builder, record, values[0])

        return borrowed_type(record)(record), generate

    def _scratch(function: Any, element: Any) -> None:
        """Let compiled code take a function's array from the frame of the caller."""

        @extending.type_callable(function)
        def _(context: Any) -> Any:
            return lambda n: Borrowed(element) if isinstance(n, types.IntegerLiteral) else None

        @extending.lower_builtin(function, types.IntegerLiteral)
        def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            n = signature.args[0].literal_value
            kind = ir.ArrayType(context.get_data_type(element), n)
            memory = cgutils.alloca_once(builder, kind)
            builder.store(ir.Constant(kind, None), memory)
            first = cgutils.gep_inbounds(builder, memory, 0, 0)
            return _line(context, builder, signature.return_type, first, context.get_constant(types.intp, n))

    @extending.type_callable(borrowed_array)
    def _(context: Any) -> Any:
        return lambda array: borrowed_type(array) if isinstance(array, types.Array) else None

    @extending.lower_builtin(borrowed_array, types.Array)
    def _(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return lend(context, builder, signature.args[0], values[0])

    _scratch(scratch_integers, types.int64)
    _scratch(scratch_bits, types.uint64)
    _scratch(scratch_floats, types.float64)
