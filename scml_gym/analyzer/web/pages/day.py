"""The page of a day: all its negotiations side by side, replayed round by round."""

from __future__ import annotations

from typing import Any

from dash import html

from scml_gym.analyzer.queries import worlds
from scml_gym.analyzer.sources import Recordings
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.parts import (
    absent,
    choice,
    choices,
    numbered,
    run_choice,
    section,
    table,
    with_links,
)
from scml_gym.analyzer.web.replay import answered, contracts_so_far, needs_so_far, negotiations, slider
from scml_gym.core.errors import InputError
from scml_gym.simulator.recording.schema import TABLES

UNSAFE = {name: column.meaning for name, column in TABLES["unsafe"].items()}
"""What the columns of unsafe acts say."""


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    run = query.run(recordings)
    known = worlds.names(recordings, run)
    world = query.one_of("world", known)
    names = numbered(worlds.factories(recordings, run, world))
    days: Any = worlds.days_of_world(recordings, run, world)
    if not len(days):
        raise InputError(f"of the world {world} no days were kept; negotiations of two sides are on another page")
    day, last = query.whole("day") or 0, int(days["day"].max())
    if day > last:
        raise InputError(f"day={day}: the world {world} has the days 0 to {last}", "day")
    factory = query.factory(world, names)
    picked = choices(
        run_choice(recordings, run),
        choice("world", "World", {name: name for name in known}, world, "day factory round"),
        choice("day", "Day", {d: str(d) for d in range(last + 1)}, day, "round"),
        choice("factory", "Factory", names, factory, any_label="all"),
    )
    places = [
        (text, address("/day", run=run, world=world, day=other, factory=factory))
        for text, other in (("Day before", day - 1), ("Next day", day + 1))
        if 0 <= other <= last
    ]
    links = with_links([*places, ("The whole world", address("/world", run=run, world=world, factory=factory))])
    content = _day(recordings, run, world, names, days[days["day"] == day], factory, query)
    return [picked, links, *content]


def _day(
    recordings: Recordings,
    run: int,
    world: str,
    names: dict[int, str],
    today: Any,
    factory: int | None,
    query: Query,
) -> list[Any]:
    day = int(today["day"].iloc[0])
    offers = _of(worlds.day(recordings, run, world, day), factory)
    contracts = _of(worlds.contracts(recordings, run, world, day), factory)
    mine = today if factory is None else today[today["factory"] == factory]
    parts = _replay(names, day, offers, contracts, today, query) if len(offers) else []
    if not parts:
        parts = [absent("No offers of this day were recorded, or none were made.")]
    told = worlds.decisions(recordings, run, world, day, factory)
    if len(told):
        help_text = "What the players themselves told of their decisions; the page Decisions draws it."
        parts.append(section("What players thought", help_text, table("decisions", told.dropna(axis=1, how="all"))))
    parts += _unsafe(recordings, run, world, day, factory)
    columns = [column for column in mine if column not in ("run", "world", "day", "game", "configuration", "seed")]
    return [
        *parts,
        section(
            "What the day brought",
            "Each factory's needs in the morning, what it traded and produced, and what it earned.",
            table("factories-of-the-day", mine[columns].dropna(axis=1, how="all")),
        ),
    ]


def _of(table: Any, factory: int | None) -> Any:
    return table if factory is None else table[(table["seller"] == factory) | (table["buyer"] == factory)]


def _unsafe(recordings: Recordings, run: int, world: str, day: int, factory: int | None) -> list[Any]:
    """The acts that the safety audit calls unsafe, with its reasons; nothing where there were none."""
    acts = worlds.unsafe_acts(recordings, run, world, day, factory)
    if not len(acts):
        return []
    told = (
        "Acceptances and offers that promise more than can be delivered or paid, and what would come of all acts of "
        "the decision together: the first day that falls short, and what is missing then."
    )
    return [section("Unsafe acts", told, table("unsafe", acts.dropna(axis=1, how="all"), meanings=UNSAFE))]


def _replay(names: dict[int, str], day: int, offers: Any, contracts: Any, today: Any, query: Query) -> list[Any]:
    offers = answered(offers)
    final = offers[offers["answer"].isin(["accepted", "ended"])]
    last = int(max([offers["round"].max(), *final["answer_round"], *contracts["round"].dropna()]))
    return [
        section(
            "Replay",
            "Move the slider (or the arrow keys on it) to see what was said up to a round: an offer is items x price "
            "of one item. Sellers stand on the left of each box, buyers on the right.",
            slider(last, query.whole("round")),
            html.Div(
                [needs_so_far(names, day, last, contracts, today), contracts_so_far(names, contracts)],
                className="beside",
            ),
            negotiations(names, day, offers),
        ),
        section(
            "All offers", "In the order in which they were made.", table("offers", offers.drop(columns="answer_round"))
        ),
        section("All contracts", "In the order in which they were concluded.", table("contracts", contracts)),
    ]


DAY = Page(
    "/day",
    "Day",
    "What was said on one day: all negotiations side by side, offer by offer, and the contracts as they come.",
    show,
)
