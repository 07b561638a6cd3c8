"""Quantised ranges: values as indices of bins, so that what is learned in one range holds in another.

Source: "Q-learning for SCML OneShot, 2021", section 2.2.c.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache


@lru_cache(maxsize=4096)
def levels(low: int, high: int, bins: int) -> tuple[int, ...]:
    """The values that the bins of a range stand for: ``bins`` integers from ``low`` to ``high``, evenly spread.

    A single bin stands for the middle, rounded down. Several bins stand for the same value where the range has fewer
    values than bins.

    Example:
        >>> levels(5, 25, 5)
        (5, 10, 15, 20, 25)
    """
    if bins == 1:
        return ((low + high) // 2,)
    span, steps = high - low, bins - 1
    return tuple(low + (2 * b * span + steps) // (2 * steps) for b in range(bins))


@lru_cache(maxsize=65536)
def quantise(value: int, low: int, high: int, bins: int) -> int:
    """The bin, 0 to ``bins - 1``, whose value is nearest; the lower one of equals.

    Example:
        >>> quantise(11, 5, 25, 5)
        1
    """
    values = levels(low, high, bins)
    above = min(bisect_left(values, value), bins - 1)
    if above and value - values[above - 1] <= values[above] - value:
        above = bisect_left(values, values[above - 1])
    return above
