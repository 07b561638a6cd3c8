"""The page of all worlds of a run."""

from __future__ import annotations

from typing import Any

from scml_gym.analyzer.queries import worlds
from scml_gym.analyzer.sources import Recordings
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.parts import absent, choices, run_choice, section, table

MEANINGS = {
    "world": "name; in a tournament configuration, block and play",
    "configuration": "worlds of the same one have the same parameters",
    "play": "0, or 1 with the levels swapped",
    "seed": "of the simulation",
    "score": "mean over the world's factories",
    "best_score": "of its best factory",
    "bankrupt": "factories whose balance fell below 0",
    "missing": "items that were sold and not produced",
    "unused": "inputs that were bought and not used",
    "contracts": "agreements of factories",
}

PLACES = {"bilateral": "/negotiation"}
"""Pages of games whose worlds have no days."""


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    run = query.run(recordings)
    seen = worlds.worlds(recordings, run)
    picked = choices(run_choice(recordings, run))
    if not len(seen):
        return [picked, absent("No world of this run was recorded yet, or it has no days.")]
    links = {"world": lambda row: address(PLACES.get(row.get("game", ""), "/world"), run=run, world=row["world"])}
    told = "Click a column's name to sort by it, and write below it to filter: >100 in a column of numbers."
    shown = seen.drop(columns="run").dropna(axis=1, how="all")
    return [picked, section(f"{len(seen)} worlds", told, table("worlds", shown, links, MEANINGS))]


WORLDS = Page("/worlds", "Worlds", "All worlds that were played, each with what was traded and what went wrong.", show)
