"""The page of what policies told of their decisions, over the days and within one."""

from __future__ import annotations

from typing import Any

import pandas as pd
from dash import html

from scml_gym.analyzer.queries import competitors, decisions, worlds
from scml_gym.analyzer.sources import Recordings, rows
from scml_gym.analyzer.web.figures import by_column, lines
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.parts import (
    Link,
    absent,
    chart,
    choice,
    choices,
    run_choice,
    section,
    table,
    with_links,
)

FIGURES = 24
"""Names that are drawn; the tables have all of them."""

NOTHING = (
    "No policy of this recording told anything. A policy tells what it thinks by one call, as the documentation says "
    "under How does my policy tell what it thought; D-NB and learned networks do so in recorded worlds."
)
MEANINGS = {
    "name": "of the number, as the policy calls it",
    "worlds": "in which it was told",
    "told": "how often",
    "of_partners": "whether it is told of single partners",
    "least": "the smallest number",
    "greatest": "the largest number",
    "who": "the competitor's place, or its factory and place",
    "decision": "of the day, from 0",
    "partner": "the factory that the number is about",
    "value": "the number",
}


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    run = query.run(recordings)
    told: Any = decisions.told(recordings, run)
    tellers = told["competitor"].unique().tolist()
    if not tellers:
        return [choices(run_choice(recordings, run)), absent(NOTHING)]
    who = query.one_of("competitor", [*tellers, *competitors.competitors(recordings, run)["competitor"]])
    known = worlds.names(recordings, run)
    world = None if query.text("world") is None else query.one_of("world", known)
    over: Any = decisions.by_day(recordings, run, who, world)
    days = {} if world is None else {day: str(day) for day in sorted(over["day"].unique().tolist())}
    day = query.whole("day") if world is not None else None
    picked = choices(
        run_choice(recordings, run),
        choice("competitor", "Competitor", {name: name for name in {**dict.fromkeys(tellers), who: None}}, who),
        choice("world", "World", {name: name for name in known}, world, "day factory", any_label="all"),
        choice("day", "Day of the world", days, day if day in days else None, any_label="all"),
    )
    if not len(over) or not (day is None or day in days):
        where = "" if world is None else f" in the world {world}" if day is None else f" on day {day} of {world}"
        return [picked, absent(f"{who} told nothing of its decisions{where}.")]
    shown = _over_days(over, world) if world is None or day is None else _in_day(recordings, run, who, world, day)
    meant = "All numbers that it told, in all its worlds."
    mine = told[told["competitor"] == who].drop(columns=["run", "competitor"])
    return [picked, *shown, section("All that was told", meant, table("told", mine, meanings=MEANINGS))]


def _over_days(over: Any, world: str | None) -> list[Any]:
    """A figure for each name, a line for each place or factory."""
    told = "The mean of what it told on each day" + (", over all its worlds." if world is None else " of this world.")
    figures = {
        str(name): lines(by_column(part, "day", "mean", "who"), "day", str(name))
        for name, part in over.groupby("name", sort=True)
    }
    return [section("Over the days", told, _beside(figures), table("told-by-day", over, meanings=MEANINGS))]


def _in_day(recordings: Recordings, run: int, who: str, world: str, day: int) -> list[Any]:
    """A figure for each name, a line for each factory, or for each partner that the number is about."""
    told: Any = decisions.in_day(recordings, run, who, world, day)
    partners = [
        f"{row['factory']}" if pd.isna(row["partner"]) else f"{row['factory']} of {row['partner']:.0f}: {row['other']}"
        for row in rows(told.rename(columns={"partner_competitor": "other"}))
    ]
    figures = {
        str(name): lines(by_column(part, "decision", "value", "line"), "decision of the day", str(name))
        for name, part in told.assign(line=partners).groupby("name", sort=True)
    }
    help_text = "What it told with each decision of this day: by factory, or of which partner of it."
    links = with_links([("What was said on this day", address("/day", run=run, world=world, day=day))])
    numbers = table("told-in-day", told, {"partner_competitor": _to_competitor(run)}, MEANINGS)
    return [section(f"Within day {day}", help_text, links, _beside(figures), numbers)]


def _to_competitor(run: int) -> Link:
    return lambda row: address("/competitor", run=run, competitor=row["partner_competitor"])


def _beside(figures: dict[str, Any]) -> Any:
    drawn = list(figures.items())[:FIGURES]
    more = absent(f"{len(figures) - FIGURES} more names are in the table only.") if len(figures) > FIGURES else None
    charts = [chart(f"told-{i}", figure, f"What was told as {name}", 240) for i, (name, figure) in enumerate(drawn)]
    return html.Div([html.Div(charts, className="charts small"), more])


DECISIONS = Page(
    "/decisions",
    "Decisions",
    "What did a policy think? The numbers that it told of its decisions: over the days, and within a day of a world.",
    show,
)
