"""Which standing offers CIR accepts together: each set is rolled forward to the end of the world, and scored.

The score of a set is what it saves: the cost of the days to come without it, less that with it. The cost is what
missing items and stored inputs are charged. The days are rolled by the world's own settlement
(`scml_gym.standard.safety.rolling`); beyond the books nothing is delivered. The public code copies its inventory
manager for each of 200 sets and runs into time-outs.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import below, uniform
from scml_gym.standard.rules import prices_with, stock_after
from scml_gym.standard.safety.limits import put
from scml_gym.standard.safety.rolling import (
    BOTH_SIDES,
    CERTAIN,
    NO_SIDE,
    NONE,
    Contracts,
    days_to_come,
    delivered,
    deliveries_in,
    settle_ahead,
)
from scml_gym.standard.strategies.market import SALE, SUPPLY
from scml_gym.standard.view import BOOK_DAYS, MAX_PARTNERS, StandardView, is_consumer

TRIED = MAX_PARTNERS
"""The place of a contract that is tried out; before it are those with partners, after it what may be sold later."""

PLACES = MAX_PARTNERS + 1 + BOOK_DAYS
NUMBERS = 1 + 5 * PLACES
"""Of contracts with so many places, see `scml_gym.standard.safety.rolling.contracts_in`."""

EXHAUSTIVE = 7
"""Of so many offers or fewer, all sets are looked at."""

START_HEAT, COOLING = 1.0, 0.95
"""Of the annealing, and by what it is multiplied after each step."""


@jittable
def cost_of(view: StandardView, expected: float, contracts: Contracts) -> float:
    """Money that the days to come cost for missing items and stored inputs, with some further contracts.

    Args:
        view: What the factory sees.
        expected: Items that are counted on to be sold on each later day, those that are sold already included.
        contracts: Further ones, ``(PLACES,)`` each; those of what is expected are written here.
    """
    room = deliveries_in(scratch_integers(BOTH_SIDES), scratch_floats(BOTH_SIDES))
    penalty = view["shortfall_penalty"] * view["output_price"]
    storage = view["storage_cost"] * view["input_price"]
    demand, stock, balance, cost = int(expected + 0.5), view["stock"], view["balance"], 0.0
    days = days_to_come(view)
    for ahead in range(days):
        place = TRIED + 1 + ahead
        contracts.kind[place] = NONE
        sold = delivered(view, contracts, 1.0, SALE, ahead)
        if ahead > 0 and demand > sold:
            put(contracts, place, CERTAIN, SALE, ahead, demand - sold, int(view["output_price"]))
            sold = demand
        bought = delivered(view, contracts, 1.0, SUPPLY, ahead)
        stored = stock + bought
        stock, profit, missing, _ = settle_ahead(view, contracts, 1.0, room, NO_SIDE, ahead, stock, balance)
        balance += profit
        cost += missing * penalty + (stored - (sold - missing)) * storage
    for _ in range(view["n_days"] - view["day"] - days):
        made = min(view["lines"], stock, demand)
        cost += (demand - made) * penalty + (stock - made) * storage
        stock = stock_after(view["physical"] != 0, stock, 0, made)
    return cost


@jittable
def put_pending(view: StandardView, contracts: Contracts) -> None:
    """Put the offers in that partners are still thinking about, as if they were agreed."""
    for k in range(MAX_PARTNERS):
        partner = view["partners"][k]
        if partner["running"] != 0 and partner["my_turn"] == 0 and partner["my_quantity"] > 0:
            ahead = partner["my_day"] - view["day"]
            put(contracts, k, CERTAIN, int(is_consumer(k)), ahead, partner["my_quantity"], partner["my_price"])


@jittable
def put_set(view: StandardView, offers: np.ndarray, n: int, chosen: int, contracts: Contracts) -> None:
    """Put the standing offers in that a set holds, a bit for each, and take the others out."""
    for i in range(n):
        k, partner = offers[i], view["partners"][offers[i]]
        kind = CERTAIN if (chosen >> i) & 1 else NONE
        ahead, quantity, price = partner["offer_day"] - view["day"], partner["offer_quantity"], partner["offer_price"]
        put(contracts, k, kind, int(is_consumer(k)), ahead, quantity, price)


@jittable
def norm_of(before: float, after: float) -> float:
    """How much of a cost a set saves, on a scale where a half is nothing and 1 is all of it."""
    if before <= 0.0:
        return 0.5 if after <= before else 0.25
    return min(max(0.5 + 0.5 * (before - after) / before, 0.0), 1.0)


@jittable
def profit_of(view: StandardView, offers: np.ndarray, n: int, chosen: int) -> float:
    """How good the prices of a set are together: 1 where all are the best of today's ranges, -1 where all are the
    worst; 0 of a set that leaves no choice of prices."""
    best, total = 0.0, 0.0
    for i in range(n):
        if (chosen >> i) & 1:
            k, partner = offers[i], view["partners"][offers[i]]
            low, high = prices_with(view, k)
            gain = partner["offer_price"] - low if is_consumer(k) else high - partner["offer_price"]
            total += partner["offer_quantity"] * gain
            best += partner["offer_quantity"] * (high - low)
    return 2.0 * total / best - 1.0 if best > 0.0 else 0.0


@jittable
def changed_set(stream: np.ndarray, n: int, chosen: int) -> int:
    """A neighbour of a set: with an offer more, with one less, or with one in another's place."""
    move, i = below(stream, 3), below(stream, n)
    if move < 2:
        return chosen ^ (1 << i)
    j = below(stream, n)
    inside, outside = (chosen >> i) & 1, (chosen >> j) & 1
    return chosen ^ (1 << i) ^ (1 << j) if inside != outside else chosen


@jittable
def choose_set(
    view: StandardView,
    expected: float,
    steps: int,
    may_be_empty: bool,
    stream: np.ndarray,
    offers: np.ndarray,
    n: int,
    contracts: Contracts,
) -> tuple[int, float]:
    """The set of standing offers that saves most.

    All sets of few offers are looked at; of more, the sets that simulated annealing comes to.

    Args:
        view: What the factory sees.
        expected: See `cost_of`.
        steps: Of the annealing.
        may_be_empty: Whether no offer at all is a set too.
        stream: Of random numbers.
        offers: Indices of the partners whose offers they are.
        n: How many these are, 1 or more.
        contracts: Those that are certain anyway; the offers are put in.

    Returns:
        The set, a bit for each offer, and its `norm_of`.
    """
    put_set(view, offers, n, 0, contracts)
    before = cost_of(view, expected, contracts)
    best, best_norm = 0, 0.5 if may_be_empty else -1.0
    if n <= EXHAUSTIVE:
        for chosen in range(1, 1 << n):
            put_set(view, offers, n, chosen, contracts)
            norm = norm_of(before, cost_of(view, expected, contracts))
            if norm > best_norm:
                best, best_norm = chosen, norm
        return best, best_norm
    chosen, norm, heat = 1 << below(stream, n), -1.0, START_HEAT
    for step in range(steps):
        tried = chosen if step == 0 else changed_set(stream, n, chosen)
        if tried == 0 and not may_be_empty:
            continue
        put_set(view, offers, n, tried, contracts)
        tried_norm = norm_of(before, cost_of(view, expected, contracts))
        if tried_norm >= norm or uniform(stream) < np.exp((tried_norm - norm) / heat):
            chosen, norm = tried, tried_norm
        if norm > best_norm:
            best, best_norm = chosen, norm
        heat *= COOLING
    return best, best_norm
