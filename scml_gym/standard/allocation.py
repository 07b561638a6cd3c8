"""Allocation: what is wanted by side and by groups of days is divided over the partners; offers are bounded together.

Of the standing offers of a group of days, the set is taken whose total comes nearest to what is wanted without passing
it. What is then left is asked of the other partners: each partner is asked for one day, and all offers together ask for
no more than is wanted. So whatever is accepted, never too much is agreed. A partner of whom nothing is wanted is let
go. Numbers and arrays only, without randomness.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.simulator.strategies import accept, end
from scml_gym.standard.strategies.market import SALE, days_ahead, offer, price_at, price_gain
from scml_gym.standard.view import BOOK_DAYS, MAX_PER_LEVEL, NOOP, ActionArray, StandardView

MAX_GROUPS = BOOK_DAYS
"""Groups of days, at most: each day by itself."""

EACH_DAY = np.arange(BOOK_DAYS + 1)
"""Groups of one day each; see `allocate`."""


@jittable
def add_pending(view: StandardView, side: int, quantities: np.ndarray) -> None:
    """Add the items that partners of a side may still accept, where no answer to them is asked for, by days from today.

    Args:
        view: Has my last offers.
        side: ``SUPPLY`` or ``SALE``.
        quantities: int64 ``(BOOK_DAYS,)``, changed in place.
    """
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        partner = view["partners"][k]
        if partner["running"] != 0 and partner["my_turn"] == 0 and partner["my_quantity"] > 0:
            quantities[partner["my_day"] - view["day"]] += partner["my_quantity"]


@jittable
def allocate(
    view: StandardView,
    starts: np.ndarray,
    wanted: np.ndarray,
    limits: np.ndarray,
    exponent: float,
    actions: ActionArray,
) -> None:
    """Answer every partner whose turn it is.

    Args:
        view: What the factory sees.
        starts: int64 ``(n_groups + 1,)``: the day from today, 0 for today, with which each group of days begins, and
            the one after the last group's last day.
        wanted: int64 ``(2 * n_groups,)``: items still to be agreed on, of supplies by group, then of sales, without
            those that partners still think about (`add_pending`); what is not positive is not wanted. Changed in place.
        limits: float64 ``(2 * n_groups,)``: the worst prices taken and asked for, as positions of today's ranges: 1
            is the best for the factory, 0 the worst.
        exponent: Of concession: prices asked for fall from the best one to the limit with relative time to this power.
        actions: Come as no-ops; valid afterwards.
    """
    n_groups = len(starts) - 1
    for side in range(2):
        due, offers = _count_due(view, side)
        if due == 0:
            continue
        for group in range(n_groups):
            i = side * n_groups + group
            if wanted[i] > 0 and offers > 0:
                wanted[i] -= _take_best(view, side, starts[group], starts[group + 1], wanted[i], limits[i], actions)
        _ask(view, side, starts, wanted, limits, exponent, actions)


@jittable
def _count_due(view: StandardView, side: int) -> tuple[int, int]:
    """How many partners of a side are to be answered, and how many of these have made an offer."""
    due, offers = 0, 0
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        if view["partners"][k]["my_turn"] != 0:
            due += 1
            offers += view["partners"][k]["offer_quantity"] > 0
    return due, offers


@jittable
def _take_best(
    view: StandardView, side: int, start: int, stop: int, wanted: int, limit: float, actions: ActionArray
) -> int:
    """Accept the standing offers of a group of days with the largest total up to what is wanted; of equal totals the
    best paid. Returns the total."""
    partners, quantities = scratch_integers(MAX_PER_LEVEL), scratch_integers(MAX_PER_LEVEL)
    gains = scratch_floats(MAX_PER_LEVEL)
    n = 0
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        partner = view["partners"][k]
        if partner["my_turn"] == 0 or not 0 < partner["offer_quantity"] <= wanted:
            continue
        if not start <= partner["offer_day"] - view["day"] < stop:
            continue
        gain = price_gain(view, k, partner["offer_price"])
        if gain >= limit:
            partners[n], quantities[n], gains[n] = k, partner["offer_quantity"], gain * partner["offer_quantity"]
            n += 1
    best, best_total, best_gain = 0, 0, 0.0
    for mask in range(1, 1 << n):
        total, gain = 0, 0.0
        for i in range(n):
            if (mask >> i) & 1:
                total += quantities[i]
                gain += gains[i]
        if total <= wanted and (total > best_total or (total == best_total and gain > best_gain)):
            best, best_total, best_gain = mask, total, gain
    for i in range(n):
        if (best >> i) & 1:
            accept(actions, partners[i])
    return best_total


@jittable
def _ask(
    view: StandardView,
    side: int,
    starts: np.ndarray,
    wanted: np.ndarray,
    limits: np.ndarray,
    exponent: float,
    actions: ActionArray,
) -> None:
    """Offer what is left of a side to its partners without an answer, and let those go who get no offer.

    Each next partner goes to the group that has most items for each of its partners; who comes first moves on with
    factory, day and decision.
    """
    n_groups = len(starts) - 1
    asked, group_of = scratch_integers(MAX_GROUPS), scratch_integers(MAX_PER_LEVEL)
    open_groups, n_open = scratch_integers(MAX_GROUPS), 0
    for group in range(n_groups):
        if wanted[side * n_groups + group] > 0 and starts[group] <= days_ahead(view):
            open_groups[n_open] = group
            n_open += 1
    booked = scratch_integers(BOOK_DAYS)
    for ahead in range(BOOK_DAYS):
        booked[ahead] = view["sales"][ahead] if side == SALE else view["supplies"][ahead]
    turn = view["factory"] + view["day"] + view["decision"]
    for place in range(MAX_PER_LEVEL):
        k = side * MAX_PER_LEVEL + (turn + place) % MAX_PER_LEVEL
        group_of[place] = -1
        if view["partners"][k]["my_turn"] == 0 or actions[k]["response"] != NOOP:
            continue
        most = 0.0
        for i in range(n_open):
            group = open_groups[i]
            left = wanted[side * n_groups + group]
            if left > asked[group] and left / (asked[group] + 1) > most:
                group_of[place], most = group, left / (asked[group] + 1)
        if group_of[place] >= 0:
            asked[group_of[place]] += 1
    for place in range(MAX_PER_LEVEL):
        k = side * MAX_PER_LEVEL + (turn + place) % MAX_PER_LEVEL
        if view["partners"][k]["my_turn"] == 0 or actions[k]["response"] != NOOP:
            continue
        group = group_of[place]
        if group < 0:
            end(actions, k)
            continue
        i = side * n_groups + group
        share = int(min((wanted[i] + asked[group] - 1) // asked[group], view["max_quantity"]))  # more for the first
        wanted[i] -= share
        asked[group] -= 1
        ahead = starts[group]
        for later in range(starts[group] + 1, min(starts[group + 1], days_ahead(view) + 1)):
            if booked[later] < booked[ahead]:
                ahead = later
        booked[ahead] += share
        gain = limits[i] + (1.0 - limits[i]) * (1.0 - view["partners"][k]["relative_time"] ** exponent)
        offer(actions, k, share, view["day"] + ahead, price_at(view, k, gain))
