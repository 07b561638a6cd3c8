"""Which standing offers to take: the best of all sets, by utility, shortfall and risk (thesis, section 4.5.2)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.planner import money_of
from scml_gym.oneshot.view import MAX_PARTNERS


class Prospects(NamedTuple):
    """What a set of standing offers is judged by.

    Attributes:
        seller: Whether the factory sells.
        needs: Items to be traded, without what pending offers are expected to bring.
        cap: Items that may be accepted at once.
        values: Money by item, see `scml_gym.oneshot.planner.unit_values`: of one used, apart from its price; of one
            too many; of one left open after this decision's offers.
        price: Money that an item costs (negative: brings) which this decision's offers trade.
        expected: float64 ``(MAX_PARTNERS,)``: items that an offer to each partner can be expected to bring.
        conservative: float64 ``(MAX_PARTNERS,)``: the same at the lower confidence bounds.
        risk: Weight of the difference between the two.
        hold: Part of what the items left open by a set would bring, by which the set must be worth more than none.
    """

    seller: bool
    needs: int
    cap: float
    values: tuple[float, float, float]
    price: float
    expected: np.ndarray
    conservative: np.ndarray
    risk: float
    hold: float


@jittable
def score(prospects: Prospects, quantity: float, money: float, expected: float, conservative: float) -> float:
    """What a set is worth: utility and shortfall of what is traded now and by offers, less the risk penalty.

    Args:
        prospects: What it is judged by.
        quantity: Items of the set that are counted on.
        money: Sum of quantity times price over the set.
        expected: Items that offers to the others can be expected to bring.
        conservative: The same at the lower confidence bounds.
    """
    value = money_of(prospects.seller, prospects.needs, prospects.values, quantity, money)
    left = max(prospects.needs - quantity, 0.0)
    gain = prospects.values[0] - prospects.price - prospects.values[2]  # of an item that an offer trades
    if gain <= 0.0:
        return value
    filled, sure = min(left, expected), min(left, conservative)
    held = prospects.hold * left if quantity > 0.0 else 0.0
    return value + gain * (filled - prospects.risk * (filled - sure) - held)


@jittable
def best_set(
    prospects: Prospects, n: int, partners: np.ndarray, quantities: np.ndarray, counted: np.ndarray, prices: np.ndarray
) -> tuple[int, float]:
    """The set of offers with the highest score, of all sets.

    Args:
        prospects: What they are judged by.
        n: Standing offers.
        partners: int64, at least ``(n,)``: who made each.
        quantities: int64, their items.
        counted: float64, the items that are counted on where contracts may be breached.
        prices: int64, their prices.

    Returns:
        A bit mask over partners, 0 for none, and its score. Of equal ones the smaller mask wins, so none before any.
    """
    expected, conservative = 0.0, 0.0
    for k in range(MAX_PARTNERS):
        expected += float(prospects.expected[k])
        conservative += float(prospects.conservative[k])
    best, best_score = 0, score(prospects, 0.0, 0.0, expected, conservative)
    for members in range(1, 1 << n):
        mask, items, quantity, money = 0, 0, 0.0, 0.0
        others, sure = expected, conservative
        for i in range(n):
            if (members >> i) & 1:
                k = partners[i]
                mask |= 1 << k
                items += quantities[i]
                quantity += counted[i]
                money += counted[i] * prices[i]
                others -= float(prospects.expected[k])
                sure -= float(prospects.conservative[k])
        if items <= prospects.cap:
            value = score(prospects, quantity, money, others, sure)
            if value > best_score + 1e-9:
                best, best_score = mask, value
    return best, best_score
