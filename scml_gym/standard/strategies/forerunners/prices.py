"""At which prices Y and YR open, agree and concede."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.standard.rules import prices_with
from scml_gym.standard.strategies.forerunners.manager import Plan, needed_soon
from scml_gym.standard.strategies.forerunners.memory import (
    DEALS,
    EARNED,
    SOLD,
    TALKS,
    YESTERDAY_DEALS,
    YESTERDAY_FAILURES,
    expected_price,
    input_cost,
    last_step,
    market_price,
    reservation_price,
    sale_price,
)
from scml_gym.standard.view import BOOK_DAYS, StandardView, is_consumer

NO_PRICE = -1
"""Where no price of today's range is good enough."""


@jittable
def unit_cost(view: StandardView, memory: np.ndarray) -> float:
    """What an output costs: its input and its production."""
    return input_cost(view, memory) + view["production_cost"]


@jittable
def adapted_margin(view: StandardView, memory: np.ndarray, margin: float, plan: Plan) -> float:
    """The margin over cost that sales must bring now.

    Less where more can be made than is sold, and late in the world; more where hardly anything can be made, which is
    taken to be less than a half, or a fifth, of what the next 5 days deliver.
    """
    sold, spare = 0, plan.room[0]
    for ahead in range(min(5, BOOK_DAYS)):
        sold += view["sales"][ahead]
    if sold > 0 and spare > sold:
        margin = 0.05 if spare > 2 * sold else 0.07
    elif sold == 0 and spare > view["lines"]:
        margin = 0.06
    elif sold > 0 and 2 * spare < sold:
        margin = max(margin, 0.15 if 5 * spare < sold else 0.12)
    passed = view["day"] / view["n_days"]
    if passed > 0.85:
        margin = min(margin, 0.03)
    elif passed > 0.6:
        margin = min(margin, 0.08)
    margin += 0.005 * (int(memory[YESTERDAY_DEALS]) // 5) - 0.005 * memory[YESTERDAY_FAILURES]
    return min(max(margin, 0.02), 0.25)


@jittable
def cheap_price(view: StandardView, memory: np.ndarray, cheap: float, plan: Plan) -> float:
    """The price up to which inputs are bought that no plan needs.

    Args:
        view: What the factory sees.
        memory: Of prices.
        cheap: Fraction of the market price at the start of a world.
        plan: Of the books.
    """
    passed, needed = view["day"] / view["n_days"], needed_soon(view, plan, 10)
    if passed > 0.8:
        cheap = min(cheap, 0.4)
    elif passed > 0.5:
        cheap = min(cheap, 0.6)
    if view["stock"] > 1.5 * needed:
        cheap = min(cheap, 0.5)
    elif view["stock"] > needed:
        cheap = min(cheap, 0.6)
    elif view["stock"] < 0.5 * needed:
        cheap = max(cheap, 0.8)
    if plan.later[0] == 0 and plan.made[0] == 0:
        cheap = min(cheap, 0.3)
    return min(max(cheap, 0.2), 0.85) * market_price(view, memory)


@jittable
def worth_of_missing(view: StandardView, memory: np.ndarray, mended: bool) -> float:
    """What it costs to miss an input today.

    The public code compares prices with the shortfall penalty's factor, which is 0.2 to 1. Mended it is money: the
    penalty, and what the output would have earned.
    """
    if not mended:
        return view["shortfall_penalty"]
    return view["shortfall_penalty"] * view["output_price"] + sale_price(view, memory) - view["production_cost"]


@jittable
def sale_floor(view: StandardView, memory: np.ndarray, margin: float, tight: float, sold: int) -> float:
    """The lowest price that a sale may have for a day of which so many items are sold: more where lines are few."""
    if view["lines"] - sold < 0.2 * view["lines"]:
        margin += tight
    return unit_cost(view, memory) * (1.0 + margin)


@jittable
def opening_price(view: StandardView, memory: np.ndarray, k: int, margin: float, tight: float, sold: int) -> int:
    """The price of a first offer: the lowest one for inputs; for outputs cost and margin, which past sales raise.

    Returns:
        A price of today's range; ``NO_PRICE`` where none of it covers cost and margin.
    """
    low, high = prices_with(view, k)
    if not is_consumer(k):
        return low
    floor = sale_floor(view, memory, margin, 0.0, sold)
    if floor > high:
        return NO_PRICE
    if view["lines"] - sold < 0.2 * view["lines"]:
        margin += tight
    past = memory[EARNED] / memory[SOLD] / unit_cost(view, memory) - 1.0 if memory[SOLD] >= 1.0 else 0.0
    if memory[DEALS] >= 3.0 and past > margin + 0.05:
        margin = (margin + past) / 2.0
    if memory[TALKS] >= 1.0 and memory[DEALS] > 0.8 * memory[TALKS]:
        margin += 0.02
    price = unit_cost(view, memory) * (1.0 + margin)
    return rounded(view, k, price, floor)


@jittable
def rounded(view: StandardView, k: int, price: float, limit: float) -> int:
    """The price of today's range nearest to a price, where a sale never falls below the limit.

    Returns:
        The price; ``NO_PRICE`` where none of the range is at the limit or better.
    """
    low, high = prices_with(view, k)
    whole = int(min(max(price, float(low)), float(high)) + 0.5)
    if is_consumer(k):
        if whole < limit:
            whole += 1
        return whole if whole <= high and whole >= limit else NO_PRICE
    return whole


@jittable
def concession(view: StandardView, memory: np.ndarray, k: int, exponent: float) -> float:
    """How much of the way from its best price to its target this factory has conceded to partner ``k``, 0 to 1."""
    time = view["partners"][k]["relative_time"]
    given = min(max(time**exponent * (1.0 + last_step(view, memory, k)), 0.0), 1.0)
    if not is_consumer(k):
        return min(1.0, given + min(1.0, view["shortfall_penalty"] / 10.0))
    if time > 0.85:
        return max(given, 0.8)
    return max(given, 0.6) if time > 0.7 else given


@jittable
def counter_price(view: StandardView, memory: np.ndarray, k: int, limit: float, exponent: float) -> int:
    """The price of a counter-offer to partner ``k``.

    From the best price of the range it moves towards the mean of the own limit and of what the partner usually pays;
    the mean of that and of the partner's reservation price is offered.

    Args:
        view: What the factory sees.
        memory: Of prices and partners.
        k: The partner.
        limit: The worst price that this factory takes.
        exponent: Of concession by relative time.

    Returns:
        A price of today's range; ``NO_PRICE`` where a sale's limit is above it.
    """
    low, high = prices_with(view, k)
    best = float(high if is_consumer(k) else low)
    own = min(max(limit, float(low)), float(high))
    target = (own + expected_price(memory, k, own)) / 2.0
    price = best + (target - best) * concession(view, memory, k, exponent)
    return rounded(view, k, (price + reservation_price(view, memory, k)) / 2.0, limit)


@jittable
def aspiration_price(view: StandardView, memory: np.ndarray, k: int, limit: float) -> int:
    """The price of a counter-offer of YR: from the best of the range it falls to the limit with the third power of the
    time that is left. ``NO_PRICE`` where a sale's limit is above the range."""
    low, high = prices_with(view, k)
    own = min(max(limit, float(low)), float(high))
    left = (1.0 - view["partners"][k]["relative_time"]) ** 3.0
    best = float(high if is_consumer(k) else low)
    return rounded(view, k, own + (best - own) * left, limit)
