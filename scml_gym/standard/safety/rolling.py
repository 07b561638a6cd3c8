"""The days to come of one factory, rolled forward by the world's own settlement.

What is known are the view's stock, balance and books, today's exogenous contracts, and a set of further contracts;
later exogenous contracts count as none, and costs and prices as today's. The books hold what is delivered on a day as
one contract at its mean price. A further contract is *certain*, or *offered*: the partner may still take it or leave
it.

Offered contracts count by what can go wrong with them, so three courses are rolled side by side: only what is certain
comes; all purchases offered come too, and must be paid; all sales offered come instead, and must be delivered from what
is certain. On each day the money is what is certain less what the offered ones can cost; what they can bring counts for
nothing. So what is safe is safe whichever of them are taken. The reverse is true but for factories that fall short by
their books already and have little cash: there a purchase that is offered could help, which is not counted on.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from scml_gym.jit.arrays import line_of, scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.standard.rules import stock_after
from scml_gym.standard.safety.bounds import COVERED
from scml_gym.standard.settlement import settle_day
from scml_gym.standard.strategies.market import SALE, SUPPLY
from scml_gym.standard.view import BOOK_DAYS, MAX_PARTNERS, StandardView

NONE, CERTAIN, OFFERED = range(3)
"""Kinds of further contracts."""

MAX_CONTRACTS = MAX_PARTNERS + 1
"""Further contracts, at most: one with each partner, and one that is tried out."""

DELIVERIES = MAX_CONTRACTS + 2
"""Of a side and a day, at most: further ones, the books, and one that the settlement adds."""

CONTRACT_NUMBERS = 1 + 5 * MAX_CONTRACTS
"""Numbers of `Contracts`, see `contracts_in`."""

OUTLOOK_ITEMS, OUTLOOK_MONEY = 4 * BOOK_DAYS + 1, 3 * BOOK_DAYS
"""Whole numbers, and sums of money, of an `Outlook`, see `outlook_in`."""

BOTH_SIDES = 2 * DELIVERIES
"""Items, and prices, of `Deliveries`, see `deliveries_in`."""


class Contracts(NamedTuple):
    """Further contracts, int64 ``(MAX_CONTRACTS,)`` each; those of the kind ``NONE`` are none."""

    used: np.ndarray  # int64 (1,), so many of them are looked at
    kind: np.ndarray  # NONE, CERTAIN or OFFERED
    side: np.ndarray  # SUPPLY or SALE
    ahead: np.ndarray  # days from today until it is delivered
    quantity: np.ndarray  # items
    price: np.ndarray  # of one item


class Deliveries(NamedTuple):
    """What is delivered on a day, ``(DELIVERIES,)`` each: room for the settlement, which sorts it."""

    supplies: np.ndarray  # int64, items
    supply_prices: np.ndarray  # float64, of one item
    sales: np.ndarray  # int64, items
    sale_prices: np.ndarray  # float64, of one item


class Outlook(NamedTuple):
    """The days to come, ``(BOOK_DAYS,)`` each, by days from today; and the world's end."""

    stock: np.ndarray  # int64, inputs in the morning, where only what is certain comes
    balance: np.ndarray  # float64, money then
    bought_stock: np.ndarray  # int64, inputs in the morning, where all purchases offered come too
    least: np.ndarray  # float64, the least money that there can be, whichever of the offered ones come
    sold_stock: np.ndarray  # int64, inputs in the morning, where all sales offered come
    missing: np.ndarray  # int64, items that are sold and cannot be delivered
    unpaid: np.ndarray  # float64, what is to be paid for supplies beyond the money of the morning, debts included
    idle: np.ndarray  # int64 (1,), inputs that the lines can never use


@jittable
def contracts_in(numbers: np.ndarray) -> Contracts:
    """No contracts yet, in memory of the caller: zeros, int64, ``(CONTRACT_NUMBERS,)`` or ``(1 + 5 * places,)``.

    A function that is compiled into its callers can return parts of what it is given, but no arrays of its own.
    """
    places = (len(numbers) - 1) // 5
    return Contracts(
        line_of(numbers, 0, 1),
        line_of(numbers, 1, places),
        line_of(numbers, 1 + places, places),
        line_of(numbers, 1 + 2 * places, places),
        line_of(numbers, 1 + 3 * places, places),
        line_of(numbers, 1 + 4 * places, places),
    )


@jittable
def outlook_in(items: np.ndarray, money: np.ndarray) -> Outlook:
    """An outlook in memory of the caller: int64 ``(OUTLOOK_ITEMS,)`` and float64 ``(OUTLOOK_MONEY,)``."""
    return Outlook(
        line_of(items, 0, BOOK_DAYS),
        line_of(money, 0, BOOK_DAYS),
        line_of(items, BOOK_DAYS, BOOK_DAYS),
        line_of(money, BOOK_DAYS, BOOK_DAYS),
        line_of(items, 2 * BOOK_DAYS, BOOK_DAYS),
        line_of(items, 3 * BOOK_DAYS, BOOK_DAYS),
        line_of(money, 2 * BOOK_DAYS, BOOK_DAYS),
        line_of(items, 4 * BOOK_DAYS, 1),
    )


@jittable
def deliveries_in(items: np.ndarray, prices: np.ndarray) -> Deliveries:
    """Room for deliveries in memory of the caller: int64 and float64, ``(BOTH_SIDES,)`` each."""
    return Deliveries(
        line_of(items, 0, DELIVERIES),
        line_of(prices, 0, DELIVERIES),
        line_of(items, DELIVERIES, DELIVERIES),
        line_of(prices, DELIVERIES, DELIVERIES),
    )


Morning = tuple[int, float, int, float, int]
"""The first five fields of `Outlook`, of one day."""

NO_SIDE = -1


@jittable
def days_to_come(view: StandardView) -> int:
    """Days from today on that the books cover, 1 to ``BOOK_DAYS``."""
    return min(BOOK_DAYS, view["n_days"] - view["day"])


@jittable
def delivered(view: StandardView, contracts: Contracts, chance: float, side: int, ahead: int) -> int:
    """Items of a side that are delivered on a day: booked, exogenous and further ones."""
    if side == SUPPLY:
        items, today = view["supplies"][ahead], view["exogenous_supply"]
    else:
        items, today = view["sales"][ahead], view["exogenous_sales"]
    if ahead == 0:
        items += today
    offered = 0
    for i in range(contracts.used[0]):
        if contracts.kind[i] != NONE and contracts.ahead[i] == ahead and contracts.side[i] == side:
            if contracts.kind[i] == CERTAIN:
                items += contracts.quantity[i]
            else:
                offered += contracts.quantity[i]
    return items + expected(chance, offered)


@jittable
def expected(chance: float, offered: int) -> int:
    """How many of the items offered for a day count: all in the worst case, where the chance is 1; rounded up."""
    return offered if chance >= 1.0 else math.ceil(chance * offered - 1e-9)


@jittable
def buys(contracts: Contracts) -> bool:
    """Whether some further contract is a purchase."""
    purchases = 0
    for i in range(contracts.used[0]):
        purchases += contracts.kind[i] != NONE and contracts.side[i] == SUPPLY
    return purchases > 0


@jittable
def idle_inputs(view: StandardView, contracts: Contracts, chance: float) -> int:
    """Inputs that the lines cannot use until the end of the world, even if all that they make is sold."""
    days, left = days_to_come(view), view["stock"]
    for ahead in range(days):
        left = max(0, left + delivered(view, contracts, chance, SUPPLY, ahead) - view["lines"])
    return max(0, left - view["lines"] * (view["n_days"] - view["day"] - days))


@jittable
def possible_day(view: StandardView, contracts: Contracts, chance: float, ahead: int) -> tuple[int, float]:
    """Items that the lines cannot make on a day, and money that is not there today for what is to be paid today."""
    missing = max(0, delivered(view, contracts, chance, SALE, ahead) - view["lines"])
    if ahead > 0:
        return missing, 0.0
    paid, offered = view["supplies_cost"][0] + view["exogenous_supply"] * view["exogenous_supply_price"], 0.0
    for i in range(contracts.used[0]):
        if contracts.kind[i] != NONE and contracts.ahead[i] == 0 and contracts.side[i] == SUPPLY:
            if contracts.kind[i] == CERTAIN:
                paid += contracts.quantity[i] * contracts.price[i]
            else:
                offered += contracts.quantity[i] * contracts.price[i]
    return missing, max(0.0, paid + chance * offered - view["balance"])


@jittable
def settle_ahead(
    view: StandardView,
    contracts: Contracts,
    chance: float,
    room: Deliveries,
    counted: int,
    ahead: int,
    stock: int,
    balance: float,
) -> tuple[int, float, int, float]:
    """Settle a day to come in one course.

    Args:
        view: With the books.
        contracts: Further ones.
        chance: With which an offer is taken; 1 for the worst case.
        room: Written over.
        counted: The side whose offered contracts come true: ``SUPPLY``, ``SALE`` or ``NO_SIDE``.
        ahead: The day, from today.
        stock: Inputs in the morning.
        balance: Money in the morning.

    Returns:
        Inputs on the next morning, profit, items missing, and money missing for supplies.
    """
    supplies, supply_prices, sales, sale_prices = room
    n_supplies, n_sales, offered = 0, 0, 0
    bought, sold = view["supplies"][ahead], view["sales"][ahead]
    if bought > 0:
        supplies[0], supply_prices[0] = bought, view["supplies_cost"][ahead] / bought
        n_supplies = 1
    if sold > 0:
        sales[0], sale_prices[0] = sold, view["sales_revenue"][ahead] / sold
        n_sales = 1
    for i in range(contracts.used[0]):
        kind, side = contracts.kind[i], contracts.side[i]
        if kind == NONE or contracts.ahead[i] != ahead or (kind == OFFERED and side != counted):
            continue
        quantity = contracts.quantity[i]
        if kind == OFFERED:
            offered += quantity
            quantity = expected(chance, offered) - expected(chance, offered - quantity)
        if side == SUPPLY:
            supplies[n_supplies], supply_prices[n_supplies] = quantity, contracts.price[i]
            n_supplies += 1
            bought += quantity
        else:
            sales[n_sales], sale_prices[n_sales] = quantity, contracts.price[i]
            n_sales += 1
    supply, supply_price, sale, sale_price = 0, 0.0, 0, 0.0
    if ahead == 0:
        supply, supply_price = view["exogenous_supply"], view["exogenous_supply_price"]
        sale, sale_price = view["exogenous_sales"], view["exogenous_sales_price"]
    settled = settle_day(
        n_supplies,
        supplies,
        supply_prices,
        n_sales,
        sales,
        sale_prices,
        supply,
        supply_price,
        sale,
        sale_price,
        stock,
        view["production_cost"],
        view["lines"],
        balance,
        view["input_price"],
        view["output_price"],
        view["storage_cost"],
        view["shortfall_penalty"],
    )
    profit, paid, produced, missing = settled[0], settled[2], settled[6], settled[8]
    stock = stock_after(view["physical"] != 0, stock, bought + supply, produced)
    return stock, profit, missing, max(0.0, paid - balance)


@jittable
def covered_day(
    view: StandardView,
    contracts: Contracts,
    chance: float,
    room: Deliveries,
    offered: int,
    ahead: int,
    morning: Morning,
) -> tuple[Morning, int, float]:
    """Settle a day in its three courses.

    Args:
        view: With the books.
        contracts: Further ones.
        chance: With which an offer is taken; 1 for the worst case.
        room: Written over.
        offered: The sides on which there are offered contracts, as `offered_sides` says.
        ahead: The day, from today.
        morning: Of it.

    Returns:
        The next morning; the most items that are missing; the most money that is missing for supplies.
    """
    stock, balance, bought_stock, least, sold_stock = morning
    stock, profit, missing, unpaid = settle_ahead(view, contracts, chance, room, NO_SIDE, ahead, stock, balance)
    balance += profit
    if offered == 0:
        return (stock, balance, stock, balance, stock), missing, unpaid
    lost = 0.0
    if offered & 1:
        bought_stock, bought_profit, _, more = settle_ahead(
            view, contracts, chance, room, SUPPLY, ahead, bought_stock, least
        )
        lost, unpaid = max(0.0, profit - bought_profit), max(unpaid, more)
    else:
        bought_stock = stock
    sold_stock, sold_profit, missing, _ = settle_ahead(view, contracts, chance, room, SALE, ahead, sold_stock, least)
    lost += max(0.0, profit - sold_profit)
    return (stock, balance, bought_stock, least + profit - lost, sold_stock), missing, unpaid


@jittable
def offered_sides(contracts: Contracts) -> int:
    """The sides on which there are offered contracts: 1 for supplies, 2 for sales, 3 for both, 0 for none."""
    sides = 0
    for i in range(contracts.used[0]):
        if contracts.kind[i] == OFFERED:
            sides |= 1 << contracts.side[i]
    return sides


@jittable
def roll(view: StandardView, bound: int, chance: float, contracts: Contracts, outlook: Outlook) -> None:
    """Write the days to come, with some contracts.

    Args:
        view: What the factory sees.
        bound: ``COVERED`` or ``POSSIBLE``; by the latter only what is missing, unpaid and idle is written.
        chance: With which an offer is taken; 1 for the worst case.
        contracts: Further ones.
        outlook: Receives them.
    """
    room = deliveries_in(scratch_integers(BOTH_SIDES), scratch_floats(BOTH_SIDES))
    money, stock = view["balance"], view["stock"]
    morning, offered = (stock, money, stock, money, stock), offered_sides(contracts)
    for ahead in range(days_to_come(view)):
        outlook.stock[ahead], outlook.balance[ahead] = morning[0], morning[1]
        outlook.bought_stock[ahead], outlook.least[ahead] = morning[2], morning[3]
        outlook.sold_stock[ahead] = morning[4]
        if bound == COVERED:
            morning, missing, unpaid = covered_day(view, contracts, chance, room, offered, ahead, morning)
        else:
            missing, unpaid = possible_day(view, contracts, chance, ahead)
        outlook.missing[ahead], outlook.unpaid[ahead] = missing, unpaid
    outlook.idle[0] = idle_inputs(view, contracts, chance)


@jittable
def harm(
    view: StandardView, bound: int, chance: float, contracts: Contracts, before: Outlook, start: int
) -> tuple[int, int, float, int]:
    """What some contracts make worse than it was before.

    Args:
        view: What the factory sees.
        bound: ``COVERED`` or ``POSSIBLE``.
        chance: With which an offer is taken; 1 for the worst case.
        contracts: Further ones, those that were there before included.
        before: The days to come without the others.
        start: The first day, from today, for which one of the others is.

    Returns:
        The first day, from today, on which more is missing or unpaid than before; -1 where the contracts are safe, and
        the world's last day where nothing is but the inputs that are idle in the end. Items that are missing on that
        day, money that is not there for its supplies, and inputs that the lines can never use: how many more each.
    """
    idle = 0
    if buys(contracts):
        idle = idle_inputs(view, contracts, chance) - before.idle[0]
    room = deliveries_in(scratch_integers(BOTH_SIDES), scratch_floats(BOTH_SIDES))
    offered = offered_sides(contracts)
    morning = (
        before.stock[start],
        before.balance[start],
        before.bought_stock[start],
        before.least[start],
        before.sold_stock[start],
    )
    for ahead in range(start, days_to_come(view)):
        if bound == COVERED:
            morning, missing, unpaid = covered_day(view, contracts, chance, room, offered, ahead, morning)
        else:
            missing, unpaid = possible_day(view, contracts, chance, ahead)
        more, short = missing - before.missing[ahead], unpaid - before.unpaid[ahead]
        if more > 0 or short > 0.0:
            return ahead, max(0, more), max(0.0, short), max(0, idle)
    if idle > 0:
        return view["n_days"] - 1 - view["day"], 0, 0.0, idle
    return -1, 0, 0.0, 0
