"""What each alternative of a clone's choices looks like: its features that are not 0, as indices and numbers.

The same functions serve players and the fit. They write from place ``n`` on and return the next free place.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.clones.layout import (
    ITEMS,
    LEFT_HIGH,
    LEFT_LOW,
    LEFTS,
    MAX_TOTAL,
    MEANS,
    N_SHARE,
    N_TOTAL,
    NEAR_HIGH,
    NEAR_LOW,
    NEARS,
    QUANTITY,
    RATE,
    SHARE_HIGH,
    SHARE_LOW,
    SHARES,
    TOTALS,
    clipped,
)
from scml_gym.oneshot.planner import money_of, unit_values
from scml_gym.oneshot.strategies.market import price_at, price_gain
from scml_gym.oneshot.view import MAX_PARTNERS, SELLER, FactoryView

MAX_SETS = 2**MAX_PARTNERS

LEAST_MISS, LEAST_UNDER, LEAST_OVER, BEST = range(4)
"""Of all sets: the least distance from the needs, from below, from above, and the most money."""


class Sets(NamedTuple):
    """All sets of the standing offers; a set is a bit mask over them.

    Attributes:
        partners: Int64 ``(MAX_PARTNERS,)``: the partner of each standing offer.
        quantity: Float64 ``(MAX_SETS,)``: items of a set.
        money: Likewise: of all items together.
        bad: Likewise: items, each by how far its price is from the best one.
        rate: Likewise: what is remembered of the partners, summed up.
        large: Likewise: offers of more than an equal share of the needs.
        best: Float64 ``(4,)``, see `LEAST_MISS`.
    """

    partners: np.ndarray
    quantity: np.ndarray
    money: np.ndarray
    bad: np.ndarray
    rate: np.ndarray
    large: np.ndarray
    best: np.ndarray


@jittable
def put(index: np.ndarray, value: np.ndarray, n: int, feature: int, number: float) -> int:
    """Write a feature."""
    if number == 0.0:
        return n
    index[n], value[n] = feature, number
    return n + 1


@jittable
def is_opening(view: FactoryView) -> bool:
    """Whether first offers are asked for: nobody whose answer is due has offered anything."""
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0 and view["partners"][k]["offer_quantity"] > 0:
            return False
    return True


@jittable
def set_value(view: FactoryView, values: tuple[float, float, float], quantity: float, money: float) -> float:
    """What a set brings today, up to a constant, in good prices."""
    return money_of(view["level"] == SELLER, view["needs"], values, quantity, money) / max(view["max_price"], 1)


@jittable
def running(view: FactoryView) -> int:
    """Partners whose negotiation of today has not ended."""
    n = 0
    for k in range(view["n_partners"]):
        if view["partners"][k]["running"] != 0:
            n += 1
    return n


@jittable
def find_sets(view: FactoryView, memory: np.ndarray, sets: Sets) -> int:
    """Write all sets of standing offers; returns how many offers there are."""
    n = 0
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0 and view["partners"][k]["offer_quantity"] > 0:
            sets.partners[n] = k
            n += 1
    needs, values = view["needs"], unit_values(view, 0.0)
    sets.quantity[0], sets.money[0], sets.bad[0], sets.rate[0], sets.large[0] = 0.0, 0.0, 0.0, 0.0, 0.0
    share = needs // max(running(view), 1)
    best = sets.best
    best[LEAST_MISS], best[LEAST_UNDER], best[LEAST_OVER], best[BEST] = 1e9, 1e9, 1e9, -1e9
    for mask in range(1 << n):
        if mask > 0:
            bit = 0
            while not (mask >> bit) & 1:
                bit += 1
            k, rest = sets.partners[bit], mask & (mask - 1)
            quantity, price = view["partners"][k]["offer_quantity"], view["partners"][k]["offer_price"]
            sets.quantity[mask] = sets.quantity[rest] + quantity
            sets.money[mask] = sets.money[rest] + quantity * price
            sets.bad[mask] = sets.bad[rest] + quantity * (1.0 - price_gain(view, price))
            sets.rate[mask] = sets.rate[rest] + memory[RATE + k]
            sets.large[mask] = sets.large[rest] + (1.0 if quantity > share else 0.0)
        left = needs - sets.quantity[mask]
        best[LEAST_MISS] = min(best[LEAST_MISS], abs(left))
        if left >= 0.0:
            best[LEAST_UNDER] = min(best[LEAST_UNDER], left)
        if left <= 0.0:
            best[LEAST_OVER] = min(best[LEAST_OVER], -left)
        best[BEST] = max(best[BEST], set_value(view, values, sets.quantity[mask], sets.money[mask]))
    return n


@jittable
def set_features(
    view: FactoryView, sets: Sets, n_offers: int, n_running: int, mask: int, index: np.ndarray, value: np.ndarray
) -> int:
    """The features of taking a set; returns how many there are.

    Args:
        view: Of the decision.
        sets: Of `find_sets`.
        n_offers: Likewise.
        n_running: Partners whose negotiation has not ended.
        mask: The set.
        index: Receives the features' indices.
        value: Receives what they are.
    """
    taken = 0
    for bit in range(n_offers):
        taken += (mask >> bit) & 1
    quantity, bad, best = sets.quantity[mask], sets.bad[mask], sets.best
    left = view["needs"] - quantity
    place = clipped(int(left), LEFT_LOW, LEFT_HIGH)
    n, f = put(index, value, 0, place, 1.0), 2 * LEFTS
    if taken < n_running:
        n = put(index, value, n, LEFTS + place, 1.0)
    if abs(left) == best[LEAST_MISS]:
        n = put(index, value, n, f, 1.0)
    if left == best[LEAST_UNDER]:
        n = put(index, value, n, f + 1, 1.0)
    if -left == best[LEAST_OVER]:
        n = put(index, value, n, f + 2, 1.0)
    regret = best[BEST] - set_value(view, unit_values(view, 0.0), quantity, sets.money[mask])
    if regret < 1e-9:
        n = put(index, value, n, f + 3, 1.0)
    n = put(index, value, n, f + 4, min(regret, 10.0) / 5.0)
    n = put(index, value, n, f + 12, (sets.large[(1 << n_offers) - 1] - sets.large[mask]) / 4.0)
    if mask == 0:
        return put(index, value, n, f + 5, 1.0)
    n = put(index, value, n, f + 13, (taken - sets.large[mask]) / 4.0)
    if taken == n_offers:
        n = put(index, value, n, f + 6, 1.0)
    n = put(index, value, n, f + 7, taken / 4.0)
    if bad > 0.0:
        n = put(index, value, n, f + 8, 1.0)
    n = put(index, value, n, f + 9, bad / quantity)
    n = put(index, value, n, f + 10, bad / 5.0)
    return put(index, value, n, f + 11, sets.rate[mask])


@jittable
def total_features(
    left: int, opening: bool, took: bool, n_rest: int, total: int, index: np.ndarray, value: np.ndarray
) -> int:
    """The features of asking the rest for so many items; returns how many there are.

    Args:
        left: Items that the set taken leaves to be traded.
        opening: Whether these are first offers.
        took: Whether a standing offer is taken.
        n_rest: Partners that can be asked.
        total: Items asked for.
        index: Receives the features' indices.
        value: Receives what they are.
    """
    n = put(index, value, 0, clipped(total - left, LEFT_LOW, LEFT_HIGH), 1.0)
    if total == 0:
        n = put(index, value, n, LEFTS + (1 if took else 0), 1.0)
    if total == n_rest:
        n = put(index, value, n, LEFTS + 2, 1.0)
    if total == n_rest * left:
        n = put(index, value, n, LEFTS + 3, 1.0)
    n = put(index, value, n, LEFTS + 4, total / 10.0)
    mean = total // n_rest
    if total == mean * n_rest:
        n = put(index, value, n, LEFTS + 5, 1.0)
    near = clipped(left, NEAR_LOW, NEAR_HIGH) + (NEARS if opening else 0)
    n = put(index, value, n, N_TOTAL + near * TOTALS + min(total, TOTALS - 1), 1.0)
    table = N_TOTAL + 2 * NEARS * TOTALS
    n = put(index, value, n, table + near * MEANS + min(mean, MEANS - 1), 1.0)
    table += 2 * NEARS * MEANS
    return put(index, value, n, table + (n_rest - 1) * SHARES + clipped(total - left, SHARE_LOW, SHARE_HIGH), 1.0)


@jittable
def standing(view: FactoryView, k: int) -> int:
    """Items of a partner's standing offer; 0 where there is none to be answered."""
    partner = view["partners"][k]
    return partner["offer_quantity"] if partner["my_turn"] != 0 else 0


ASKED, BEST_RATE, ALL_ITEMS, ALL_OFFERED = range(4)


@jittable
def add_asked(view: FactoryView, memory: np.ndarray, k: int, asked: np.ndarray) -> None:
    """Count a partner among those that are asked.

    Args:
        view: Of the decision.
        memory: Of the clone.
        k: The partner.
        asked: Float64 ``(4,)``: how many there are, the highest rate of them (-1 to begin with), items agreed with them
            on earlier days, and items that they offer.
    """
    asked[ASKED] += 1.0
    asked[BEST_RATE] = max(asked[BEST_RATE], memory[RATE + k])
    asked[ALL_ITEMS] += memory[ITEMS + k]
    asked[ALL_OFFERED] += standing(view, k)


@jittable
def drop_asked(view: FactoryView, memory: np.ndarray, k: int, asked: np.ndarray) -> None:
    """Count a partner, whose share is chosen, no more."""
    asked[ASKED] -= 1.0
    asked[ALL_ITEMS] -= memory[ITEMS + k]
    asked[ALL_OFFERED] -= standing(view, k)


@jittable
def share_features(
    view: FactoryView,
    memory: np.ndarray,
    opening: bool,
    k: int,
    asked: np.ndarray,
    rest: int,
    quantity: int,
    index: np.ndarray,
    value: np.ndarray,
) -> int:
    """The features of asking a partner for so many items; returns how many there are.

    Args:
        view: Of the decision.
        memory: Of the clone.
        opening: Whether these are first offers.
        k: The partner.
        asked: The partners that are still to be asked, this one among them, see `add_asked`; 2 or more.
        rest: Items that they are asked for together.
        quantity: Items that this one is asked for.
        index: Receives the features' indices.
        value: Receives what they are.
    """
    partner, rate, offered = view["partners"][k], memory[RATE + k], standing(view, k)
    n_rest = int(asked[ASKED])
    equal = rest // n_rest
    more = rest - equal * n_rest
    n = 0
    if quantity == rest:
        n = put(index, value, n, 0, 1.0)
    if quantity == equal + 1 and more > 0:
        n = put(index, value, n, 2, np.log(more / (n_rest - more)))
    n = put(index, value, n, 4, quantity * rate / 3.0)
    if quantity == 0:
        n = put(index, value, n, 1, 1.0)
        n = put(index, value, n, 3, rate)
        if offered > 0:
            n = put(index, value, n, 8, 1.0)
            n = put(index, value, n, 7, 1.0 - price_gain(view, partner["offer_price"]))
    elif quantity == offered:
        n = put(index, value, n, 5, 1.0)
    elif quantity > offered > 0:
        n = put(index, value, n, 6, 1.0)
    if quantity == partner["my_quantity"] > 0:
        n = put(index, value, n, 9, 1.0)
    if rate >= asked[BEST_RATE]:
        n = put(index, value, n, 10, quantity / 3.0)
    if quantity == memory[QUANTITY + k] > 0.0:
        n = put(index, value, n, 11, 1.0)
    n = put(index, value, n, 12, quantity * quantity / 25.0)
    if rest - quantity < n_rest - 1 <= rest - 1:  # too few are left to ask each of the others for one
        n = put(index, value, n, 15, 1.0)
    if asked[ALL_ITEMS] > 0.0:
        n = put(index, value, n, 13, quantity * rest * memory[ITEMS + k] / asked[ALL_ITEMS] / 9.0)
    if asked[ALL_OFFERED] > 0.0:
        n = put(index, value, n, 14, quantity * rest * offered / asked[ALL_OFFERED] / 9.0)
    row = n_rest - 2 + (MAX_PARTNERS - 1 if opening else 0)
    return put(index, value, n, N_SHARE + row * SHARES + clipped(quantity - equal, SHARE_LOW, SHARE_HIGH), 1.0)


WORST_PRICE, BETWEEN, BEST_PRICE = range(3)
"""Of a choice of price."""


@jittable
def price_features(
    view: FactoryView,
    memory: np.ndarray,
    took: bool,
    k: int,
    quantity: int,
    previous: int,
    price: int,
    index: np.ndarray,
    value: np.ndarray,
) -> int:
    """The features of offering a price; returns how many there are.

    Args:
        view: Of the decision.
        memory: Of the clone.
        took: Whether a standing offer is taken.
        k: The partner.
        quantity: Items that it is asked for.
        previous: The price of the last offer of this decision, as ``price``; -1 where there is none.
        price: `WORST_PRICE`, `BETWEEN` or `BEST_PRICE`.
        index: Receives the features' indices.
        value: Receives what they are.
    """
    n = put(index, value, 0, price, 1.0)
    if price == previous:
        n = put(index, value, n, 3, 1.0)
    if price != BEST_PRICE:
        return n
    partner = view["partners"][k]
    if partner["my_turn"] != 0 and partner["offer_quantity"] > 0:
        n = put(index, value, n, 4, 1.0)
        n = put(index, value, n, 5, price_gain(view, partner["offer_price"]))
    n = put(index, value, n, 6, quantity / 5.0)
    n = put(index, value, n, 7, memory[RATE + k])
    if partner["my_quantity"] > 0:
        n = put(index, value, n, 8, price_gain(view, partner["my_price"]))
    return put(index, value, n, 9, 1.0 if took else 0.0)


@jittable
def least_share(view: FactoryView, n_rest: int, rest: int) -> int:
    """The fewest items that a partner can be asked for, so that the others can be asked for the rest."""
    return max(rest - view["max_quantity"] * (n_rest - 1), 0)


@jittable
def most_total(view: FactoryView, n_rest: int) -> int:
    """The most items that so many partners are asked for."""
    return min(view["max_quantity"] * n_rest, MAX_TOTAL)


@jittable
def price_kind(view: FactoryView, price: int) -> int:
    """Which of the three kinds of price it is."""
    if price == price_at(view, 1.0):
        return BEST_PRICE
    return WORST_PRICE if price == price_at(view, 0.0) else BETWEEN
