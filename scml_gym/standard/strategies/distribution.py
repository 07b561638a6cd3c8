"""Random numbers beyond those of a decision: orders, and items distributed over partners.

A stream is an array ``(1,)`` of uint64, see `scml_gym.jit.random`; a strategy opens it with one of its draws.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.random import below, open_stream


@jittable
def stream_of(draws: np.ndarray, stream: np.ndarray) -> None:
    """Open a stream with the first draw of a decision."""
    open_stream(stream, int(draws[0] * 2.0**53))


@jittable
def shuffle(stream: np.ndarray, n: int, values: np.ndarray) -> None:
    """Put the first ``n`` values into a random order."""
    for i in range(n - 1, 0, -1):
        j = below(stream, i + 1)
        values[i], values[j] = values[j], values[i]


@jittable
def distribute(
    stream: np.ndarray,
    quantity: int,
    n: int,
    most: int,
    concentrated: bool,
    equal: bool,
    allow_zero: bool,
    shares: np.ndarray,
) -> None:
    """Distribute items over partners at random.

    Fewer items than partners: one each for some of them. Concentrated: as many as possible to one, then to the next.
    Else each item goes to a partner drawn for it, beyond a base that all have.

    Args:
        stream: Of random numbers.
        quantity: Items; what exceeds ``most`` for everyone is left out.
        n: Partners, 1 or more.
        most: Items of a partner.
        concentrated: Give to as few partners as possible.
        equal: The base is as large as possible; else it is one item.
        allow_zero: There is no base.
        shares: int64, receives the items of each of the ``n`` partners.

    Source: scml/common.py, ``distribute``.
    """
    quantity = min(quantity, most * n)
    base = quantity // n if equal else min(1, quantity // n)
    if concentrated or quantity < n:
        base = 0
    elif quantity == n:
        base = 1
    elif allow_zero:
        base = 0
    left = quantity - base * n
    for i in range(n):
        shares[i] = base
    if not concentrated and quantity >= n:
        for _ in range(left):
            shares[below(stream, n)] += 1
        for i in range(n):
            shares[i] = min(shares[i], most)
        return
    if not (concentrated and allow_zero):
        for i in range(min(quantity, n)):
            shares[i] = 1
        left -= min(quantity, n)
    for i in range(n):
        more = min(most - shares[i], left)
        shares[i] += more
        left -= more
    shuffle(stream, n, shares)
