"""The page that compares two competitors, or two runs, in the same seats."""

from __future__ import annotations

from typing import Any

from scml_gym.analyzer.queries import compare, competitors
from scml_gym.analyzer.queries.compare import Who
from scml_gym.analyzer.sources import Recordings
from scml_gym.analyzer.web.figures import lines
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.parts import absent, chart, choice, choices, names_of, run_choice, section, table
from scml_gym.core.errors import InputError
from scml_gym.evaluation.statistics import mean_and_error

PARTS = {"revenue": 1, "supplies": -1, "production": -1, "disposal": -1, "storage": -1, "shortfall": -1}
"""Of a profit, and whether they add to it or take from it."""

SEATS = (
    "A seat is a factory of a world, or a side of a negotiation; both played it, in worlds with the same parameters. "
    "The greatest differences come first."
)


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    run = query.run(recordings)
    other_run = query.whole("other_run")
    other_run = run if other_run is None else other_run
    if other_run >= len(recordings.runs):
        raise InputError(f"other_run={other_run}: only {len(recordings.runs)} recordings are open", "other_run")
    mine = competitors.competitors(recordings, run)["competitor"].tolist()
    theirs = competitors.competitors(recordings, other_run)["competitor"].tolist()
    first = Who(run, query.one_of("competitor", mine))
    others = [name for name in theirs if Who(other_run, name) != first] or theirs
    second = Who(other_run, query.one_of("other", others))
    picked = choices(
        run_choice(recordings, run, "competitor"),
        choice("competitor", "First", {name: name for name in mine}, first.competitor),
        choice("other_run", "Recording of the second", names_of(recordings), other_run, "other"),
        choice("other", "Second", {name: name for name in others}, second.competitor),
    )
    try:
        return [picked, *_compared(recordings, first, second)]
    except InputError as error:
        return [picked, absent(str(error))]


def _compared(recordings: Recordings, first: Who, second: Who) -> list[Any]:
    seats: Any = compare.same_seats(recordings, first, second)
    days: Any = compare.day_by_day(recordings, first, second)
    links = {
        "world": lambda row: address("/world", run=first.run, world=row["world"], factory=row["factory"]),
        "other_world": lambda row: address("/world", run=second.run, world=row["other_world"], factory=row["factory"]),
    }
    mean = mean_and_error(seats.groupby("configuration")["difference"].mean().to_numpy(float))
    total = {"since the first day": (days["day"].tolist(), days["total"].tolist())}
    parts = {
        part: (days["day"].tolist(), (sign * days[part]).tolist())
        for part, sign in PARTS.items()
        if days[part].notna().any()
    }
    configurations = seats["configuration"].nunique()
    error = f"standard error over configurations {mean.error:.4f}" if configurations > 1 else "one alone has no error"
    told = (
        f"In {len(seats)} seats of {configurations} configuration{'s' * (configurations > 1)} the first one's score is "
        f"higher by {mean.mean:.4f} ({error})."
    )
    shown = [section("Seat by seat", f"{told} {SEATS}", table("seats", seats, links))]
    if not len(days):
        return shown
    return [
        section(
            "When does the first one gain?",
            f"{told} Money that it has more than the second one, from the first day to each day.",
            chart("total", lines(total, "day", "money a factory"), "Difference of profits since the first day"),
        ),
        section(
            "Of what?",
            "What each part of the profit adds to the difference: above 0 the first one was paid more, or paid less.",
            chart("parts", lines(parts, "day", "money a factory"), "Differences of the parts of profits"),
            table("day-by-day", days.dropna(axis=1, how="all")),
        ),
        *shown,
    ]


COMPARE = Page(
    "/compare",
    "Compare",
    "Two players in the same seats: the same factory of the same world, once played by the one and once by the other. "
    "What differs is not luck with the factory.",
    show,
)
