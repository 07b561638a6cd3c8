"""Draws one day of the Standard track, as it is played, into docs/img/standard_day.svg.

    python docs/drawings/standard_day.py            write the drawing
    python docs/drawings/standard_day.py --check    fail where it is stale

The day is the second one of docs/standard.md: the numbers come from the episode and its settlement, none is written by
hand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import scml_gym  # noqa: E402, F401 (registers the environments)
from docs.drawings.svg import arrow, box, differs, document, line, main, text  # noqa: E402
from scml_gym.standard.rewards import DailyProfit  # noqa: E402
from scml_gym.standard.rules import opens_negotiations  # noqa: E402
from scml_gym.standard.settlement import SETTLEMENT_DTYPE, settle_view  # noqa: E402
from scml_gym.standard.view import MAX_PARTNERS, MAX_PER_LEVEL  # noqa: E402

TARGET = ROOT / "docs" / "img" / "standard_day.svg"
WIDTH, HEIGHT = 960, 1044
DAY = 1
"""The day that is drawn, from 0; texts count from 1."""

Choice = tuple[int, int, int, int]
END, ACCEPT = (0, 0, 0, 0), (1, 0, 0, 0)


def offer(quantity: int, days_ahead: int, price: int) -> Choice:
    """An offer to deliver so many days from today, at one of four prices from the lowest (0) to the highest (3)."""
    return 2, quantity - 1, days_ahead, price


DECISIONS: list[Mapping[int, Choice]] = [
    {0: offer(3, 0, 3), 1: ACCEPT, 2: offer(3, 0, 3), 8: ACCEPT, 9: END, 10: offer(5, 1, 1)},  # on the first day
    {2: ACCEPT},
    {0: END, 1: offer(4, 1, 1), 2: END, 8: offer(3, 0, 1), 9: ACCEPT, 10: offer(2, 0, 1)},  # on the second day
    {1: offer(4, 1, 3), 8: ACCEPT, 10: offer(3, 0, 0)},
]
"""What the factory answers its partners by their index, 0 to 2 the suppliers and 8 to 10 the consumers."""


class KeepDays(DailyProfit):
    """Pays the profit of each day, and keeps the last view of it."""

    def __init__(self) -> None:
        super().__init__()
        self.days: list[Any] = []

    def __call__(self, transition: Any) -> float:
        self.days += [day.copy() for day in transition.closed]
        return super().__call__(transition)


class Day(NamedTuple):
    """A day that was played."""

    spec: Any
    factory: int
    decisions: list[Mapping[int, Choice]]
    views: list[Any]  # before each decision, and at the end of the day
    delivered: np.ndarray  # contracts of the factory that are delivered on it
    settlement: dict[str, float]
    stock: int  # of the next morning


def play(stock: str) -> Day:
    """Play the day, with the environment that docs/standard.md makes."""
    env: Any = gymnasium.make(
        "scml_gym/StandardConcurrent-v0",
        level="middle",
        n_levels=3,
        factories_per_level=3,
        days=4,
        opponents=["sync-random", "just-in-time", "greedy"],
        stock=stock,
        reward=KeepDays(),
    ).unwrapped
    env.reset(seed=3)
    decisions, views = [], []
    for choices in DECISIONS:
        if env.view["day"] == DAY:
            decisions.append(choices)
            views.append(env.view.copy())
        action = np.zeros((MAX_PARTNERS, 4), dtype=np.int64)
        for k, choice in choices.items():
            action[k] = choice
        env.step(action.ravel())
    world, factory, last = env.world, env.factory, env.reward.days[DAY]
    assert world.day == DAY + 1, "the decisions are those of two days"
    due = world.contracts[world.contracts["delivery"] == DAY]
    supplies, sales = due[due["buyer"] == factory], due[due["seller"] == factory]
    sides = [
        (len(side), np.append(side["quantity"], 0), np.append(side["price"].astype(np.float64), 0.0))
        for side in (supplies, sales)
    ]
    settlement = dict(zip(SETTLEMENT_DTYPE.names or (), settle_view(last, *sides[0], *sides[1]), strict=True))
    assert settlement["profit"] == world.profits[factory, DAY]
    delivered = np.concatenate([supplies, sales])
    return Day(world.spec, factory, decisions, [*views, last], delivered, settlement, int(env.view["stock"]))


def chain(day: Day) -> Iterable[str]:
    """Who trades with whom, and what each factory's exogenous contract is."""
    spec, n_levels = day.spec, day.spec.n_levels
    middles = [265, 480, 695]
    heights = [[92 + 42 * i for i in range(size)] for size in spec.level_sizes]
    first = [int(np.flatnonzero(spec.level == level)[0]) for level in range(n_levels)]
    level, own = int(spec.level[day.factory]), day.factory - first[int(spec.level[day.factory])]
    yield text(28, 40, "The chain on this day", "ink head")
    yield text(28, 66, "exogenous supplies", "muted small")
    yield text(932, 66, "exogenous sales", "muted small", "end")
    for place, x in enumerate(middles):
        who = {level - 1: "suppliers", level: "own level", level + 1: "consumers"}[place]
        yield text(x, 66, f"level {place}: {who}", "muted small", "middle")
    for left in range(n_levels - 1):
        for i, y in enumerate(heights[left]):
            for j, z in enumerate(heights[left + 1]):
                mine = (left == level and i == own) or (left + 1 == level and j == own)
                kind = ("own", 2.2) if mine else ("line", 1)
                yield line(middles[left] + 65, y, middles[left + 1] - 65, z, *kind)
    for factory in range(spec.n_factories):
        place = int(spec.level[factory])
        i = factory - first[place]
        x, y, mine = middles[place], heights[place][i], factory == day.factory
        name = (
            "this factory" if mine else f"{ {level - 1: 'supplier', level: 'rival', level + 1: 'consumer'}[place] } {i}"
        )
        yield box(x - 65, y - 16, 130, 32, "own-box" if mine else "box", "own" if mine else "line")
        yield text(x, y + 5, name, "own strong" if mine else "ink", "middle")
        items, price = int(spec.exogenous_quantity[factory, DAY]), float(spec.exogenous_price[factory, DAY])
        words = f"{items} items at {price:g}" if items else "none"
        if place == 0:
            yield text(28, y + 5, words)
            yield arrow(140, 196, y, "line")
        elif place == n_levels - 1:
            yield text(932, y + 5, words, "ink", "end")
            yield arrow(764, 812, y, "line")

    openers = [place for place in range(n_levels) if opens_negotiations(place, n_levels)]
    words = "This factory speaks first." if level in openers else "This factory answers their first offers."
    y = max(max(column) for column in heights) + 48
    yield text(480, y, f"Levels {' and '.join(map(str, openers))} speak first. {words}", "muted small", "middle")


def deal(partner: Any, whose: str) -> str:
    """An offer or an agreement of a partner's record in words."""
    quantity, price, delivery = (int(partner[f"{whose}_{name}"]) for name in ("quantity", "price", "day"))
    when = "" if delivery == DAY else f", day {delivery + 1}"
    return f"{quantity} at {price}{when}"


def said(before: Any, after: Any, choice: Choice | None, k: int) -> tuple[tuple[str, str], tuple[str, str]]:
    """What the factory answered partner k in one decision, and what came back: words and kind of each."""
    was, now = before["partners"][k], after["partners"][k]
    if not was["my_turn"] or choice is None:
        return ("", ""), ("", "")
    if choice == ACCEPT:
        return ("accepts", "yes"), ("", "")
    if choice == END:
        return ("ends", "no"), ("", "")
    own = deal(now, "my"), "own"
    if now["agreed_quantity"]:
        return own, ("accepts", "yes")
    return own, ((deal(now, "offer"), "ink") if now["running"] else ("ends", "no"))


def talks(day: Day, top: float) -> Iterable[str]:
    """The factory's negotiations: what was offered first, then a column for each decision and for what it led to."""
    left, cell, row = 118, 132, 36
    yield text(28, top, "Its negotiations: about items and unit price, for today or a later day", "ink head")
    heads = [("they offer", "muted")]
    for d in range(len(day.decisions)):
        heads += [(f"decision {d + 1}", "own strong"), ("they answer", "muted")]
    for i, (words, kind) in enumerate(heads):
        yield text(left + cell * (i + 0.5), top + 30, words, f"{kind} small", "middle")
    end = left + cell * len(heads)
    yield text((end + 932) / 2 + 6, top + 30, "contract", "muted small", "middle")
    partners = [k for k in range(MAX_PARTNERS) if day.views[0]["partners"][k]["exists"]]
    for place, k in enumerate(partners):
        y = top + 58 + row * place
        name = f"supplier {k}" if k < MAX_PER_LEVEL else f"consumer {k - MAX_PER_LEVEL}"
        yield text(28, y + 5, name)
        yield line(left, y, end, y)
        cells = [(deal(day.views[0]["partners"][k], "offer"), "ink")]
        for d, choices in enumerate(day.decisions):
            cells += said(day.views[d], day.views[d + 1], choices.get(k), k)
        for i, (words, kind) in enumerate(cells):
            if words:
                x = left + cell * i
                known = kind != "ink"
                yield box(x + 4, y - 14, cell - 8, 28, f"{kind}-box" if known else "box", kind if known else "line")
                yield text(x + cell / 2, y + 5, words, f"{kind} small", "middle")
        partner = day.views[-1]["partners"][k]
        agreed = bool(partner["agreed_quantity"])
        words = deal(partner, "agreed") if agreed else "none"
        yield text((end + 932) / 2 + 6, y + 5, words, "yes strong small" if agreed else "muted small", "middle")


def books(day: Day, top: float) -> Iterable[str]:
    """Stock and books before the negotiations and after them."""
    left, cell, row = 330, 150, 32
    yield text(28, top, "Its stock and its books", "ink head")
    n_days = int(day.views[0]["last_day"]) - DAY + 1
    for i, words in enumerate(["in stock", *(f"day {DAY + ahead + 1}" for ahead in range(n_days))]):
        name = f"{words}, today" if i == 1 else words
        yield text(left + cell * (i + 0.5), top + 2, name, "muted small", "middle")
    rows = [
        (f"{what}, {when}", view, book)
        for what, book in (("bought", "supplies"), ("sold", "sales"))
        for when, view in (("in the morning", day.views[0]), ("in the evening", day.views[-1]))
    ]
    for r, (name, view, book) in enumerate(rows):
        y = top + 30 + row * r
        yield text(28, y + 5, name)
        if r == 0:
            yield box(left + 4, y - 13, cell - 8, 26, "own-box", "own")
            yield text(left + cell / 2, y + 5, f"{int(view['stock'])} items", "own strong small", "middle")
        for ahead in range(n_days):
            x, items = left + cell * (ahead + 1), int(view[book][ahead])
            new = items != int(day.views[0][book][ahead])
            yield box(x + 4, y - 13, cell - 8, 26, "yes-box" if new else "box", "yes" if new else "line")
            kind = "yes strong" if new else "ink" if items else "muted"
            yield text(x + cell / 2, y + 5, f"{items} items" if items else "none", f"{kind} small", "middle")


def evening(day: Day, physical: Day, top: float) -> Iterable[str]:
    """What the day brings: the items, the revenue and where it goes, and the stock by both rules."""
    parts, left = day.settlement, 132
    stock = int(day.views[0]["stock"])
    bought = int(day.delivered["quantity"][day.delivered["buyer"] == day.factory].sum())
    produced = int(parts["produced"])
    yield text(28, top, "The end of the day", "ink head")
    yield text(28, top + 39, "inputs")
    scale = (932 - left) / (stock + bought)
    yield box(left, top + 20, stock * scale, 30, "own-box", "own")
    yield text(left + stock * scale / 2, top + 40, f"{stock} from stock", "own strong", "middle")
    yield box(left + stock * scale, top + 20, bought * scale, 30, "box")
    yield text(left + (stock + bought / 2) * scale, top + 40, f"{bought} delivered today", "ink", "middle")
    yield text(28, top + 79, "outputs")
    yield box(left, top + 60, produced * scale, 30, "own-box", "own")
    words = f"{produced} produced and sold"
    yield text(left + produced * scale / 2, top + 80, words, "own strong", "middle")
    yield text(932, top + 80, f"{int(parts['stored'])} stored", "muted", "end")
    scale = (932 - left) / max(parts["revenue"], 1.0)
    yield text(28, top + 119, f"revenue {parts['revenue']:g}")
    x = float(left)
    for name in ("supplies", "production", "shortfall", "profit"):
        width = parts[name] * scale
        if width > 0:
            profit = name == "profit"
            yield box(x, top + 100, width, 30, "yes-box" if profit else "cost", "yes" if profit else "line")
            words = f"{name} {parts[name]:.2f}" if profit else f"{name} {parts[name]:g}"
            yield text(x + width / 2, top + 120, words, "yes strong" if profit else "ink", "middle")
        x += width + (parts["storage"] * scale if name == "production" else 0.0)
    yield text(left, top + 154, f"The rest, {parts['storage']:.2f}, is the storage cost.", "muted")
    yield text(28, top + 196, "In stock on the next morning", "ink head")
    rules = [
        (
            'stock="league"',
            f"{stock} + max(0, {bought} − {produced}) = {day.stock}",
            "what production used is still there",
        ),
        ('stock="physical"', f"{stock} + {bought} − {produced} = {physical.stock}", "what production used is gone"),
    ]
    for i, (rule, sum_, why) in enumerate(rules):
        y = top + 226 + 36 * i
        yield box(28, y - 16, 904, 32, "own-box" if i == 0 else "box", "own" if i == 0 else "line")
        yield text(44, y + 5, rule, "strong own" if i == 0 else "strong ink")
        yield text(220, y + 5, sum_)
        yield text(916, y + 5, why, "muted", "end")


def make() -> str:
    """The whole drawing."""
    day, physical = play("league"), play("physical")
    assert np.array_equal(day.delivered, physical.delivered), "the same day is played by both rules"
    title = "One day of a factory in the middle of a chain: its partners, its negotiations, its books and its stock"
    parts = [*chain(day), *talks(day, 276), *books(day, 572), *evening(day, physical, 752)]
    return document(title, WIDTH, HEIGHT, parts)


def stale() -> bool:
    """Whether the drawing is another one than the package makes now."""
    return differs(TARGET, make())


if __name__ == "__main__":
    main("standard_day", TARGET, make)
