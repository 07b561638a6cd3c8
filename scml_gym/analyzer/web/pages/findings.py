"""The page of what the detectors found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from scml_gym.analyzer.detectors import DETECTORS, counts
from scml_gym.analyzer.queries import competitors
from scml_gym.analyzer.sources import Recordings
from scml_gym.analyzer.web.page import Page, Query, address
from scml_gym.analyzer.web.parts import absent, choice, choices, number_choice, run_choice, section, table
from scml_gym.core.errors import InputError

SHOWN = 1000
"""Findings of a detector that are shown, the costliest first."""

THRESHOLDS = " ".join(sorted({name for detector in DETECTORS.values() for name in detector.thresholds}))
"""Of all detectors, in the address: they are those of the one that is chosen."""

UNSAFE = "unsafe-acts"
NOBODY_LOOKED = (
    "Nobody looked: this recording was made by an older version, or imported, or has no factories. Worlds that are "
    "recorded now are audited."
)


def show(recordings: Recordings, query: Query) -> list[Any]:
    """See `Page`."""
    run = query.run(recordings)
    names = competitors.competitors(recordings, run)["competitor"].tolist()
    who = None if query.text("competitor") is None else query.one_of("competitor", names)
    name = query.one_of("detector", DETECTORS)
    thresholds = DETECTORS[name].thresholds
    picked = choices(
        run_choice(recordings, run),
        choice("competitor", "Competitor", {n: n for n in names}, who, any_label="all"),
        choice("detector", "Detector", {n: d.title for n, d in DETECTORS.items()}, name, drops=THRESHOLDS),
        *(number_choice(n, t.label, t.default, query.text(n)) for n, t in thresholds.items()),
    )
    try:
        given = {n: number for n in thresholds if (number := query.number(n)) is not None}
        found = _found(recordings, run, name, who, given)
    except InputError as error:  # what can be chosen stays
        found = absent(str(error))
    return [picked, found]


def _found(recordings: Recordings, run: int, name: str, who: str | None, thresholds: Mapping[str, float]) -> Any:
    detector = DETECTORS[name]
    count = detector.count(recordings, run, who, **thresholds)
    if not count:
        looked = name != UNSAFE or len(competitors.unsafe_acts(recordings, run))
        told = "Nothing of this kind was found." if looked else NOBODY_LOOKED
        return section(f"{detector.title}: none", detector.help, absent(told))
    links = {
        "world": lambda row: address("/world", run=run, world=row["world"], factory=row["factory"]),
        "day": lambda row: address("/day", run=run, world=row["world"], day=row["day"], factory=row["factory"]),
        "competitor": lambda row: address("/competitor", run=run, competitor=row["competitor"]),
    }
    told = f"{detector.help} The day's number leads to what was said on it."
    told += f" The {SHOWN:,} costliest of {count:,} are shown." if count > SHOWN else ""
    shown = detector.find(recordings, run, who, SHOWN, **thresholds).drop(columns="run").dropna(axis=1, how="all")
    return section(f"{detector.title}: {count:,}", told, table(name, shown, links))


def overview(recordings: Recordings, query: Query) -> list[Any]:
    """How much each detector found."""
    run, who = query.run(recordings), query.text("competitor")
    counted = counts(recordings, run, who)
    rows = [
        {"detector": d.title, "findings": counted[n], "what it finds": d.help, "name": n} for n, d in DETECTORS.items()
    ]
    links = {"detector": lambda row: address("/findings", run=run, competitor=who, detector=row["name"])}
    content = table("detectors", pd.DataFrame(rows), links, hidden=["name"])
    return [section("All detectors", "How much each found by its defaults; its name leads to the findings.", content)]


FINDINGS = Page(
    "/findings",
    "Findings",
    "What went wrong, found by rules: each finding has the day that shows it, and its cost in money where that can be "
    "said.",
    show,
    {"overview": overview},
)
