"""First proposals: what a player means to trade on a day, before it knows what its partners say.

What was agreed in the end is its plan and its luck together, so a plan is learnt from what is proposed first. A player
that speaks second is asked as if it spoke first, as negmas asks it too.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.standard.strategies.market import SALE, price_gain
from scml_gym.standard.view import MAX_PARTNERS, MAX_PER_LEVEL, OFFER, ActionArray, StandardView

TOLERANCE, ANY = 0.1, 0.2
"""A price that is worse than the proposed one by up to that fraction is taken. By the physical stock rule a tenth, as
the sources' executor takes it. By the league's rule the width of today's range: what is not bought, or sold, there is
missing on every later day. Each is the better one under its rule (docs/results/manager.md)."""


@jittable
def as_opened(view: StandardView) -> None:
    """Change a view of a day's first decision to that of a factory that is asked to open all its negotiations."""
    for k in range(MAX_PARTNERS):
        partner = view["partners"][k]
        partner["my_turn"] = partner["running"]
        partner["offer_quantity"] = partner["offer_day"] = partner["offer_price"] = 0
        partner["step"], partner["relative_time"] = 0, 1.0 / (view["n_rounds"] + 1)


@jittable
def add_proposals(
    actions: ActionArray, view: StandardView, side: int, start: int, stop: int, proposed: np.ndarray
) -> None:
    """Sum the proposals of a side for the days from ``start`` to ``stop``, both from today.

    Args:
        actions: A player's answers.
        view: What the factory sees.
        side: ``SUPPLY`` or ``SALE``.
        start: The first day.
        stop: The one after the last day.
        proposed: float64 ``(2,)``: receives the items, and the worst price that is taken, by volume: its position in
            today's range, 1 the best for this factory and 0 the worst.
    """
    items, weighted = 0, 0.0
    tolerance = TOLERANCE if view["physical"] != 0 else ANY
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        if actions[k]["response"] == OFFER and start <= actions[k]["day"] - view["day"] < stop:
            worst = actions[k]["price"] * (1.0 - tolerance if side == SALE else 1.0 + tolerance)
            items += actions[k]["quantity"]
            weighted += actions[k]["quantity"] * min(max(price_gain(view, k, worst), 0.0), 1.0)
    proposed[0], proposed[1] = items, weighted / max(items, 1)


@jittable
def nearest(values: np.ndarray, number: float) -> int:
    """The place of the value that is nearest to a number; of two, the first."""
    best = 0
    for i in range(1, len(values)):
        if abs(values[i] - number) < abs(values[best] - number) - 1e-9:
            best = i
    return best


@jittable
def in_books(view: StandardView, side: int, start: int, stop: int) -> int:
    """Items of a side that are agreed for the days from ``start`` to before ``stop``, both from today."""
    items = 0
    for ahead in range(start, stop):
        items += view["supplies"][ahead] if side == 0 else view["sales"][ahead]
    return items
