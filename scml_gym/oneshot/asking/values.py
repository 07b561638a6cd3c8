r"""Asking partner after partner: which answer brings most in expectation where each reply is known before the next ask.

A factory that answers its negotiations one by one deals with partners ``1 .. n`` in an order. Partner ``i`` may have an
offer standing, ``q_i`` items at ``p_i``, which is an option: it can be taken while the factory waits. An offer of ``q``
items at ``p`` to it is accepted with chance ``c_i(q, p)``, and rejects the option. With ``m(p)`` the money
that an item brings (``p`` of a seller, ``-p`` of a buyer) and ``x`` items traded by partners before ``i``, the value of
going on is

    V_i(x) = max { V_{i+1}(x)                                                            let it go
                   m(p_i) q_i + V_{i+1}(x + q_i)                                         take its offer
                   max_{q, p}  c_i(q, p) (m(p) q + V_{i+1}(x + q))
                               + (1 - c_i(q, p)) V_{i+1}(x) }                            ask it

    V_{n+1}(x) = E W(x + Y)

``W`` is what a total of items is worth at the end of the day, apart from their prices, and ``Y`` what becomes of the
factory's own offers that have no answer yet: each is counted by the chance that it is still accepted. Asking partners
that have no offer standing first leaves the options open for longest, so they come first in the order. A partner whose
turn it is may be put last instead, by ``WAIT``: that is worth it where ``V`` is larger in that order.

That supposes that an offer has its answer before the next partner is asked. Where partners ``D`` have to be answered
before that (a seller's, that it cannot let wait any longer), an offer of ``q`` items at ``p`` to partner ``i`` is a
lottery while they are answered. With ``V^F`` the value of going on with the others only, ``D`` is put before

    W_{q,p}(x) = c_i(q, p) (m(p) q + V^F(x + q)) + (1 - c_i(q, p)) V^F(x)

and the best offer is that of the largest value then. Otherwise the factory would ask one partner, take the offers of
the rest all the same, and trade too much.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.planner import unit_values
from scml_gym.oneshot.view import ACCEPT, END, MAX_PARTNERS, OFFER, SELLER, FactoryView

MAX_ITEMS = 10
"""Largest quantity of an offer that is considered."""

PRICES = 2
"""Prices of an offer that are considered: the worst and the best of today's range for this factory."""

MAX_TOTAL = 2 * MAX_ITEMS
"""Largest total of items traded from now on that is considered."""

LEAST_GAIN = 1e-9
"""Values that differ by less count as equal, in money."""


class Prospects(NamedTuple):
    """What is known of all partners; arrays by partner index, filled by whoever asks.

    Attributes:
        available: int64 ``(MAX_PARTNERS,)``, 1 where the next move is mine.
        quantities: int64, items of the standing offer; 0 for none.
        prices: int64, its price.
        chances: float64 ``(MAX_PARTNERS, MAX_ITEMS + 1, PRICES)``: that an offer is accepted; below 0 for offers that
            are not made.
        pending: int64, items of my offer that has no answer yet; 0 for none.
        late: float64, the chance that it is still accepted.
        due: int64, 1 where its answer is due before an offer that is made now has its own.
    """

    available: np.ndarray
    quantities: np.ndarray
    prices: np.ndarray
    chances: np.ndarray
    pending: np.ndarray
    late: np.ndarray
    due: np.ndarray


@jittable
def new_prospects() -> Prospects:
    """Nobody is available, and nothing is pending."""
    return Prospects(
        np.zeros(MAX_PARTNERS, dtype=np.int64),
        np.zeros(MAX_PARTNERS, dtype=np.int64),
        np.zeros(MAX_PARTNERS, dtype=np.int64),
        np.full((MAX_PARTNERS, MAX_ITEMS + 1, PRICES), -1.0),
        np.zeros(MAX_PARTNERS, dtype=np.int64),
        np.zeros(MAX_PARTNERS),
        np.zeros(MAX_PARTNERS, dtype=np.int64),
    )


@jittable
def offered_price(view: FactoryView, i: int) -> int:
    """The price of today's range that offers are made at: 0 is the worst for this factory, 1 the best."""
    return view["max_price"] if (view["level"] == SELLER) == (i == 1) else view["min_price"]


@jittable
def best_price(view: FactoryView, price: int) -> int:
    """1 for the price that is best for this factory, where there are two, else 0."""
    return 1 if price != offered_price(view, 0) else 0


@jittable
def money(view: FactoryView, quantity: int, price: int) -> float:
    """What so many items bring at a price; a buyer pays."""
    return float(quantity * price) if view["level"] == SELLER else float(-quantity * price)


@jittable
def fill_worth(view: FactoryView, needs: int, prospects: Prospects, later: float, worth: np.ndarray) -> int:
    """The value after the last partner, ``V_{n+1}``, of each total of items traded from now on.

    Args:
        view: Of the factory.
        needs: Items still to be traded.
        prospects: Of which the pending offers matter here.
        later: The chance that an item left open is still traded, at the worst price.
        worth: float64 ``(MAX_TOTAL + 1,)``, receives the values in money.

    Returns:
        The largest total that is worth considering.
    """
    used, spare, still_open = unit_values(view, later)
    if view["level"] == SELLER:
        spare -= view["max_price"]  # items that cannot be delivered bring nothing
    under_way = np.zeros(MAX_PARTNERS * MAX_ITEMS + 1)
    under_way[0], most = 1.0, 0
    for k in range(MAX_PARTNERS):
        quantity, chance = min(prospects.pending[k], MAX_ITEMS), prospects.late[k]
        if quantity > 0:
            for total in range(most, -1, -1):
                under_way[total + quantity] += under_way[total] * chance
                under_way[total] *= 1.0 - chance
            most += quantity
    for x in range(MAX_TOTAL + 1):
        worth[x] = 0.0
        for y in range(most + 1):
            total = x + y
            value = used * min(total, needs) + spare * max(total - needs, 0) + still_open * max(needs - total, 0)
            worth[x] += under_way[y] * value
    return min(needs + MAX_ITEMS, MAX_TOTAL)


@jittable
def best_reply(
    view: FactoryView, prospects: Prospects, k: int, x: int, top: int, after: np.ndarray
) -> tuple[float, int]:
    """Value and response of the better of two answers to partner ``k``: to take its offer, or to let it go. The
    arguments are those of `best_answer`."""
    quantity = prospects.quantities[k]
    if quantity > 0 and x + quantity <= top:
        value = money(view, quantity, prospects.prices[k]) + after[x + quantity]
        if value > after[x] + LEAST_GAIN:
            return float(value), ACCEPT
    return float(after[x]), END


@jittable
def offer_value(
    view: FactoryView, prospects: Prospects, k: int, x: int, quantity: int, i: int, after: np.ndarray
) -> float:
    """What it is worth to ask partner ``k`` for so many items at price ``i``; -inf where that offer is not made. The
    other arguments are those of `best_answer`."""
    chance = prospects.chances[k, quantity, i]
    if chance < 0.0:
        return -np.inf
    return float(
        chance * (money(view, quantity, offered_price(view, i)) + after[x + quantity]) + (1.0 - chance) * after[x]
    )


@jittable
def best_answer(
    view: FactoryView, prospects: Prospects, k: int, x: int, top: int, after: np.ndarray
) -> tuple[float, int, int, int]:
    """The best answer to partner ``k`` at a total, without ``WAIT``: the maximum in the equation above.

    Args:
        view: Of the factory.
        prospects: Of its partners.
        k: The partner.
        x: Items traded by partners before it.
        top: Totals above are not considered.
        after: float64 ``(MAX_TOTAL + 1,)``, the value after this partner.

    Returns:
        Its value, response, items and price.
    """
    best, response = best_reply(view, prospects, k, x, top, after)
    items, at = 0, 0
    for i in range(PRICES):
        for quantity in range(1, min(MAX_ITEMS, top - x) + 1):
            value = offer_value(view, prospects, k, x, quantity, i, after)
            if value > best + LEAST_GAIN:
                best, response, items, at = value, OFFER, quantity, offered_price(view, i)
    return float(best), response, items, at


@jittable
def put_before(view: FactoryView, prospects: Prospects, k: int, top: int, values: np.ndarray) -> None:
    """Put partner ``k`` before those that ``values`` stand for: ``V_{k+1}`` becomes ``V_k``, in place."""
    for x in range(top + 1):  # larger totals are read after smaller ones are written only
        values[x], _, _, _ = best_answer(view, prospects, k, x, top, values)


@jittable
def put_others_before(
    view: FactoryView, prospects: Prospects, who: np.ndarray, k: int, top: int, values: np.ndarray
) -> None:
    """Put partners but ``k`` before those that ``values`` stand for: first those without an offer, in the order in
    which they are asked after ``k``, then those with one. Who they are is int64 ``(MAX_PARTNERS,)``, 1 for each."""
    n = view["n_partners"]
    for with_offer in (True, False):
        for back in range(1, n):
            j = (k + n - back) % n
            if who[j] != 0 and (prospects.quantities[j] > 0) == with_offer:
                put_before(view, prospects, j, top, values)
