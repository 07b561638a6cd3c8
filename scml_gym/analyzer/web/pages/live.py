"""The page of a tournament that is still running."""

from __future__ import annotations

from typing import Any

from scml_gym.analyzer.queries import worlds
from scml_gym.analyzer.sources import Recordings
from scml_gym.analyzer.web.figures import ranks
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.parts import absent, chart, choices, run_choice, section, table
from scml_gym.evaluation.statistics import ranking

SECONDS = 5.0
"""Between two looks."""

LATEST = 10
"""Worlds that are shown."""


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    run = query.run(recordings)
    picked = choices(run_choice(recordings, run))
    come = worlds.recorded(recordings, run)
    if not len(come):
        return [picked, absent("No world was recorded yet; each appears here when it is over.")]
    scores = worlds.scores(recordings, run).dropna(axis=1, how="all")
    roles = scores["role"].tolist()
    role = "competitor" if "competitor" in roles else roles[0]
    ranked = ranking(scores, role)
    figure = ranks(ranked)
    links = {"world": lambda row: address("/world", run=run, world=row["world"])}
    over = recordings.runs[run].results is not None
    state = "The tournament is over." if over else "Worlds are added when they are over; the page looks for them."
    return [
        picked,
        section(
            f"{len(come)} worlds so far",
            state,
            chart("so-far", figure, "Scores so far, with intervals", 90 + 32 * len(ranked)),
            table("ranking-so-far", ranked),
        ),
        section("Latest worlds", "Those that ended last.", table("latest", come.head(LATEST), links)),
    ]


LIVE = Page(
    "/live",
    "Live",
    "A tournament that is still running, as far as it is: the scores move as worlds come, and the intervals shrink.",
    show,
    every=SECONDS,
)
