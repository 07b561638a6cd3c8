"""What a factory has inputs for: how much it can still sell for each of the coming days, and what it lacks."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.standard.rules import stock_after
from scml_gym.standard.strategies.market import days_ahead
from scml_gym.standard.view import BOOK_DAYS, StandardView


@jittable
def sellable(view: StandardView, sales: np.ndarray, spare: np.ndarray, wanted: np.ndarray) -> None:
    """Write how many more items can be sold for each day from today, all of them together.

    It counts as if production took inputs out of stock. Early days come first. Items for a day are at most the lines
    that are free on it, and at most what is left over on that day and on all later ones.
    """
    least = scratch_integers(BOOK_DAYS)  # left over on that day and on all later ones
    least[BOOK_DAYS - 1] = spare[BOOK_DAYS - 1]
    for ahead in range(BOOK_DAYS - 2, -1, -1):
        least[ahead] = min(spare[ahead], least[ahead + 1])
    promised = 0
    for ahead in range(days_ahead(view) + 1):
        room = view["lines"] - sales[ahead]
        if ahead == 0:
            room -= view["exogenous_sales"]
        wanted[ahead] = max(0, min(room, least[ahead] - promised))
        promised += wanted[ahead]


@jittable
def sellable_of_kept_stock(view: StandardView, supplies: np.ndarray, sales: np.ndarray, wanted: np.ndarray) -> None:
    """Write how many more items can be sold for each day from today, where nothing ever leaves a stock.

    Each day makes what it can of its stock and of what is delivered on it; what is in stock serves every later day too.

    Args:
        view: Has the stock and today's exogenous contracts.
        supplies: Items that come by days from today, int64 ``(BOOK_DAYS,)``.
        sales: Items sold, likewise.
        wanted: int64 ``(BOOK_DAYS,)``.
    """
    stock = view["stock"]
    for ahead in range(days_ahead(view) + 1):
        bought, sold = supplies[ahead], sales[ahead]
        if ahead == 0:
            bought, sold = bought + view["exogenous_supply"], sold + view["exogenous_sales"]
        makeable = min(view["lines"], stock + bought)
        wanted[ahead] = max(0, makeable - sold)
        stock = stock_after(False, stock, bought, makeable)


@jittable
def missing(view: StandardView, spare: np.ndarray, buffer: float, expected: float, wanted: np.ndarray) -> None:
    """Write how many more items are needed on each day from today, beyond those needed earlier.

    Args:
        view: Says how far ahead goods may be traded; no more is wanted than can still be made.
        spare: Of `spare_inputs`.
        buffer: Items that should be left over.
        expected: Items that are counted on to be sold on each later day beside the booked ones.
        wanted: int64 ``(BOOK_DAYS,)``.
    """
    earlier = 0
    for ahead in range(days_ahead(view) + 1):
        need = int(buffer + expected * ahead - spare[ahead] + 0.5)
        need = min(need, view["lines"] * (view["n_days"] - view["day"] - ahead))
        wanted[ahead] = max(0, need - earlier)
        earlier = max(earlier, need)
