"""What the strategies of every track share: simple answers, draws as numbers, concession, positions in price ranges.

Plain arithmetic on numbers and records, so that a compiled world can compile these functions with the strategies that
call them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.simulator.compiled.alternating_offers import ACCEPT, END


def place(view: Any) -> tuple[int, int, int]:
    """Where a decision stands: the factory, the day, and how many decisions it has taken that day."""
    return int(view["factory"]), int(view["day"]), int(view["decision"])


@jittable
def end(actions: np.ndarray, k: int) -> None:
    """End the negotiation with partner ``k``."""
    actions[k]["response"] = END


@jittable
def accept(actions: np.ndarray, k: int) -> None:
    """Take the standing offer of partner ``k``."""
    actions[k]["response"] = ACCEPT


@jittable
def draw_number(draw: float, low: float, high: float) -> float:
    """A uniform draw as a number from ``low`` to ``high``."""
    return low + draw * (high - low)


@jittable
def draw_integer(draw: float, low: int, high: int) -> int:
    """A uniform draw as an integer from ``low`` to ``high``, both included."""
    return low + min(int(draw * (high - low + 1)), high - low)


@jittable
def falling(passed: int, total: int, exponent: float) -> float:
    """1 at the first of so many steps, 0 at the last one, in between to that power."""
    return (max(total - passed - 1, 0) / max(total - 1, 1)) ** exponent


@jittable
def price_of(selling: bool, low: int, high: int, gain: float) -> int:
    """The price at a position of a range: 1 is the best for this side, 0 the worst.

    Rounded to the nearest price, halves to the own advantage.
    """
    steps = int(min(max(gain, 0.0), 1.0) * (high - low) + 0.5)
    if selling:
        return low + steps
    return high - steps


@jittable
def gain_of(selling: bool, low: int, high: int, price: int) -> float:
    """The position of a price in a range: 1 is the best for this side, 0 the worst; 1 where all are equal."""
    if high <= low:
        return 1.0
    if selling:
        return (price - low) / (high - low)
    return (high - price) / (high - low)
