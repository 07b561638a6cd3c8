"""The inventory manager: what is to be made on each day, what that lacks, and what can still be sold.

In these worlds nothing is made that is not sold, so the latest possible plan makes each item on the day on which it is
due. The public manager plans production ahead, as if what is finished could be kept, counts its stock on its own, and
takes out of it what production uses. In the league nothing ever leaves a stock, so that it drifts from the world; and
finished goods, for which it waits before it opens a sale, never come. `write_plan` has both: the plan made for the
world's stock rule, and the public one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.jit.arrays import line_of, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.standard.allocation import add_pending
from scml_gym.standard.rules import spare_inputs, stock_after
from scml_gym.standard.strategies.market import SALE, SUPPLY, days_ahead
from scml_gym.standard.strategies.material import sellable_of_kept_stock
from scml_gym.standard.view import BOOK_DAYS, StandardView


class Books(NamedTuple):
    """What is agreed, by days from today, int64 ``(BOOK_DAYS,)`` each."""

    supplies: np.ndarray  # items bought, and those that suppliers may still accept
    sales: np.ndarray  # items sold, likewise


class Plan(NamedTuple):
    """What the books mean, by days from today, int64 ``(BOOK_DAYS,)`` each."""

    made: np.ndarray  # items to be made
    lack: np.ndarray  # of these, items for which there is no material
    later: np.ndarray  # items that are lacking on that day and on all later ones
    left: np.ndarray  # inputs in stock in the evening
    room: np.ndarray  # items that can still be sold for that day alone


PLAN_NUMBERS = len(Plan._fields) * BOOK_DAYS


@jittable
def plan_in(numbers: np.ndarray) -> Plan:
    """A plan in memory of the caller, int64 ``(PLAN_NUMBERS,)``."""
    return Plan(
        line_of(numbers, 0, BOOK_DAYS),
        line_of(numbers, BOOK_DAYS, BOOK_DAYS),
        line_of(numbers, 2 * BOOK_DAYS, BOOK_DAYS),
        line_of(numbers, 3 * BOOK_DAYS, BOOK_DAYS),
        line_of(numbers, 4 * BOOK_DAYS, BOOK_DAYS),
    )


@jittable
def open_books(view: StandardView, books: Books) -> None:
    """Write the view's books, with the offers that partners are still thinking about."""
    for ahead in range(BOOK_DAYS):
        books.supplies[ahead], books.sales[ahead] = view["supplies"][ahead], view["sales"][ahead]
    add_pending(view, SUPPLY, books.supplies)
    add_pending(view, SALE, books.sales)


@jittable
def write_plan(view: StandardView, books: Books, counted: float, mended: bool, expected: float, plan: Plan) -> None:
    """Write the plan of the books.

    Args:
        view: Has the stock, today's exogenous contracts and the stock rule.
        books: Of this factory.
        counted: The stock that the public manager counts, see `count_stock`.
        mended: Whether the plan is made for the world's stock rule; else it is the public one.
        expected: Items that are counted on to be sold on each later day, booked ones included; 0 for booked ones alone.
        plan: Written over.
    """
    if mended:
        _plan_by_rule(view, books, expected, plan)
        write_room(view, books, plan.room)
    else:
        _plan_ahead(view, books, counted, plan)


@jittable
def delivered_on(view: StandardView, books: Books, ahead: int) -> tuple[int, int]:
    """Items that come and that are due on a day, today's exogenous contracts included."""
    bought, sold = books.supplies[ahead], books.sales[ahead]
    if ahead == 0:
        bought, sold = bought + view["exogenous_supply"], sold + view["exogenous_sales"]
    return bought, sold


@jittable
def _plan_by_rule(view: StandardView, books: Books, expected: float, plan: Plan) -> None:
    stock, lines = view["stock"], view["lines"]
    for ahead in range(BOOK_DAYS):
        bought, sold = delivered_on(view, books, ahead)
        if 0 < ahead <= days_ahead(view):
            sold = max(sold, int(expected + 0.5))
        plan.made[ahead] = min(lines, sold)
        plan.lack[ahead] = max(0, plan.made[ahead] - stock - bought)
        stock = stock_after(view["physical"] != 0, stock, bought, plan.made[ahead] - plan.lack[ahead])
        plan.left[ahead] = stock
    lacking = 0
    for ahead in range(BOOK_DAYS - 1, -1, -1):
        # inputs that stay serve all days on which some are lacking, inputs that are used up serve one
        lacking = lacking + plan.lack[ahead] if view["physical"] != 0 else max(lacking, plan.lack[ahead])
        plan.later[ahead] = lacking


@jittable
def write_room(view: StandardView, books: Books, room: np.ndarray) -> None:
    """Write how many more items can be sold for each day alone, int64 ``(BOOK_DAYS,)``, by the world's stock rule."""
    if view["physical"] == 0:
        sellable_of_kept_stock(view, books.supplies, books.sales, room)
        return
    spare = scratch_integers(BOOK_DAYS)
    spare_inputs(view, books.supplies, books.sales, spare)
    least = spare[BOOK_DAYS - 1]
    for ahead in range(BOOK_DAYS - 1, -1, -1):
        least = min(least, spare[ahead])
        sold = delivered_on(view, books, ahead)[1]
        room[ahead] = max(0, min(view["lines"] - sold, least)) if ahead <= days_ahead(view) else 0


@jittable
def _plan_ahead(view: StandardView, books: Books, counted: float, plan: Plan) -> None:
    """The public plan: as late as lines allow that could make ahead, with the stock that the manager counts."""
    lines, raw = view["lines"], int(counted)
    for ahead in range(BOOK_DAYS):
        due, first, most = 0, 0, 0
        for later in range(BOOK_DAYS):
            due += delivered_on(view, books, later)[1]
            if later >= ahead:
                most = max(most, due - lines * (later - ahead))
            if later >= ahead - 1 and ahead > 0:
                first = max(first, due - lines * (later - ahead + 1))
        plan.made[ahead] = min(lines, max(0, most - first))
    total, arriving = 0, 0
    for ahead in range(BOOK_DAYS):
        total += plan.made[ahead]
        arriving += delivered_on(view, books, ahead)[0]
    for ahead in range(BOOK_DAYS):
        bought = delivered_on(view, books, ahead)[0]
        arriving -= bought
        plan.lack[ahead] = max(0, plan.made[ahead] - raw - bought)
        free = min(lines - plan.made[ahead], raw + bought)
        plan.room[ahead] = max(0, free) if ahead <= days_ahead(view) else 0
        raw = max(0, raw + bought - plan.made[ahead])
        plan.left[ahead] = raw
        plan.later[ahead] = max(0, total - raw - arriving)
        total -= plan.made[ahead]


@jittable
def count_stock(view: StandardView, counted: float) -> float:
    """What the public manager takes for tomorrow's stock at the end of a day."""
    made = min(view["lines"], view["sales"][0] + view["exogenous_sales"])
    return max(0.0, counted + view["supplies"][0] + view["exogenous_supply"] - made)


@jittable
def needed_soon(view: StandardView, plan: Plan, days: int) -> float:
    """Inputs that the plan needs in the next days; half of the lines a day where it has nothing to make."""
    total, most = 0, 0
    for ahead in range(min(days, BOOK_DAYS)):
        total += plan.made[ahead]
        most = max(most, plan.made[ahead])
    if total == 0:
        total, most = view["lines"] * days // 2, view["lines"] // 2
    return float(total) if view["physical"] != 0 else float(most)


LOW, MEDIUM, HIGH = range(3)
"""How much there is in stock for the next 5 days, see `health`."""


@jittable
def health(view: StandardView, plan: Plan, low: float, high: float) -> int:
    """Whether the stock is low, medium or high: below and above these fractions of what the next 5 days need."""
    needed = needed_soon(view, plan, 5)
    if view["stock"] < low * needed:
        return LOW
    return HIGH if view["stock"] > high * needed else MEDIUM
