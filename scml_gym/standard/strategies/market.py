"""What the strategies of this track share: offers with a delivery day, and prices from one's own point of view."""

from __future__ import annotations

from scml_gym.jit.compile import jittable
from scml_gym.simulator.strategies import gain_of, price_of
from scml_gym.standard.rules import price_range, prices_with
from scml_gym.standard.view import BOOK_DAYS, OFFER, ActionArray, StandardView, is_consumer

SUPPLY, SALE = 0, 1
"""The two sides of a factory: what it buys of suppliers, and what it sells to consumers."""

BOTH_BOOKS = 2 * BOOK_DAYS
"""Numbers by side and by days from today: of supplies from the first on, of sales from ``BOOK_DAYS`` on."""


@jittable
def offer(actions: ActionArray, k: int, quantity: int, day: int, price: int) -> None:
    """Offer partner ``k`` to trade so many items at that price per item, delivered on that day of the world."""
    actions[k]["response"] = OFFER
    actions[k]["quantity"] = quantity
    actions[k]["day"] = day
    actions[k]["price"] = price


@jittable
def price_at(view: StandardView, k: int, gain: float) -> int:
    """The price at a position of today's range with partner ``k``: 1 is the best for this factory, 0 the worst."""
    low, high = prices_with(view, k)
    return price_of(is_consumer(k), low, high, gain)


@jittable
def price_gain(view: StandardView, k: int, price: int) -> float:
    """The position of a price in today's range with partner ``k``: 1 is the best for this factory, 0 the worst."""
    low, high = prices_with(view, k)
    return gain_of(is_consumer(k), low, high, price)


@jittable
def input_prices(view: StandardView) -> tuple[int, int]:
    """Today's range of input prices; at the first level, which has no suppliers, that around the trading price."""
    if view["n_suppliers"] == 0:
        return price_range(view["input_price"])
    return view["min_input_price"], view["max_input_price"]


@jittable
def output_prices(view: StandardView) -> tuple[int, int]:
    """Today's range of output prices; at the last level, which has no consumers, that around the trading price."""
    if view["n_consumers"] == 0:
        return price_range(view["output_price"])
    return view["min_output_price"], view["max_output_price"]


@jittable
def days_ahead(view: StandardView) -> int:
    """How many days ahead of today goods may be traded for now: 0 to ``MOST_HORIZON``."""
    return view["last_day"] - view["day"]


@jittable
def is_first_level(view: StandardView) -> bool:
    """Whether the factory gets its inputs by exogenous contracts, and buys of nobody."""
    return view["level"] == 0


@jittable
def is_last_level(view: StandardView) -> bool:
    """Whether the factory sells its outputs by exogenous contracts, and to nobody."""
    return view["level"] == view["n_levels"] - 1
