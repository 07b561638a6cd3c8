"""The page of a world: its factories over the days, and who traded with whom."""

from __future__ import annotations

from typing import Any

from dash import html

from scml_gym.analyzer.queries import worlds
from scml_gym.analyzer.sources import Recordings
from scml_gym.analyzer.web.figures import by_column, flow, heat, lines
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.parts import (
    absent,
    chart,
    choice,
    choices,
    numbered,
    run_choice,
    section,
    table,
    with_links,
)

MIDDLE = "A middle level sells what it buys, and has none of its own."
OVER_DAYS = {
    "balance": ("Balance", "Money of each factory in the morning.", "money"),
    "stock": ("Stock", "Inputs that each factory has in store in the morning.", "items"),
    "needed": ("Needs", f"Items that each factory has to buy or to sell, in the morning of the day. {MIDDLE}", "items"),
    "left_over": (
        "Needs left",
        f"What is left of them in the evening; below 0 too many were agreed. {MIDDLE}",
        "items",
    ),
    "profit": ("Profit", "Money that each day brought.", "money"),
}
"""Columns that are shown as lines over the days: title, help and unit."""

ABSENT = {"stock": "Goods perish in this game: there is no stock."}
"""Why a column has no numbers."""


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    run = query.run(recordings)
    known = worlds.names(recordings, run)
    world = query.one_of("world", known)
    factories = worlds.factories(recordings, run, world)
    names = numbered(factories)
    factory = query.factory(world, names)
    picked = choices(
        run_choice(recordings, run),
        choice("world", "World", {name: name for name in known}, world, "day factory"),
        choice("factory", "Factory", names, factory, any_label="all"),
    )
    days: Any = worlds.days_of_world(recordings, run, world)
    parts = [picked, _factories(run, world, factories)]
    if not len(days):
        told = "Of this world no days are known, as of a negotiation of two sides, or where scores alone were kept."
        replay = address("/negotiation", run=run, world=world)
        return [*parts, absent(told), with_links([("What was said, if it is a negotiation", replay)])]
    shown = days if factory is None else days[days["factory"] == factory]
    shown = shown.assign(who=[f"{f}: {c}" for f, c in zip(shown["factory"], shown["competitor"], strict=True)])
    charts = html.Div([*_over_days(shown), _prices(days)], className="charts")
    return [*parts, _days(recordings, run, world), charts, _flow(recordings, run, world, names)]


def _factories(run: int, world: str, factories: Any) -> Any:
    links = {
        "factory": lambda row: address("/world", run=run, world=world, factory=row["factory"]),
        "competitor": lambda row: address("/competitor", run=run, competitor=row["competitor"]),
    }
    told = "Level 0 buys from outside and sells to the next level; the last level sells to the outside."
    return section("Factories", told, table("factories", factories.dropna(axis=1, how="all"), links))


def _days(recordings: Recordings, run: int, world: str) -> Any:
    days = worlds.summary_of_days(recordings, run, world)
    links = {"day": lambda row: address("/day", run=run, world=world, day=row["day"])}
    told = "All factories together. A day's number leads to what was said on it."
    return section("Days", told, table("days", days, links))


def _over_days(days: Any) -> list[Any]:
    parts = []
    for column, (title, told, unit) in OVER_DAYS.items():
        known = days[days[column].notna()]
        if not len(known):
            parts.append(section(title, told, absent(ABSENT.get(column, "Nobody has any here."))))
            continue
        figure = lines(by_column(known, "day", column, "who"), "day", unit)
        parts.append(section(title, told, chart(column, figure, told)))
    grid = days.pivot_table(index="who", columns="day", values="profit", sort=False)
    told = "Money by factory and day: blue where the day brought money, red where it cost some."
    parts.append(section("Profit at a glance", told, chart("profits", heat(grid, "day", "", "profit"), told)))
    return parts


def _prices(days: Any) -> Any:
    """Trading prices of the products: what each level buys, and what the last one sells."""
    first = days.drop_duplicates(["level", "day"])
    series = {
        f"product {level}": (part["day"].tolist(), part["input_price"].tolist())
        for level, part in first.groupby("level")
    }
    last = first[first["level"] == first["level"].max()]
    series[f"product {int(last['level'].iloc[0]) + 1}"] = (last["day"].tolist(), last["output_price"].tolist())
    told = "Trading prices: what an item of each product was worth lately. Product 0 is the raw material."
    return section("Prices", told, chart("prices", lines(series, "day", "money an item"), told))


def _flow(recordings: Recordings, run: int, world: str, names: dict[int, str]) -> Any:
    flows = worlds.flows(recordings, run, world)
    told = "Items that each factory sold to each other one, over all days: the broader, the more."
    if not len(flows):
        return section("Who traded with whom", told, absent("Nothing was agreed in this world."))
    figure = flow(names, flows["seller"].tolist(), flows["buyer"].tolist(), flows["items"].tolist())
    return section("Who traded with whom", told, chart("flows", figure, told, 420), table("flows", flows))


WORLD = Page(
    "/world",
    "World",
    "One simulation from its first to its last day: how each factory's money and needs went, and who traded with whom.",
    show,
)
