"""Rules of the Standard track that more than one part asks for: which answers can be played, books, needs, stock.

Arithmetic on records, so that real simulations, compiled worlds, environments and rewards call the same functions.
"""

from __future__ import annotations

import numpy as np

from scml_gym.core.arguments import one_of
from scml_gym.jit.compile import jittable
from scml_gym.simulator.compiled.answers import answer_rules, refuse_invalid
from scml_gym.standard.view import BOOK_DAYS, ActionArray, StandardView, is_consumer

STOCK_RULES = ("league", "physical")
"""What becomes of inputs that production takes out of stock; see `stock_after`."""

PRICE_RANGE = 0.1
"""Prices may be off the trading price by that fraction (scml/std/world.py, ``price_range_fraction``)."""

QUANTITY_MULTIPLIER = 3
"""An offer may be of that many times the largest number of lines (scml/std/world.py, ``quantity_multiplier``)."""


def stock_rule(stock: str) -> bool:
    """Whether a stock rule is the physical one.

    Raises:
        InputError: if there is no such rule.
    """
    return one_of("stock", stock, STOCK_RULES) == "physical"


@jittable
def stock_after(physical: bool, stock: int, bought: int, produced: int) -> int:
    """Inputs in stock after a day.

    In the league nothing ever leaves the stock: what was bought today and not used is added, and what production took
    out of stock stays there all the same. By the physical rule what is used is gone.

    Args:
        physical: Which rule.
        stock: In the morning.
        bought: Delivered today, exogenous supplies included.
        produced: Today; at most stock and bought together.

    Source: scml/oneshot/world.py, ``simulation_step``: ``remaining_in``.
    """
    if physical:
        return stock + bought - produced
    return stock + max(0, bought - produced)


@jittable
def opens_negotiations(level: int, n_levels: int) -> bool:
    """Whether the factories of a level make the first offer, which they then do to all their partners: the last level
    and every second one below it.

    Source: scml/oneshot/world.py, ``_make_negotiations``: who requests a negotiation speaks first.
    """
    return (n_levels - 1 - level) % 2 == 0


@jittable
def price_range(trading_price: float) -> tuple[int, int]:
    """The lowest and the highest unit price of a day's offers about a product.

    Source: scml/oneshot/world.py, ``_make_issues``.
    """
    low, high = max(1, int(trading_price * (1.0 - PRICE_RANGE))), int((1.0 + PRICE_RANGE) * trading_price)
    if high < low:
        return high, low
    return low, high


@jittable
def prices_with(view: StandardView, k: int) -> tuple[int, int]:
    """The lowest and the highest unit price of today's offers to partner ``k``."""
    if is_consumer(k):
        return view["min_output_price"], view["max_output_price"]
    return view["min_input_price"], view["max_input_price"]


@jittable
def _fits(view: StandardView, actions: ActionArray, k: int) -> bool:
    """Whether an offer lies in today's ranges of quantities, delivery days and prices."""
    low, high = prices_with(view, k)
    fits = view["min_quantity"] <= actions[k]["quantity"] <= view["max_quantity"]
    return fits and view["day"] <= actions[k]["day"] <= view["last_day"] and low <= actions[k]["price"] <= high


@jittable
def _clear_offer(actions: ActionArray, k: int) -> None:
    actions[k]["quantity"] = 0
    actions[k]["day"] = 0
    actions[k]["price"] = 0


RULES = answer_rules(_fits, _clear_offer)
is_valid, repair = RULES
"""Whether the answer to a partner can be played; makes an array of answers playable. See `answer_rules`."""


def _ranges(view: StandardView, k: int) -> str:
    low, high = prices_with(view, k)
    quantities = f"quantities {view['min_quantity']} to {view['max_quantity']}"
    return f"{quantities}, days {view['day']} to {view['last_day']} and prices {low} to {high}"


def validate(view: StandardView, actions: ActionArray) -> None:
    """Refuse answers, shape ``(MAX_PARTNERS,)``, that are not playable; the same rules for every world.

    Raises:
        InputError: naming the partner, the answer and what is valid.
    """
    refuse_invalid(RULES, view, actions, _ranges)


@jittable
def book_agreement(view: StandardView, k: int, quantity: int, day: int, price: int) -> None:
    """Write an agreement with partner ``k`` into the view of a factory, and into its books.

    Source: scml/oneshot/awi.py, ``_register_sale`` and ``_register_supply``.
    """
    partner, ahead = view["partners"][k], day - view["day"]
    partner["agreed_quantity"], partner["agreed_day"], partner["agreed_price"] = quantity, day, price
    if is_consumer(k):
        view["sales"][ahead] += quantity
        view["sales_revenue"][ahead] += quantity * price
    else:
        view["supplies"][ahead] += quantity
        view["supplies_cost"][ahead] += quantity * price


@jittable
def roll_books(view: StandardView) -> None:
    """A day has passed: the books begin a day later."""
    _roll(view["supplies"])
    _roll(view["supplies_cost"])
    _roll(view["sales"])
    _roll(view["sales_revenue"])


@jittable
def _roll(book: np.ndarray) -> None:
    for ahead in range(BOOK_DAYS - 1):
        book[ahead] = book[ahead + 1]
    book[BOOK_DAYS - 1] = 0


@jittable
def needed_sales(view: StandardView) -> int:
    """Items that the factory could still sell today of what it has in stock or bought; negative where it sold too many.

    Source: scml/oneshot/awi.py, ``needed_sales``.
    """
    inputs = view["exogenous_supply"] + view["stock"] + view["supplies"][0]
    return inputs - view["sales"][0] - view["exogenous_sales"]


@jittable
def spare_inputs(view: StandardView, supplies: np.ndarray, sales: np.ndarray, spare: np.ndarray) -> None:
    """Write how many inputs are left after what is sold until each day from today; negative where more is sold than
    there will be.

    Args:
        view: Has the stock and today's exogenous contracts.
        supplies: Items that come by days from today, int64 ``(BOOK_DAYS,)``.
        sales: Items sold, likewise.
        spare: int64 ``(BOOK_DAYS,)``.
    """
    left = view["stock"] + view["exogenous_supply"] - view["exogenous_sales"]
    for ahead in range(BOOK_DAYS):
        left += supplies[ahead] - sales[ahead]
        spare[ahead] = left
