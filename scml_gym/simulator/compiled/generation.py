"""Worlds drawn by the rules of scml's generator in compiled code, for any number of levels: what the tracks share.

A game says which distribution its worlds have, and writes the parts of its records that are its own. What scml draws
and never uses is left out.

Source: scml/oneshot/world.py, ``SCMLBaseWorld.generate``, and scml/common.py, ``distribute_quantities`` and
``integer_cut``.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from scml_gym.jit.arrays import clear_part
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import below, between, normal

UNLIMITED = 2**31
"""In place of the most items of an exogenous contract."""

UNPREDICTABLE = 0.01
"""Below this predictability a factory has no share of its own: each day's items are dealt anew."""


class Distribution(NamedTuple):
    """What worlds are drawn from. Pairs are the two ends of a range; each number in it is equally likely.

    Attributes:
        lines: Items that a factory can produce a day.
        rounds: Of a negotiation.
        greatest_cost: Production costs are 1 to this, times the level counted from 1; money per item.
        supply_price: Of the first product, money per item.
        most_exogenous: Items of an exogenous contract, at most; or `UNLIMITED`.
        predictability: How much of a factory's exogenous quantity is the same every day, drawn for a level.
        supply: Exogenous supplies of a day as a fraction of the first level's lines, drawn for a day.
        productivity: What a level can produce on a day, as a fraction of its lines, drawn for a day.
        profit: A level's margin on its costs. scml's deviation of 0.05 around it is cut to the integer 0
            (``make_array``).
        price_deviation: Of exogenous prices, as a fraction of their mean, drawn for a world.
        cash: Initial balances as a multiple of a level's mean costs, drawn for a world.
        shortfall: Mean of a factory's shortfall penalty.
        shortfall_deviation: Its deviation from day to day, as a fraction of that.
        leftover: Mean of what an item that is left over costs a factory: disposal or storage.
        leftover_deviation: Its deviation from day to day, as a fraction of that.
    """

    lines: int = 10
    rounds: int = 20
    greatest_cost: int = 4
    supply_price: int = 10
    most_exogenous: int = 10
    predictability: tuple[float, float] = (0.6, 0.9)
    supply: tuple[float, float] = (0.8, 1.0)
    productivity: tuple[float, float] = (0.8, 1.0)
    profit: tuple[float, float] = (0.1, 0.2)
    price_deviation: tuple[float, float] = (0.1, 0.2)
    cash: tuple[float, float] = (1.5, 2.5)
    shortfall: tuple[float, float] = (0.2, 1.0)
    shortfall_deviation: tuple[float, float] = (0.0, 0.1)
    leftover: tuple[float, float] = (0.0, 0.2)
    leftover_deviation: tuple[float, float] = (0.0, 0.02)


@jittable
def draw_world(
    stream: Any, distribution: Distribution, sizes: Any, days: int, spec: Any, daily: Any, leftover_cost: Any
) -> None:
    """Draw all that a world of that size is made of.

    Args:
        stream: Of random numbers.
        distribution: What is drawn from.
        sizes: int64 ``(n_levels,)``, factories of each level, 1 or more.
        days: Simulated days, 1 to the rows of ``daily``.
        spec: A record with ``lines``, ``production_cost``, ``initial_balance``, ``penalty_profile`` and
            ``catalog_prices``, overwritten: 0 for factories and products that there are not.
        daily: Records with ``exogenous_quantity``, ``exogenous_price`` and ``shortfall_penalty``, shape ``(days or
            more, most factories)``, in C order, overwritten: all 0 beyond the world's days and factories, and in all
            other fields but that of the next argument.
        leftover_cost: Of each factory's day, the field of ``daily`` for it.

    scml generates no world with as many levels as days; here catalog prices come from the last day then.
    """
    _clear(spec, daily)
    n, largest = 0, 0
    for level in range(len(sizes)):
        n += sizes[level]
        largest = max(largest, sizes[level])
    _draw_factories(stream, distribution, sizes, spec)
    supply, sales = np.zeros(days, dtype=np.int64), np.zeros(days, dtype=np.int64)
    _draw_totals(stream, distribution, sizes, supply, sales)
    work = np.zeros((5, largest), dtype=np.int64)
    last = sizes[len(sizes) - 1]
    _share_out(stream, distribution, supply, sizes[0], daily, 0, work)
    _share_out(stream, distribution, sales, last, daily, n - last, work)
    _set_money(stream, distribution, sizes, days, spec, daily)
    _draw_penalties(stream, spec["penalty_profile"], n, days, daily, leftover_cost)


@jittable
def _clear(spec: Any, daily: Any) -> None:
    for f in range(len(spec["lines"])):
        spec["lines"][f] = spec["production_cost"][f] = spec["initial_balance"][f] = 0
        for i in range(4):
            spec["penalty_profile"][f, i] = 0.0
    for product in range(len(spec["catalog_prices"])):
        spec["catalog_prices"][product] = 0
    for day in range(len(daily)):
        clear_part(daily, day)


@jittable
def _draw_factories(stream: Any, distribution: Distribution, sizes: Any, spec: Any) -> None:
    """Lines, production costs, which grow with the level, and the profile of penalties."""
    f = 0
    for level in range(len(sizes)):
        for _ in range(sizes[level]):
            spec["lines"][f] = distribution.lines
            spec["production_cost"][f] = (1 + below(stream, distribution.greatest_cost)) * (level + 1)
            shortfall, leftover = between(stream, *distribution.shortfall), between(stream, *distribution.leftover)
            spec["penalty_profile"][f, 0] = shortfall
            spec["penalty_profile"][f, 1] = between(stream, *distribution.shortfall_deviation) * shortfall
            spec["penalty_profile"][f, 2] = leftover
            spec["penalty_profile"][f, 3] = between(stream, *distribution.leftover_deviation) * leftover
            f += 1


@jittable
def _draw_totals(stream: Any, distribution: Distribution, sizes: Any, supply: Any, sales: Any) -> None:
    """Each day's supplies and sales of the market: no more is sold than supplied, and than each level produces."""
    for day in range(len(supply)):
        supply[day] = round(distribution.lines * sizes[0] * between(stream, *distribution.supply))
        sales[day] = supply[day]
        for level in range(len(sizes)):
            made = round(distribution.lines * sizes[level] * between(stream, *distribution.productivity))
            sales[day] = min(sales[day], made)


@jittable
def _share_out(stream: Any, distribution: Distribution, totals: Any, n: int, daily: Any, first: int, work: Any) -> None:
    """Exogenous quantities of a level: each factory has a base share, and some items change hands every day.

    Args:
        stream: Of random numbers.
        distribution: What is drawn from.
        totals: int64 ``(days,)``, items of the level, 1 or more; a day's shares sum to about that.
        n: Factories of the level.
        daily: Written.
        first: Index of the level's first factory.
        work: int64 ``(5, n or more)``, overwritten.
    """
    base, share, room, part, order = work[0], work[1], work[2], work[3], work[4]
    limit = distribution.most_exogenous
    predictability = between(stream, *distribution.predictability)
    total = 0
    for day in range(len(totals)):
        total += totals[day]
    mean = int(0.5 + total / len(totals))
    for i in range(n):
        room[i] = limit
    shared_anew = predictability < UNPREDICTABLE
    if not shared_anew:
        cut(stream, mean, n, room, base, order)
    for day in range(len(totals)):
        if shared_anew:
            cut(stream, totals[day], n, room, share, order)
        else:
            scale = totals[day] / mean
            spare = 0
            for i in range(n):
                share[i] = int(0.5 + base[i] * scale)
                spare += limit - share[i]
            changes = min(int(0.5 + (1.0 - predictability) * totals[day]), spare)
            if changes > 0:
                _exchange(stream, changes, n, limit, share, room, part, order)
            lowest, highest = share[0], share[0]
            for i in range(1, n):
                lowest, highest = min(lowest, share[i]), max(highest, share[i])
            if lowest < 0:
                _refill(stream, n, share, room, part, order)
            if highest > limit:
                _spill(stream, n, limit, share, room, part, order)
        for i in range(n):
            daily[day, first + i]["exogenous_quantity"] = share[i]


@jittable
def cut(stream: Any, total: int, n: int, room: Any, part: Any, order: Any) -> None:
    """Give each of ``total`` items to one of those of the ``n`` parts that have room left, all equally likely.

    Args:
        stream: Of random numbers.
        total: Items; no more than there is room for.
        n: How many parts.
        room: int64 ``(n or more,)``, of each part.
        part: int64, likewise; written.
        order: int64, likewise; overwritten.
    """
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
def _exchange(stream: Any, items: int, n: int, limit: int, share: Any, room: Any, part: Any, order: Any) -> None:
    """Take items away anywhere, below 0 if need be, and give as many back where the limit leaves room."""
    for _ in range(items):
        share[below(stream, n)] -= 1
    for i in range(n):
        room[i] = limit - share[i]
    cut(stream, items, n, room, part, order)
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
            cut(stream, missing, n, room, part, order)
            for j in range(n):
                if j != i and share[j] >= part[j]:
                    share[j] -= part[j]
                    missing -= part[j]


@jittable
def _spill(stream: Any, n: int, limit: int, share: Any, room: Any, part: Any, order: Any) -> None:
    """Lower shares above the limit to it and hand the rest to the others, as far as they have room."""
    for i in range(n):
        excess = share[i] - limit
        if excess > 0:
            share[i] = limit
            total_room = 0
            for j in range(n):
                room[j] = limit - share[j]  # 0 for i, negative for a share yet to be lowered
                total_room += room[j]
            excess = min(excess, total_room)
        while excess > 0:
            cut(stream, excess, n, room, part, order)  # into the room of before, as scml does
            for j in range(n):
                if j != i and limit - share[j] >= part[j]:
                    share[j] += part[j]
                    excess -= part[j]


@jittable
def _set_money(stream: Any, distribution: Distribution, sizes: Any, days: int, spec: Any, daily: Any) -> None:
    """Catalog prices and balances, from what it costs to make all supplies into outputs, and exogenous prices."""
    levels = len(sizes)
    margin, cost, spent = np.zeros(levels), np.zeros(levels, dtype=np.int64), np.zeros(levels, dtype=np.int64)
    for level in range(levels):
        margin[level] = 1.0 + between(stream, *distribution.profit)
    deviation = between(stream, *distribution.price_deviation)
    n = 0
    for level in range(levels):
        for f in range(n, n + sizes[level]):
            cost[level] = max(cost[level], spec["production_cost"][f])
        n += sizes[level]
    prices = spec["catalog_prices"]
    prices[0] = distribution.supply_price
    for day in range(days):
        supplied = 0
        for f in range(sizes[0]):
            supplied += daily[day, f]["exogenous_quantity"]
        paid = distribution.supply_price * supplied
        sale_price = 0
        for level in range(levels):
            costs = paid + cost[level] * supplied
            spent[level] += costs
            paid = math.ceil(costs * margin[level])
            sale_price = math.ceil(paid / supplied)
            if day >= min(level + 1, days - 1):
                prices[level + 1] = max(prices[level + 1], sale_price)
        for f in range(n):
            if daily[day, f]["exogenous_quantity"] > 0:
                mean = distribution.supply_price if f < sizes[0] else sale_price
                daily[day, f]["exogenous_price"] = int(0.5 + mean + normal(stream) * deviation * mean)
    cash = between(stream, *distribution.cash)
    first = 0
    for level in range(levels):
        balance = math.ceil(math.ceil(spent[level] / sizes[level]) * cash)
        for f in range(first, first + sizes[level]):
            spec["initial_balance"][f] = balance
        first += sizes[level]


@jittable
def _draw_penalties(stream: Any, profile: Any, n: int, days: int, daily: Any, leftover_cost: Any) -> None:
    """Each day's shortfall penalty and cost of an item left over of each factory, as the constructor of scml's world
    draws them."""
    for f in range(n):
        shortfall, shortfall_deviation = profile[f, 0], profile[f, 1]
        leftover, leftover_deviation = profile[f, 2], profile[f, 3]
        for day in range(days):
            daily[day, f]["shortfall_penalty"] = abs(normal(stream) * shortfall_deviation + shortfall)
            leftover_cost[day, f] = abs(normal(stream) * leftover_deviation + leftover)
