"""The page of all recordings that are open."""

from __future__ import annotations

from typing import Any

from scml_gym.analyzer.queries import worlds
from scml_gym.analyzer.sources import Recordings
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.parts import absent, section, table

MEANINGS = {
    "run": "number of the recording, in the order in which the folders were named",
    "worlds": "simulations that were played to their end",
    "days": "simulated days of a world",
    "competitors": "players that are judged",
    "offers": "all that was proposed in negotiations",
    "contracts": "offers that were accepted",
    "errors": "exceptions of players",
}


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    seen = worlds.runs(recordings)
    empty = sorted({run.run for run in recordings.runs} - set(seen["run"]))
    told = "no world was recorded yet; the page Live shows them as they come."
    waiting = [absent(f"{run}: {recordings.runs[run].label}: {told}") for run in empty]
    if not len(seen):
        return waiting
    links = {"label": lambda row: address("/ranking", run=row["run"])}
    told = "A row a recording. Its name leads to its ranking; the menu above leads to the rest."
    return [*waiting, section("Recordings", told, table("runs", seen.dropna(axis=1, how="all"), links, MEANINGS))]


RUNS = Page(
    "/",
    "Runs",
    "Each folder named on the command line is a run: a tournament, or worlds that an environment recorded. In a world, "
    "factories buy inputs, produce, and sell, and agree on it in negotiations; each factory is played by a competitor.",
    show,
)
