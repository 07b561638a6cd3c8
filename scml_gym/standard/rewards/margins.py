"""What signed contracts gain over the market, and what stock saves: a second potential, of contracts by their margins.

The sources' potential holds the balance, so that profit counts twice, and counts the price of a purchase but not its
goods, so that every purchase for a later day looks like a loss. Here a purchase counts what it costs less than the
market, and a sale what it brings more.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from scml_gym.jit.compile import jittable
from scml_gym.standard.view import BOOK_DAYS, StandardView

USED = 0.5
"""Share of the lines that is at work on a day, roughly; what good agents of the league make is .4 to .5 of them."""


@jittable
def stock_worth(view: StandardView) -> float:
    """Money that the stock saves until the end, at the trading price of inputs.

    By the physical rule each item serves once, as far as the lines can still use it. In the league items serve on every
    day that is left, as far as the lines need them, and those beyond that are stored, and paid for, on all these days.
    """
    days, lines, stock = view["n_days"] - view["day"], view["lines"], view["stock"]
    if view["physical"] != 0:
        return view["input_price"] * min(stock, lines * days)
    stored = view["storage_cost"] * max(0, stock - lines)
    return view["input_price"] * days * (USED * min(stock, lines) - stored)


@functools.cache
def margin_value(gamma: float) -> Callable[[StandardView], float]:
    """``(view) -> float``, jittable: `stock_worth` and the margins of the contracts in the books, as a fraction of the
    initial balance.

    Args:
        gamma: What a margin loses in worth with each day until the delivery.
    """

    @jittable
    def value(view: StandardView) -> float:
        worth, weight = stock_worth(view), 1.0
        for ahead in range(BOOK_DAYS):
            worth += weight * (view["supplies"][ahead] * view["input_price"] - view["supplies_cost"][ahead])
            worth += weight * (view["sales_revenue"][ahead] - view["sales"][ahead] * view["output_price"])
            weight *= gamma
        return worth / view["initial_balance"]

    return value
