"""Rows shared by threads: two of them come from both ends of a part, and meet where they have had equal work."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.core import cgutils

from scml_gym.compiling import jittable, numba

SURE = 0.75
"""Fraction of its half that each of two threads takes without asking, as that has its price; they differ by less."""


class Share(NamedTuple):
    """What a thread does of some rows.

    Attributes:
        first: The position it begins with.
        step: To the next one, 1 or -1.
        sure: How many rows are its own.
        free: int64 ``(1,)``, shared by two threads: how many rows more are left to whoever comes first.
    """

    first: int
    step: int
    sure: int
    free: np.ndarray


def shares(n: int, threads: int) -> list[Share]:
    """The share of each thread in ``n`` rows.

    Example:
        >>> [share[:3] for share in shares(12, 2)]
        [(0, 1, 4), (11, -1, 4)]
    """
    parts: list[Share] = []
    for i in range(0, threads, 2):
        pair = min(2, threads - i)
        low, high = n * i // threads, n * (i + pair) // threads
        sure = high - low if pair == 1 else int((high - low) // 2 * SURE)
        free = np.full(1, high - low - pair * sure)
        parts += [Share(low, 1, sure, free), Share(high - 1, -1, sure, free)][:pair]
    return parts


@numba.extending.intrinsic
def _take_one(typing_context: Any, numbers: Any) -> Any:
    """``_take_one(numbers)``: the first number of an array, which becomes smaller by 1 in the same breath."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array = context.make_array(numbers)(context, builder, values[0])
        return builder.atomic_rmw("sub", array.data, cgutils.intp_t(1), "monotonic")

    return numba.types.intp(numbers), generate


@jittable
def has_next(share: Share, taken: int) -> bool:
    """Whether there is a further row for a thread that has had so many; it must do it then."""
    return taken < share.sure or _take_one(share.free) > 0


@jittable
def position(share: Share, taken: int) -> int:
    """Where the row stands that comes after so many."""
    return share.first + share.step * taken
