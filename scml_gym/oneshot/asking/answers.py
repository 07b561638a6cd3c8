"""What each answer to the partner whose turn it is is worth, and the best one; by the equation of
`scml_gym.oneshot.asking.values`."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import copy_line
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.asking.values import (
    LEAST_GAIN,
    MAX_ITEMS,
    MAX_TOTAL,
    PRICES,
    Prospects,
    fill_worth,
    money,
    offer_value,
    offered_price,
    put_before,
    put_others_before,
)
from scml_gym.oneshot.view import ACCEPT, END, MAX_PARTNERS, OFFER, SELLER, WAIT, FactoryView

N_ANSWERS = 3 + MAX_ITEMS * PRICES
"""Answers to a partner that are considered, in the order of `scml_gym.oneshot.actions.asked.AskedActions`."""

LET_GO, TAKE, FIRST_OFFER, LET_WAIT = 0, 1, 2, N_ANSWERS - 1
"""Where they stand: to end the negotiation, to accept, the first offer, to wait."""


@jittable
def offer_place(view: FactoryView, quantity: int, i: int) -> int:
    """Where an offer of so many items at price ``i`` stands among the answers: by items, the lower price first."""
    higher = (i if view["level"] == SELLER else 1 - i) if view["max_price"] > view["min_price"] else 0
    return FIRST_OFFER + (quantity - 1) * PRICES + higher


@jittable
def fill_blind_offers(
    view: FactoryView, prospects: Prospects, k: int, top: int, end: np.ndarray, worths: np.ndarray
) -> None:
    """What offers to partner ``k`` are worth where others have to be answered before it has an answer.

    Args:
        view: Of the factory.
        prospects: Of its partners.
        k: The partner.
        top: Totals above are not considered.
        end: float64 ``(MAX_TOTAL + 1,)``, the value after the last partner.
        worths: float64 ``(N_ANSWERS,)``, receives them.
    """
    before, after = prospects.available * prospects.due, prospects.available * (1 - prospects.due)
    informed, blind = np.zeros(MAX_TOTAL + 1), np.zeros(MAX_TOTAL + 1)
    copy_line(end, informed)
    put_others_before(view, prospects, after, k, top, informed)
    for i in range(PRICES):
        price = offered_price(view, i)
        for quantity in range(1, min(MAX_ITEMS, top) + 1):
            chance = prospects.chances[k, quantity, i]
            if chance < 0.0:
                continue
            brought = money(view, quantity, price)
            for x in range(top - quantity + 1):
                blind[x] = chance * (brought + informed[x + quantity]) + (1.0 - chance) * informed[x]
            put_others_before(view, prospects, before, k, top - quantity, blind)
            worths[offer_place(view, quantity, i)] = blind[0]


@jittable
def best_place(view: FactoryView, worths: np.ndarray) -> int:
    """The answer of the largest worth but to wait; of equal ones to let it go, to take its offer, the worst price, the
    fewest items."""
    best = TAKE if worths[TAKE] > worths[LET_GO] + LEAST_GAIN else LET_GO
    for i in range(PRICES):
        for quantity in range(1, MAX_ITEMS + 1):
            place = offer_place(view, quantity, i)
            if worths[place] > worths[best] + LEAST_GAIN:
                best = place
    return best


@jittable
def fill_worths(
    view: FactoryView, needs: int, prospects: Prospects, k: int, later: float, may_wait: bool, worths: np.ndarray
) -> int:
    """What each answer to partner ``k``, whose turn it is, is worth in expectation.

    Args:
        view: Of the factory.
        needs: Items still to be traded, more than 0.
        prospects: Of its partners.
        k: The partner.
        later: See `fill_worth`.
        may_wait: Whether ``WAIT`` is an answer.
        worths: float64 ``(N_ANSWERS,)``, comes as -inf, receives them in money.

    Returns:
        Where the best one stands.
    """
    end, now = np.zeros(MAX_TOTAL + 1), np.zeros(MAX_TOTAL + 1)
    top = fill_worth(view, needs, prospects, later, end)
    copy_line(end, now)
    put_others_before(view, prospects, prospects.available, k, top, now)
    worths[LET_GO], quantity = now[0], prospects.quantities[k]
    if 0 < quantity <= top:
        worths[TAKE] = money(view, quantity, prospects.prices[k]) + now[quantity]
    for i in range(PRICES):
        for quantity in range(1, min(MAX_ITEMS, top) + 1):
            value = offer_value(view, prospects, k, 0, quantity, i, now)
            if value > -np.inf:  # where both prices are one, its offers are made at the first
                worths[offer_place(view, quantity, i)] = value
    best = best_place(view, worths)
    due, others = False, False
    for j in range(MAX_PARTNERS):
        if j != k and prospects.available[j] != 0:
            due, others = due or prospects.due[j] != 0, True
        others = others or prospects.pending[j] > 0
    if best >= FIRST_OFFER and due:
        fill_blind_offers(view, prospects, k, top, end, worths)
        best = best_place(view, worths)
    if may_wait:
        put_before(view, prospects, k, top, end)
        put_others_before(view, prospects, prospects.available, k, top, end)
        worths[LET_WAIT] = end[0]
        if end[0] > worths[best] + LEAST_GAIN or (best == LET_GO and others):
            best = LET_WAIT
    return best


@jittable
def answer_at(view: FactoryView, place: int) -> tuple[int, int, int]:
    """Response, items and price of the answer that stands there."""
    if place == LET_GO:
        return END, 0, 0
    if place == TAKE:
        return ACCEPT, 0, 0
    if place == LET_WAIT:
        return WAIT, 0, 0
    higher = (place - FIRST_OFFER) % PRICES
    return OFFER, 1 + (place - FIRST_OFFER) // PRICES, view["max_price"] if higher == 1 else view["min_price"]
