"""What the paper says, and whether it is so here."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.agents.studies.acceptance.tables import Samples, level_contrast
from scml_gym.evaluation.independent import Contrast, welch

HOLDS, FAILS, OPEN = "holds", "does not hold", "not decided"

TOP = 3
"""Runs of each opponent in the paper's figure 1."""

NAMED = {"Gahboninho": "Gcc-0.5", "boulware": "Bab-0"}
"""Runs that the paper names as among the best of their opponent."""


_BETTER = (("accept", 3, "a", "b"), ("accept", 3, "c", "b"), ("offer", 4, "b", "a"), ("offer", 4, "c", "a"))
"""Part, its equation, the value that the paper finds better, and the one that it does not name."""


class Finding(NamedTuple):
    """A statement of the paper, what is measured here, and the verdict."""

    statement: str
    here: str
    verdict: str


def findings(samples: Samples, significance: float) -> list[Finding]:
    """All of them that this study can speak to: it needs both opponents, two values of a part, runs to choose from."""
    facts = {label: samples.facts[label] for label in samples.labels("run")}
    opponents = list(dict.fromkeys(run["opponent"] for run in facts.values()))
    found = []
    if {"boulware", "Gahboninho"} <= set(opponents):
        difference = level_contrast(samples, lambda run: run["opponent"] == "boulware", lambda run: True)
        here = f"Mean of these runs less mean of the others: {interval(difference)}."
        statement = "Training against boulware brings more than against Gahboninho."
        found.append(Finding(statement, here, _verdict(difference)))
    for part, equation, better, worse in _BETTER:
        if {better, worse} <= {run[part] for run in facts.values()}:
            found.append(_pair(samples, part, equation, better, worse))
    for opponent in opponents:
        runs = sum(run["opponent"] == opponent for run in facts.values())
        if runs >= TOP:
            found.append(_best(samples, opponent, significance))
        if runs > TOP and NAMED.get(opponent) in facts:
            found.append(_named(samples, opponent, NAMED[opponent]))
    return found


def top(samples: Samples, opponent: str, among: slice = slice(None)) -> list[str]:
    """The labels of the best runs of an opponent, by the mean over some of the trainings."""
    labels = [label for label in samples.labels("run") if samples.facts[label]["opponent"] == opponent]
    return sorted(labels, key=lambda label: -samples.trainings[label][among].mean())[:TOP]


def interval(difference: Contrast) -> str:
    """As text: the value and its 95 % interval."""
    return f"{difference.value:+.3f} ({difference.low:+.3f}, {difference.high:+.3f})"


def _verdict(difference: Contrast) -> str:
    return HOLDS if difference.low > 0 else FAILS if difference.high < 0 else OPEN


def _pair(samples: Samples, part: str, equation: int, better: str, worse: str) -> Finding:
    """One value of a part against another, over all runs and over those of each opponent."""
    opponents = list(dict.fromkeys(samples.facts[label]["opponent"] for label in samples.labels("run")))
    found = {}
    for among in [opponents, *([opponent] for opponent in opponents)]:
        found[", ".join(among)] = level_contrast(
            samples,
            lambda run: run[part] == better,
            lambda run, among=among: run["opponent"] in among and run[part] in (better, worse),
        )
    overall, *single = found.values()
    holding = [opponent for opponent, difference in zip(opponents, single, strict=True) if difference.low > 0]
    verdict = _verdict(overall)
    if holding and len(holding) < len(opponents):
        verdict = f"holds with {' and '.join(holding)} only"
    here = "; ".join(f"trained against {among}: {interval(difference)}" for among, difference in found.items())
    return Finding(f"({equation}-{better}) brings more than ({equation}-{worse}).", f"Difference {here}.", verdict)


def _best(samples: Samples, opponent: str, significance: float) -> Finding:
    """The paper's test, over pooled negotiations of runs chosen by the same data; beside it the trainings as the unit,
    and runs chosen by one half of the trainings and tested on the other."""
    previous, labels = samples.previous(opponent), top(samples, opponent)
    over = {name: [samples.minus(label, previous, pooled) for label in labels] for name, pooled in _UNITS.items()}
    counts = {name: sum(_above(d, significance) for d in differences) for name, differences in over.items()}
    chosen = top(samples, opponent, slice(0, None, 2))
    rest = samples.trainings[previous][1::2]
    fresh = sum(_above(welch(samples.trainings[label][1::2], rest), significance) for label in chosen)
    better = samples.better_previous()
    beyond = sum(_above(samples.minus(label, better), significance) for label in labels)
    differences = ", ".join(f"{label} {interval(d)}" for label, d in zip(labels, over["trainings"], strict=True))
    here = (
        f"Less the previous method trained against {opponent}: {differences}. Significantly above it: "
        f"{counts['negotiations']} of {len(labels)} over negotiations, {counts['trainings']} over trainings, {fresh} "
        "where half of the trainings choose the runs and the other half tests them. Above the better of both previous "
        f"methods: {beyond}."
    )
    below = any(difference.high < 0 for difference in over["trainings"])
    verdict = HOLDS if counts["trainings"] == len(labels) else FAILS if below else OPEN
    claim = (
        f"The three best rewards trained against {opponent} beat the previous method (Welch, {100 * significance:g}%)."
    )
    note = "" if opponent == "boulware" else " (The paper tests those of boulware only.)"
    return Finding(claim + note, here, verdict)


_UNITS = {"trainings": False, "negotiations": True}


def _above(difference: Contrast, significance: float) -> bool:
    return difference.value > 0 and difference.p < significance


def _named(samples: Samples, opponent: str, label: str) -> Finding:
    """Whether a run is among the best; one that cannot be told from the mean of the others is not decided."""
    labels = [x for x in samples.labels("run") if samples.facts[x]["opponent"] == opponent]
    ranked = sorted(labels, key=lambda x: -samples.mean(x))
    rank = 1 + ranked.index(label)
    behind = samples.minus(label, ranked[0])
    others = level_contrast(samples, lambda c: c["label"] == label, lambda c: c["opponent"] == opponent)
    here = (
        f"Rank {rank} of {len(ranked)}, mean {samples.mean(label):.3f}; minus the best ({ranked[0]}): "
        f"{interval(behind)}; minus the mean of the others: {interval(others)}."
    )
    told_apart = others.low > 0 if rank <= TOP else behind.high < 0
    verdict = OPEN if not told_apart else HOLDS if rank <= TOP else FAILS
    return Finding(f"{label} is one of the three best trained against {opponent}.", here, verdict)


def floor_counts(samples: Samples, floor: str) -> dict[str, int]:
    """How many runs are below, level with and above a rule, by the interval of the difference."""
    differences = [samples.minus(label, floor) for label in samples.labels("run")]
    below = sum(d.high < 0 for d in differences)
    above = sum(d.low > 0 for d in differences)
    return {"below": below, "level": len(differences) - below - above, "above": int(np.sum(above))}
