"""What strategies share: prices from one's own point of view, time, needs and how they are split over partners.

Plain arithmetic on records, so that a compiled world can compile these functions with the strategies that call them.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import MAX_PARTNERS, OFFER, SELLER, ActionArray, FactoryView
from scml_gym.simulator.strategies import accept, draw_integer, draw_number, end, gain_of, price_of

__all__ = [
    "ORDER_DRAW",
    "accept",
    "advantage",
    "draw_integer",
    "draw_number",
    "end",
    "offer",
    "price_at",
    "price_gain",
    "running_partners",
    "split",
]

ORDER_DRAW = 32
"""The first of the ``MAX_PARTNERS`` draws of a decision that put partners into a random order."""


@jittable
def offer(actions: ActionArray, k: int, quantity: int, price: int) -> None:
    """Offer partner ``k`` so many items at that price per item."""
    actions[k]["response"] = OFFER
    actions[k]["quantity"] = quantity
    actions[k]["price"] = price


@jittable
def price_at(view: FactoryView, gain: float) -> int:
    """The price of today's range at a position of it: 1 is the best for this factory, 0 the worst.

    Rounded to the nearest price, halves to the own advantage.
    """
    return price_of(view["level"] == SELLER, view["min_price"], view["max_price"], gain)


@jittable
def price_gain(view: FactoryView, price: int) -> float:
    """The position of a price in today's range: 1 is the best for this factory, 0 the worst; 1 where all are equal."""
    return gain_of(view["level"] == SELLER, view["min_price"], view["max_price"], price)


@jittable
def advantage(view: FactoryView, price: int) -> int:
    """A number that is larger for the better of two prices."""
    return price if view["level"] == SELLER else -price


@jittable
def running_partners(view: FactoryView) -> int:
    """Partners whose negotiation of today has not ended."""
    count = 0
    for k in range(view["n_partners"]):
        if view["partners"][k]["running"] != 0:
            count += 1
    return count


@jittable
def split(view: FactoryView, quantity: int, even: bool, draws: np.ndarray, shares: np.ndarray) -> None:
    """Divide items over the partners still negotiating; what does not fill a round is drawn at random.

    Fewer items than partners: one item each for some of them, drawn at random. Else everyone gets one item, and each
    item beyond that goes to a partner drawn for it; with ``even``, shares differ by one item at most (in scml the rest
    is drawn there too, so that one partner can get more of it).

    Args:
        view: Says who is negotiating, and the largest quantity of an offer.
        quantity: Items to divide.
        even: Make shares as equal as possible.
        draws: Of the decision; the first ones divide items, those from ``ORDER_DRAW`` on order the partners.
        shares: int64 ``(MAX_PARTNERS,)``, all 0; receives the items of each partner.

    Source: scml/common.py, ``distribute``.
    """
    n = running_partners(view)
    if n == 0 or quantity <= 0:
        return
    base = quantity // n if even else min(1, quantity // n)
    rest = quantity - base * n
    order = scratch_integers(MAX_PARTNERS)  # partners negotiating, in random order
    for k in range(view["n_partners"]):
        if view["partners"][k]["running"] == 0:
            continue
        rank = 0
        for j in range(view["n_partners"]):
            if view["partners"][j]["running"] != 0 and draws[ORDER_DRAW + j] < draws[ORDER_DRAW + k]:
                rank += 1
        order[rank] = k
        shares[k] = base
    for item in range(rest):
        rank = item if base == 0 or (even and rest < n) else draw_integer(draws[item % ORDER_DRAW], 0, n - 1)
        shares[order[rank]] += 1
    for k in range(view["n_partners"]):
        shares[k] = min(shares[k], view["max_quantity"])
