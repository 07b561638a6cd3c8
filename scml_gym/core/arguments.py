"""Checks of arguments: numbers of any type, switches, ranges, and names that are misspelt."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np

from scml_gym.core.errors import InputError, nearest

Class = TypeVar("Class", bound=type)

Range = int | tuple[int, int]
"""One number, or the two ends of a range that a number is drawn from, both included."""

NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def brief(thing: Any) -> str:
    """What it is, for a message of one line: itself where that is short, else its type."""
    text = repr(thing.item() if isinstance(thing, np.generic) else thing)
    return text if len(text) <= 40 and "\n" not in text else type(thing).__name__


MOST_BINS = 1_000
"""Bins of a range, at most."""

MOST_HISTORY = 1_000
"""Earlier decisions that an observation can show."""


MOST_ENVS = 2**24
"""Of a batch."""

MOST_THREADS = 1_024
"""Of a batch."""

LARGEST = 2**62
"""Of whole numbers without another bound: they fit in 64 bits, and can be counted on from."""


def whole(name: str, value: Any, least: int | None = 1, most: int | None = None) -> int:
    """A whole number of any type, NumPy's too, as an ``int``.

    Args:
        name: Of the argument, for the message.
        value: What was given.
        least: The smallest that is valid, or None.
        most: The largest, or None for `LARGEST` where there is a smallest one.

    Raises:
        InputError: if it is another number, or no whole number at all, as are fractions, bools and texts.

    Example:
        >>> whole("days", np.int64(3))
        3
    """
    kind = isinstance(value, Integral) and not isinstance(value, bool)
    number = int(value) if kind else 0
    if least is not None and number > LARGEST:
        most = LARGEST if most is None else most
    if kind and (least is None or number >= least) and (most is None or number <= most):
        return number
    if least is None:
        raise InputError(f"{name}={brief(value)}; valid: a whole number", name)
    few = most is not None and most - least < 3
    within = f"{least} or more" if most is None else f"{least} to {most}"
    valid = ", ".join(map(str, range(least, (most or least) + 1))) if few else within
    raise InputError(f"{name}={brief(value)}; valid: {valid if kind else f'a whole number, {valid}'}", name)


def real(name: str, value: Any, least: float = -math.inf, most: float = math.inf, valid: str = "") -> float:
    """A finite number of any type, NumPy's too, as a ``float``.

    Args:
        name: Of the argument, for the message.
        value: What was given.
        least: The smallest that is valid.
        most: The largest.
        valid: What is, in words.

    Raises:
        InputError: if it is another number, or none at all, as are bools and texts.
    """
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    if not (math.isfinite(number) and least <= number <= most):
        raise InputError(f"{name}={brief(value)}; valid: {valid or 'a finite number'}", name)
    return number


def flag(name: str, value: Any) -> bool:
    """True or false, NumPy's too, as a ``bool``.

    Raises:
        InputError: if it is anything else, as are 0 and 1.
    """
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name}={brief(value)}; valid: true, false", name)
    return bool(value)


def whole_bins(quantity_bins: Any, price_bins: Any) -> tuple[int, int]:
    """Bins of quantities and of prices, 1 to `MOST_BINS` each.

    Raises:
        InputError: if one is another number, or none.
    """
    return whole("quantity_bins", quantity_bins, 1, MOST_BINS), whole("price_bins", price_bins, 1, MOST_BINS)


def one_of(name: str, value: Any, valid: Iterable[str]) -> str:
    """One of several texts.

    Raises:
        InputError: if it is anything else.
    """
    names = list(valid)
    if not isinstance(value, str) or value not in names:
        raise InputError(f"{name}={brief(value)}; valid: {', '.join(names)}", name)
    return value


def whole_range(name: str, value: Any, low: int, high: int) -> tuple[int, int]:
    """Both ends of a range: of one whole number, or of a pair of them.

    Raises:
        InputError: if it is neither, the range is empty, or reaches beyond ``low`` or ``high``.
    """
    pair = isinstance(value, tuple | list | np.ndarray)
    try:
        ends = tuple(whole(name, end, None) for end in (value if pair else (value, value)))
        if len(ends) == 2 and low <= ends[0] <= ends[1] <= high:
            return ends[0], ends[1]
    except InputError:
        pass
    raise InputError(
        f"{name}={brief(value)}: give a number or a pair (low, high) of whole numbers, {low} to {high}", name
    )


class UnknownArgumentError(InputError, TypeError):
    """A misspelt argument, told as Python does: some libraries try arguments, and do without those refused so.

    Attributes:
        name: What was given.
        hint: Which is meant, or all there are; see `scml_gym.core.errors.nearest`.

    Without ``valid``, ``name`` is the message: Gymnasium raises the class of a ``TypeError`` again with a longer text.
    """

    def __init__(self, name: str, valid: Iterable[str] | None = None):
        self.name, self.hint = name, "" if valid is None else nearest(name, valid)
        told = name if valid is None else f"{name}: unexpected keyword argument {name!r}{self.hint}"
        super().__init__(told, "" if valid is None else name)


def check_names(given: Iterable[str], valid: Iterable[str]) -> None:
    """Refuse a misspelt name.

    Raises:
        UnknownArgumentError: for the first one that is not valid.
    """
    known = frozenset(valid)
    for name in given:
        if name not in known:
            raise UnknownArgumentError(name, known)


def argument_names(cls: type) -> frozenset[str]:
    """The arguments of a class, with those that it takes for another one (see `named_arguments`)."""
    own = getattr(cls.__init__, "arguments", None)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return own or frozenset(p.name for p in parameters if p.kind in NAMED)


def check_render_mode(mode: str | None, modes: Iterable[str]) -> str | None:
    """A render mode, None for none.

    Raises:
        InputError: if there is no such mode.
    """
    if mode is not None and mode not in modes:
        raise InputError(f"render_mode={mode!r}{nearest(str(mode), modes)}", "render_mode")
    return mode


def named_arguments(
    shared: type | None = None, without: Iterable[str] = (), single: Iterable[str] = ()
) -> Callable[[Class], Class]:
    """Let a class refuse misspelt arguments in one line, wherever it is made.

    Args:
        shared: The class for which it takes arguments as ``**arguments``.
        without: Those of them that it does not take.
        single: Arguments that only the single environment of a native batch has.
    """

    def decorate(cls: Class) -> Class:
        make: Any = cls.__init__
        valid = argument_names(cls) | (argument_names(shared) if shared else frozenset())
        valid -= frozenset(without)

        @functools.wraps(make)
        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            for name in single:
                if kwargs.get(name) is not None and name not in valid:
                    raise InputError(f"{name}: only single environments have it: use vectorization_mode='sync'", name)
            check_names(kwargs, valid | frozenset(single))
            make(self, *args, **{name: value for name, value in kwargs.items() if name in valid})

        vars(init)["arguments"] = valid
        cls.__init__ = init  # type: ignore[misc]  # a class decorator that checks names first
        return cls

    return decorate
