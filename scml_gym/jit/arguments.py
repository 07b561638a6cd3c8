"""Arguments as words in a buffer, which compiled code of their types reads.

When Python calls a compiled function, Numba takes all arguments apart, in code that is compiled for each combination of
types and takes longer to compile than many a function. A batch step gets the same arrays again and again, of types that
its environment alone has: they are written once, by Python, and whoever calls the step need not be compiled for them.

A number is a word of 8 bytes; an array is its address and its shape. Tuples and NamedTuples are their parts.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import typeof, types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from scml_gym.jit.arrays import borrowed_type

WORDS = 512
"""Of a buffer: enough for the arguments of every batch step."""


class ArgumentBuffer:
    """Words, and the argument that stands at their beginning, which lives on until another one does.

    Attributes:
        words: int64 ``(WORDS,)``.
        kind: Numba's type of the argument, with the arrays borrowed; None before there is one.
        size: How many words it takes.
    """

    def __init__(self) -> None:
        self.words, self.kind, self.size = np.zeros(WORDS, dtype=np.int64), None, 0
        self._argument: Any = None

    def write(self, argument: Any) -> bool:
        """Put an argument at the beginning; only what is another object than before is looked at.

        Args:
            argument: An int, a float, a bool, an array in C order, or a tuple of such, in tuples like those before.

        Returns:
            Whether it is of another type than the one before.

        Raises:
            numba.core.errors.NumbaError: if it is something else, an array is in another order, or there are too many.
        """
        if _is_same(argument, self._argument):
            return False
        self._argument = None
        kind = borrowed_type(typeof(argument))
        size, place, floats = count_words(kind), 0, self.words.view(np.float64)
        for leaf in _leaves(argument):
            if isinstance(leaf, np.ndarray):
                self.words[place] = leaf.ctypes.data
                self.words[place + 1 : place + 1 + leaf.ndim] = leaf.shape
                place += 1 + leaf.ndim
            else:
                (floats if isinstance(leaf, float) else self.words)[place] = leaf
                place += 1
        other, self.kind, self.size, self._argument = kind != self.kind, kind, size, argument
        return other


def _leaves(argument: Any) -> Iterator[Any]:
    if isinstance(argument, tuple):
        for part in argument:
            yield from _leaves(part)
    else:
        yield argument


def _is_same(argument: Any, other: Any) -> bool:
    """Whether both are one object, or tuples of the same objects."""
    if isinstance(argument, tuple) and isinstance(other, tuple) and len(argument) == len(other):
        return all(map(operator.is_, argument, other))
    return argument is other


def count_words(kind: Any) -> int:
    """How many words an argument takes.

    Args:
        kind: Numba's type.

    Raises:
        numba.core.errors.TypingError: if it cannot be written, or they are more than `WORDS`.
    """
    n = sum(map(_n_words, _parts(kind)))
    if n > WORDS:
        raise TypingError(f"arguments of {n} words; valid: at most {WORDS}")
    return n


def _parts(kind: Any) -> Iterator[Any]:
    if isinstance(kind, types.BaseTuple):
        parts: Any = kind
        for part in parts:
            yield from _parts(part)
    else:
        yield kind


def _n_words(kind: Any) -> int:
    if isinstance(kind, types.Array):
        return 1 + kind.ndim
    if kind in (types.int64, types.uint64, types.float64, types.boolean):
        return 1
    raise TypingError(f"an argument of type {kind}; valid: int64, uint64, float64, bool, arrays, tuples of such")


def type_code(kind: Any) -> int:
    """A number of 63 bits that tells Numba's type, with borrowed arrays, from others."""
    return int.from_bytes(hashlib.sha256(str(borrowed_type(kind)).encode()).digest()[:8]) >> 1


def _type_code(typing_context: Any, arguments: Any) -> Any:
    return types.int64(arguments), lambda context, *_: context.get_constant(types.int64, type_code(arguments))


code_of: Any = intrinsic(_type_code)
"""``code_of(arguments)``: their `type_code`, in compiled code."""


def _write(typing_context: Any, words: Any, place: Any, arguments: Any) -> Any:
    count_words(arguments)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        next_word = _walk(context, builder, signature.args[0], values[0], values[1])

        def write(kind: Any, value: Any) -> None:
            if isinstance(kind, types.BaseTuple):
                parts: Any = kind
                for part, one in zip(parts, cgutils.unpack_tuple(builder, value), strict=True):
                    write(part, one)
            elif isinstance(kind, types.Array):
                array = make_array(kind)(context, builder, value)
                for word in (
                    builder.ptrtoint(array.data, cgutils.intp_t),
                    *cgutils.unpack_tuple(builder, array.shape),
                ):
                    builder.store(word, next_word())
            elif isinstance(kind, types.Boolean):
                builder.store(builder.zext(value, cgutils.intp_t), next_word())
            else:
                builder.store(builder.bitcast(value, cgutils.intp_t), next_word())

        write(signature.args[2], values[2])
        return context.get_dummy_value()

    return types.void(words, types.intp, arguments), generate


write_words: Any = intrinsic(_write)
"""``write_words(words, place, arguments)``: put arguments, a tuple, there from a place on, in compiled code."""


def _read(typing_context: Any, words: Any, kind: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        next_word = _walk(context, builder, signature.args[0], values[0], context.get_constant(types.intp, 0))

        def read(part: Any) -> Any:
            if isinstance(part, types.BaseTuple):
                parts: Any = part
                return context.make_tuple(builder, part, list(map(read, parts)))
            word = builder.load(next_word())
            if isinstance(part, types.Array):
                shape = [builder.load(next_word()) for _ in range(part.ndim)]
                return _array(context, builder, part, word, shape)
            if isinstance(part, types.Boolean):
                return builder.trunc(word, context.get_value_type(part))
            return builder.bitcast(word, context.get_value_type(part))

        return read(kind.instance_type)

    return kind.instance_type(words, kind), generate


read_words: Any = intrinsic(_read)
"""``read_words(words, kind)``: the arguments of that type, in compiled code; ``kind`` is a parameter of type
`numba.types.TypeRef`."""


def _walk(context: Any, builder: Any, kind: Any, words: Any, place: Any) -> Callable[[], Any]:
    """A function that gives the pointer to the next word, from a place on."""
    first = builder.gep(make_array(kind)(context, builder, words).data, [place])
    count = iter(range(WORDS))
    return lambda: builder.gep(first, [context.get_constant(types.intp, next(count))])


def _array(context: Any, builder: Any, kind: Any, address: Any, shape: list[Any]) -> Any:
    made = make_array(kind)(context, builder)
    size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides = [size]
    for n in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], n))
    data = builder.inttoptr(address, context.get_data_type(kind.dtype).as_pointer())
    populate_array(made, data, shape, strides[: len(shape)], size, None)
    return made._getvalue()


_LINE = borrowed_type(types.int64[::1])


def entry_types(kind: Any) -> tuple[Any, ...]:
    """The types for which to compile a function that `call_entry` calls: of ``(words, counters, kind)``."""
    return _LINE, _LINE, types.TypeRef(kind)


def _call_entry(typing_context: Any, address: Any, words: Any, counters: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kinds = entry_types(types.none)  # a type is passed on as a pointer that nobody reads
        kind = context.call_conv.get_function_type(types.none, kinds)
        target = builder.inttoptr(values[0], kind.as_pointer())
        given = [*values[1:], ir.Constant(context.get_value_type(kinds[-1]), None)]
        status, _ = context.call_conv.call_function(builder, target, types.none, kinds, given)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.void(types.intp, words, counters), generate


call_entry: Any = intrinsic(_call_entry)
"""``call_entry(address, words, counters)``: call a function that was compiled for `entry_types`; both arrays are
borrowed. An exception that leaves it comes out of the caller."""
