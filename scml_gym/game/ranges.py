"""Ranges of whole numbers as bins, or as numbers in [-1, 1], so that what is learned in one range holds in another.

Source of the bins: "Q-learning for SCML OneShot, 2021", section 2.2.c.
"""

from __future__ import annotations

import math

from scml_gym.jit.compile import jittable


@jittable
def level(low: int, high: int, bins: int, b: int) -> int:
    """The value that bin ``b`` of a range stands for; see `levels`."""
    if bins == 1:
        return (low + high) // 2
    steps = bins - 1
    return low + (2 * b * (high - low) + steps) // (2 * steps)


def levels(low: int, high: int, bins: int) -> tuple[int, ...]:
    """The values that the bins of a range stand for: ``bins`` integers from ``low`` to ``high``, evenly spread.

    A single bin stands for the middle, rounded down. Several bins stand for the same value where the range has fewer
    values than bins.

    Example:
        >>> levels(5, 25, 5)
        (5, 10, 15, 20, 25)
    """
    return tuple(level(low, high, bins, b) for b in range(bins))


@jittable
def is_first(low: int, high: int, bins: int, b: int) -> bool:
    """Whether no lower bin stands for the same value as bin ``b``."""
    return b == 0 or level(low, high, bins, b) != level(low, high, bins, b - 1)


@jittable
def quantise(value: int, low: int, high: int, bins: int) -> int:
    """The bin, 0 to ``bins - 1``, whose value is nearest; the lower one of equals. Values above the range are in the
    highest bin.

    Example:
        >>> quantise(11, 5, 25, 5)
        1
    """
    above = 0
    while above < bins - 1 and level(low, high, bins, above) < value:
        above += 1
    if above > 0 and value - level(low, high, bins, above - 1) <= level(low, high, bins, above) - value:
        above -= 1
        while not is_first(low, high, bins, above):
            above -= 1
    return above


@jittable
def unit(x: float) -> float:
    """A number in [-1, 1] as one in [0, 1]; numbers outside are clipped."""
    return (min(max(x, -1.0), 1.0) + 1.0) / 2.0


@jittable
def in_range(x: float, low: int, high: int) -> int:
    """A number in [-1, 1] as the nearest whole number of a range; of two equally near ones the even one.

    That is Python's ``round``, spelt out so that compiled code cannot differ.
    """
    value = low + unit(x) * (high - low)
    below = math.floor(value)
    rest = value - below
    if rest > 0.5 or (rest == 0.5 and below % 2 == 1):
        return below + 1
    return below


@jittable
def position(value: int, low: int, high: int) -> float:
    """Where a whole number lies in a range, from -1 to 1: the inverse of `in_range`; 0 where the range is one value."""
    if high <= low:
        return 0.0
    return 2.0 * (min(max(value, low), high) - low) / (high - low) - 1.0
