"""A factory's score, what it did not deliver, and the order in which contracts are used: the same in all tracks."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.jit.compile import jittable


@jittable
def score_of(initial_balance: Any, profit: Any) -> Any:
    """A factory's score: its balance as a multiple of the initial one; arrays are taken too.

    Source: scml/oneshot/world.py, ``SCMLBaseWorld.scores``.
    """
    return (initial_balance + profit) / initial_balance


def breach_rate(days: np.ndarray) -> float:
    """Items that were sold and not delivered, of all that were sold; 0 where nothing was.

    Args:
        days: Of a factory, settled; has fields ``produced``, what was sold and delivered, and ``missing``, what was
            not.
    """
    missing, produced = int(days["missing"].sum()), int(days["produced"].sum())
    return missing / (missing + produced) if missing else 0.0


@jittable
def best_first(selling: bool, n: int, quantities: np.ndarray, prices: np.ndarray) -> None:
    """Sort contracts in place: the best paid ones first when selling, else the cheapest; equal ones keep their order.

    Source: scml/oneshot/ufun.py, ``OneShotUFun.from_offers``.
    """
    for i in range(1, n):
        quantity, price = quantities[i], prices[i]
        j = i
        while j > 0 and (prices[j - 1] < price if selling else prices[j - 1] > price):
            quantities[j], prices[j] = quantities[j - 1], prices[j - 1]
            j -= 1
        quantities[j], prices[j] = quantity, price
