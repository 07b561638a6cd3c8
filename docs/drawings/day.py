"""Draws one day of OneShot, as it is played, into docs/img/oneshot_day.svg.

    python docs/drawings/day.py            write the drawing
    python docs/drawings/day.py --check    fail where it is stale

The day is the one of docs/concepts.md: the numbers come from the episode and its settlement, none is written by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import scml_gym  # noqa: E402, F401 (registers the environments)
from docs.drawings.svg import arrow, box, differs, document, line, main, text  # noqa: E402
from scml_gym.oneshot.settlement import SETTLEMENT_DTYPE, settle_view  # noqa: E402
from scml_gym.oneshot.view import SELLER  # noqa: E402

TARGET = ROOT / "docs" / "img" / "oneshot_day.svg"
WIDTH, HEIGHT = 960, 676
END, ACCEPT = 0, 1


def offer(quantity: int, price: int) -> int:
    """The choice that offers so many items at the lower (0) or the higher price (1) of the day."""
    return 2 + (quantity - 1) * 2 + price


DECISIONS = [
    [offer(4, 0), offer(3, 0), offer(2, 0), offer(3, 0)],
    [END, offer(2, 1), offer(4, 1), END],
    [END, ACCEPT, offer(3, 0), END],
]
"""What the buyer answers its four sellers; 0 where there is nothing to answer any more."""


class Day(NamedTuple):
    """A day that was played."""

    spec: Any
    factory: int
    views: list[Any]  # before each decision, and after the last one
    settlement: dict[str, float]
    score: float


def play() -> Day:
    """Play the day, with the environment that docs/concepts.md makes."""
    env: Any = gymnasium.make(
        "scml_gym/OneShotConcurrent-v0", level="buyer", opponents=["best-subset"], factories_per_level=4, days=1
    ).unwrapped
    env.reset(seed=5)
    views, info = [env.view.copy()], {}
    for choices in DECISIONS:
        *_, info = env.step([*choices, 0, 0, 0, 0])
        views.append(env.view.copy())
    last = views[-1]
    agreed = last["partners"][last["partners"]["agreed_quantity"] > 0]
    row = settle_view(last, len(agreed), agreed["agreed_quantity"].copy(), agreed["agreed_price"].astype(np.float64))
    settlement = dict(zip(SETTLEMENT_DTYPE.names or (), row, strict=False))
    assert settlement["profit"] == info["profit"]
    return Day(env.world.spec, env.factory, views, settlement, info["score"])


def market(day: Day) -> Iterable[str]:
    """Who trades with whom, and what each factory's exogenous contract is."""
    spec, sellers = day.spec, int((day.spec.level == SELLER).sum())
    heights = [92 + 42 * i for i in range(max(sellers, spec.n_factories - sellers))]
    yield text(28, 40, "The market of a day", "ink head")
    for x, anchor, words in [(28, "start", "exogenous supplies"), (265, "middle", "sellers (level 0)"),
                             (695, "middle", "buyers (level 1)"), (932, "end", "exogenous sales")]:  # fmt: skip
        yield text(x, 66, words, "muted small", anchor)
    yield text(480, 66, "every seller negotiates with every buyer", "muted small", "middle")
    own = heights[day.factory - sellers]
    yield from (line(330, y, 630, z) for y in heights for z in heights if z != own)
    yield from (line(330, y, 630, own, "own", 2.2) for y in heights)
    for factory in range(spec.n_factories):
        seller, mine = factory < sellers, factory == day.factory
        y = heights[factory if seller else factory - sellers]
        items, price = int(spec.exogenous_quantity[factory, 0]), float(spec.exogenous_price[factory, 0])
        words = f"{items} items at {price:g}" if items else "none"
        name = "this buyer" if mine else f"seller {factory}" if seller else f"buyer {factory}"
        yield box(200 if seller else 630, y - 16, 130, 32, "own-box" if mine else "box", "own" if mine else "line")
        yield text(265 if seller else 695, y + 5, name, "own strong" if mine else "ink", "middle")
        kind = "own strong" if mine else "ink"
        yield text(28 if seller else 932, y + 5, words, kind, "start" if seller else "end")
        start, end = (140, 196) if seller else (764, 812)
        yield arrow(start, end, y, "own" if mine else "line")


def said(before: Any, after: Any, choice: int, k: int) -> tuple[tuple[str, str], tuple[str, str]]:
    """What the buyer answered partner k in one decision, and what came back: words and kind of each."""
    was, now = before["partners"][k], after["partners"][k]
    if not was["my_turn"]:
        return ("", ""), ("", "")
    if choice == ACCEPT:
        return ("accepts", "yes"), ("", "")
    if choice == END:
        return ("ends", "no"), ("", "")
    own = f"offers {now['my_quantity']} at {now['my_price']}", "own"
    if now["agreed_quantity"]:
        return own, ("accepts", "yes")
    if now["running"]:
        return own, (f"wants {now['offer_quantity']} at {now['offer_price']}", "ink")
    return own, ("ends", "no")


def talks(day: Day, top: float) -> Iterable[str]:
    """The buyer's negotiations, a column for each decision and for what it led to."""
    cell, left, row = 116, 112, 38
    yield text(28, top, "The four negotiations of this buyer", "ink head")
    for d in range(len(DECISIONS)):
        yield text(left + cell * (2 * d + 0.5), top + 30, f"decision {d + 1}", "own strong small", "middle")
        yield text(left + cell * (2 * d + 1.5), top + 30, "the sellers", "muted small", "middle")
    end = left + cell * 2 * len(DECISIONS)
    yield text((end + 932) / 2 + 8, top + 30, "contract", "muted small", "middle")
    for k in range(int(day.views[0]["n_partners"])):
        y = top + 60 + row * k
        yield text(28, y + 5, f"seller {k}", "ink")
        yield line(left, y, end, y)
        for d, choices in enumerate(DECISIONS):
            for half, (words, kind) in enumerate(said(day.views[d], day.views[d + 1], choices[k], k)):
                if words:
                    x = left + cell * (2 * d + half)
                    yield box(x + 4, y - 14, cell - 8, 28, "box" if kind == "ink" else f"{kind}-box",
                              "line" if kind == "ink" else kind)  # fmt: skip
                    yield text(x + cell / 2, y + 5, words, f"{kind} small", "middle")
        partner = day.views[-1]["partners"][k]
        words = f"{partner['agreed_quantity']} at {partner['agreed_price']}" if partner["agreed_quantity"] else "none"
        yield text((end + 932) / 2 + 8, y + 5, words, "yes strong" if partner["agreed_quantity"] else "muted", "middle")


def evening(day: Day, top: float) -> Iterable[str]:
    """What the day brings: the revenue, and where it goes."""
    parts = day.settlement
    scale = (932 - 112) / max(parts["revenue"], 1.0)
    yield text(28, top, "The end of the day", "ink head")
    yield text(28, top + 39, "revenue", "ink")
    yield box(112, top + 20, parts["revenue"] * scale, 30, "own-box", "own")
    sold = parts["produced"]
    price = float(day.views[-1]["exogenous_price"])
    words = f"{sold:g} items produced and sold at {price:g}: {parts['revenue']:g}"
    yield text(112 + parts["revenue"] * scale / 2, top + 40, words, "own strong", "middle")
    yield text(28, top + 79, "goes into", "ink")
    x = 112.0
    for name in ("supplies", "production", "disposal", "shortfall", "profit"):
        width = parts[name] * scale
        if width > 0:
            profit = name == "profit"
            yield box(x, top + 60, width, 30, "yes-box" if profit else "cost", "yes" if profit else "line")
            yield text(x + width / 2, top + 80, f"{name} {parts[name]:g}", "yes strong" if profit else "ink", "middle")
        x += width
    initial = float(day.views[-1]["initial_balance"])
    words = (
        f"No item is left over and none is missing, so no penalty is due. Score: ({initial:g} + {parts['profit']:g})"
    )
    yield text(112, top + 116, f"{words} / {initial:g} = {day.score:.3f}", "muted")


def make() -> str:
    """The whole drawing."""
    day = play()
    title = "One day of one buyer in SCML OneShot: the market, its four negotiations, and what they bring"
    return document(title, WIDTH, HEIGHT, [*market(day), *talks(day, 296), *evening(day, 532)])


def stale() -> bool:
    """Whether the drawing is another one than the package makes now."""
    return differs(TARGET, make())


if __name__ == "__main__":
    main("day", TARGET, make)
