"""Worlds drawn by the rules of scml's generator in compiled code.

The distribution is that of `scml_gym.oneshot.worlds.generation.league_spec`, the random numbers are not: the same seed
gives another world. What scml draws and never uses is left out.

Source: scml/oneshot/world.py, ``SCMLBaseWorld.generate`` with the defaults of ``SCML2024OneShotWorld``, and
scml/common.py, ``distribute_quantities`` and ``integer_cut``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scml_gym.core.arguments import whole_range
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.random import below, between, normal, open_stream
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, SELLER
from scml_gym.oneshot.worlds.generation import MOST_DAYS, Range
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES, WorldSpec
from scml_gym.oneshot.worlds.spec_record import DAILY_DTYPE, SPEC_DTYPE, read_spec

LINES = 10
ROUNDS = 20
MAX_COST = 4
SUPPLY_PRICE = 10
PREDICTABILITY = (0.6, 0.9)
PRICE_DEVIATION = (0.1, 0.2)
PROFIT = (0.1, 0.2)  # scml's deviation of 0.05 around it is cut to the integer 0 (``make_array``)
PRODUCTIVITY = (0.8, 1.0)
CASH = (1.5, 2.5)
SHORTFALL, SHORTFALL_DEVIATION = (0.2, 1.0), (0.0, 0.1)
DISPOSAL, DISPOSAL_DEVIATION = (0.0, 0.2), (0.0, 0.02)


@jittable
def generate(
    seed: int, days_low: int, days_high: int, factories_low: int, factories_high: int, spec: Any, daily: Any
) -> None:
    """Draw a world; a pure function of its arguments, equal in Python and compiled.

    Args:
        seed: 0 to 2**64 - 1.
        days_low: Of the range that simulated days are drawn from, both ends included, at least 1.
        days_high: The other end, at most the rows of ``daily``.
        factories_low: Of the range for each level, at least 1.
        factories_high: The other end, at most ``MAX_PARTNERS``.
        spec: One record of ``SPEC_DTYPE``, overwritten.
        daily: ``DAILY_DTYPE`` of shape (days or more, MAX_FACTORIES), overwritten: rows [day, factory], all 0 for days
            and factories that the world does not have. ``profit`` is 0.

    scml generates no world of one or two days; here their catalog prices come from the last day.
    """
    stream = np.zeros(1, dtype=np.uint64)
    open_stream(stream, seed)
    days = days_low + below(stream, days_high - days_low + 1)
    sellers = factories_low + below(stream, factories_high - factories_low + 1)
    buyers = factories_low + below(stream, factories_high - factories_low + 1)
    spec["n_sellers"], spec["n_buyers"], spec["n_days"], spec["rounds"] = sellers, buyers, days, ROUNDS
    _draw_factories(stream, spec)
    supply, sales = np.zeros(days, dtype=np.int64), np.zeros(days, dtype=np.int64)
    _draw_totals(stream, sellers, buyers, supply, sales)
    work = np.zeros((5, MAX_PARTNERS), dtype=np.int64)
    _clear(sellers + buyers, days, daily)
    _share_out(stream, supply, sellers, daily, 0, work)
    _share_out(stream, sales, buyers, daily, sellers, work)
    _set_money(stream, spec, daily)
    _draw_penalties(stream, spec, daily)


@jittable
def _draw_factories(stream: Any, spec: Any) -> None:
    """Lines, production costs, which grow with the level, and the profile of penalties."""
    for f in range(MAX_FACTORIES):
        exists = f < spec["n_sellers"] + spec["n_buyers"]
        spec["lines"][f] = LINES if exists else 0
        spec["initial_balance"][f] = 0
        spec["production_cost"][f] = 0
        for i in range(4):
            spec["penalty_profile"][f, i] = 0.0
        if exists:
            level = SELLER if f < spec["n_sellers"] else BUYER
            spec["production_cost"][f] = (1 + below(stream, MAX_COST)) * (level + 1)
            shortfall, disposal = between(stream, *SHORTFALL), between(stream, *DISPOSAL)
            spec["penalty_profile"][f, 0] = shortfall
            spec["penalty_profile"][f, 1] = between(stream, *SHORTFALL_DEVIATION) * shortfall
            spec["penalty_profile"][f, 2] = disposal
            spec["penalty_profile"][f, 3] = between(stream, *DISPOSAL_DEVIATION) * disposal


@jittable
def _draw_totals(stream: Any, sellers: int, buyers: int, supply: Any, sales: Any) -> None:
    """Each day's supplies and sales of a whole level: no more is sold than supplied, and than both levels produce."""
    for day in range(len(supply)):
        supply[day] = round(LINES * sellers * between(stream, *PRODUCTIVITY))
        made = round(LINES * sellers * between(stream, *PRODUCTIVITY))
        sold = round(LINES * buyers * between(stream, *PRODUCTIVITY))
        sales[day] = min(supply[day], made, sold)


@jittable
def _clear(factories: int, days: int, daily: Any) -> None:
    for day in range(daily.shape[0]):
        for f in range(MAX_FACTORIES):
            if day >= days or f >= factories:
                daily[day, f]["exogenous_quantity"] = 0
                daily[day, f]["exogenous_price"] = 0
                daily[day, f]["shortfall_penalty"] = 0.0
                daily[day, f]["disposal_cost"] = 0.0
            daily[day, f]["profit"] = 0.0


@jittable
def _share_out(stream: Any, totals: Any, n: int, daily: Any, first: int, work: Any) -> None:
    """Exogenous quantities of a level: each factory has a base share, and some items change hands every day.

    Args:
        stream: Of random numbers.
        totals: int64 ``(days,)``, items of the level; a day's shares sum to about that.
        n: Factories of the level.
        daily: Written.
        first: Index of the level's first factory.
        work: int64 ``(5, MAX_PARTNERS)``, overwritten.
    """
    base, share, room, part, order = work[0], work[1], work[2], work[3], work[4]
    predictability = between(stream, *PREDICTABILITY)
    total = 0
    for day in range(len(totals)):
        total += totals[day]
    mean = int(0.5 + total / len(totals))
    for i in range(n):
        room[i] = LINES
    _cut(stream, mean, n, room, base, order)
    for day in range(len(totals)):
        scale = totals[day] / mean
        spare = 0
        for i in range(n):
            share[i] = int(0.5 + base[i] * scale)
            spare += LINES - share[i]
        changes = min(int(0.5 + (1.0 - predictability) * totals[day]), spare)
        if changes > 0:
            _exchange(stream, changes, n, share, room, part, order)
        lowest, highest = share[0], share[0]
        for i in range(1, n):
            lowest, highest = min(lowest, share[i]), max(highest, share[i])
        if lowest < 0:
            _refill(stream, n, share, room, part, order)
        if highest > LINES:
            _spill(stream, n, share, room, part, order)
        for i in range(n):
            daily[day, first + i]["exogenous_quantity"] = share[i]


@jittable
def _cut(stream: Any, total: int, n: int, room: Any, part: Any, order: Any) -> None:
    """Give each of ``total`` items to one of those of the ``n`` parts that have room left, all equally likely."""
    free = 0
    for i in range(n):
        part[i] = 0
        if room[i] > 0:
            order[free] = i
            free += 1
    for _ in range(total):
        k = below(stream, free)
        i = order[k]
        part[i] += 1
        if part[i] >= room[i]:
            free -= 1
            order[k] = order[free]


@jittable
def _exchange(stream: Any, items: int, n: int, share: Any, room: Any, part: Any, order: Any) -> None:
    """Take items away anywhere, below 0 if need be, and give as many back where lines are free."""
    for _ in range(items):
        share[below(stream, n)] -= 1
    for i in range(n):
        room[i] = LINES - share[i]
    _cut(stream, items, n, room, part, order)
    for i in range(n):
        share[i] += part[i]


@jittable
def _refill(stream: Any, n: int, share: Any, room: Any, part: Any, order: Any) -> None:
    """Raise negative shares to 0 with items of the others; cuts that ask one for too much are drawn again."""
    for i in range(n):
        missing = -share[i]
        if missing > 0:
            share[i] = 0
        while missing > 0:
            for j in range(n):
                room[j] = missing if j != i else 0
            _cut(stream, missing, n, room, part, order)
            for j in range(n):
                if j != i and share[j] >= part[j]:
                    share[j] -= part[j]
                    missing -= part[j]


@jittable
def _spill(stream: Any, n: int, share: Any, room: Any, part: Any, order: Any) -> None:
    """Lower shares above the lines to these and hand the rest to the others, as far as they have room."""
    for i in range(n):
        excess = share[i] - LINES
        if excess > 0:
            share[i] = LINES
            total_room = 0
            for j in range(n):
                room[j] = LINES - share[j]  # 0 for i, negative for a share yet to be lowered
                total_room += room[j]
            excess = min(excess, total_room)
        while excess > 0:
            _cut(stream, excess, n, room, part, order)  # into the room of before, as scml does
            for j in range(n):
                if j != i and LINES - share[j] >= part[j]:
                    share[j] += part[j]
                    excess -= part[j]


@jittable
def _set_money(stream: Any, spec: Any, daily: Any) -> None:
    """Catalog prices and balances, from what it costs to make all supplies into outputs, and exogenous prices."""
    sellers, buyers, days = spec["n_sellers"], spec["n_buyers"], spec["n_days"]
    seller_margin, buyer_margin = 1.0 + between(stream, *PROFIT), 1.0 + between(stream, *PROFIT)
    deviation = between(stream, *PRICE_DEVIATION)
    seller_cost, buyer_cost = 0, 0
    for f in range(sellers + buyers):
        if f < sellers:
            seller_cost = max(seller_cost, spec["production_cost"][f])
        else:
            buyer_cost = max(buyer_cost, spec["production_cost"][f])
    seller_total, buyer_total, middle_price, output_price = 0, 0, 0, 0
    for day in range(days):
        supplied = 0
        for f in range(sellers):
            supplied += daily[day, f]["exogenous_quantity"]
        seller_costs = SUPPLY_PRICE * supplied + seller_cost * supplied
        middle = math.ceil(seller_costs * seller_margin)
        buyer_costs = middle + buyer_cost * supplied
        sale_price = math.ceil(math.ceil(buyer_costs * buyer_margin) / supplied)
        seller_total += seller_costs
        buyer_total += buyer_costs
        if day >= min(1, days - 1):
            middle_price = max(middle_price, math.ceil(middle / supplied))
        if day >= min(2, days - 1):
            output_price = max(output_price, sale_price)
        for f in range(sellers + buyers):
            price = 0
            if daily[day, f]["exogenous_quantity"] > 0:
                mean = SUPPLY_PRICE if f < sellers else sale_price
                price = int(0.5 + mean + normal(stream) * deviation * mean)
            daily[day, f]["exogenous_price"] = price
    spec["catalog_prices"][0] = SUPPLY_PRICE
    spec["catalog_prices"][1] = middle_price
    spec["catalog_prices"][2] = output_price
    cash = between(stream, *CASH)
    seller_balance = math.ceil(math.ceil(seller_total / sellers) * cash)
    buyer_balance = math.ceil(math.ceil(buyer_total / buyers) * cash)
    for f in range(sellers + buyers):
        spec["initial_balance"][f] = seller_balance if f < sellers else buyer_balance


@jittable
def _draw_penalties(stream: Any, spec: Any, daily: Any) -> None:
    """Each day's shortfall penalty and disposal cost of each factory, as the constructor of scml's world draws them."""
    for f in range(spec["n_sellers"] + spec["n_buyers"]):
        profile = spec["penalty_profile"][f]
        shortfall, shortfall_deviation, disposal, disposal_deviation = profile[0], profile[1], profile[2], profile[3]
        for day in range(spec["n_days"]):
            daily[day, f]["shortfall_penalty"] = abs(normal(stream) * shortfall_deviation + shortfall)
            daily[day, f]["disposal_cost"] = abs(normal(stream) * disposal_deviation + disposal)


@compiled
def _generate(
    seed: Any, days_low: int, days_high: int, factories_low: int, factories_high: int, spec: Any, daily: Any
) -> None:
    generate(seed, days_low, days_high, factories_low, factories_high, spec, daily)


def compiled_spec(seed: int, days: Range = (50, 200), factories_per_level: Range = (4, 8)) -> WorldSpec:
    """A world with the distribution of `league_spec`, about a hundred times faster.

    Args:
        seed: Any integer; the same one gives the same spec in every process.
        days: Simulated days, at least 1 (from 3 as in the league, see `generate`).
        factories_per_level: Drawn for each level of its own; 1 to ``MAX_PARTNERS``.

    Raises:
        InputError: if a range is empty or outside what a world can hold.
    """
    days_low, days_high = whole_range("days", days, 1, MOST_DAYS)
    low, high = whole_range("factories_per_level", factories_per_level, 1, MAX_PARTNERS)
    record, daily = np.zeros(1, SPEC_DTYPE)[0], np.zeros((days_high, MAX_FACTORIES), DAILY_DTYPE)
    _generate(np.uint64(seed & 0xFFFFFFFFFFFFFFFF), days_low, days_high, low, high, record, daily)
    return read_spec(record, daily)
