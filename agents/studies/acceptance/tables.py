"""What is computed from the trainings: the table of runs, the baselines, the main effects of the reward's parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from scml_gym.evaluation.independent import Contrast, contrast, effect_size, holm, mean_interval, welch

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("opponent", "accept", "offer", "failure_penalty")
"""What a run is a combination of."""


_MEANS = ("agreement_rate", "mean_round", "accepted_share", "opponent_utility")


class Samples:
    """Utilities by label: of each training (the unit of the tests), and of each negotiation.

    Args:
        trainings: The table of that name of `scml_gym.agents.studies.acceptance.study.AcceptanceStudy`.
        negotiations: And the other one.
    """

    def __init__(self, trainings: pd.DataFrame, negotiations: pd.DataFrame):
        self.rows: dict[str, list[dict[Any, Any]]] = {}
        for row in trainings.to_dict("records"):
            self.rows.setdefault(str(row["label"]), []).append(row)
        self.facts = {label: rows[0] for label, rows in self.rows.items()}
        self.trainings = {label: np.array([row["utility"] for row in rows]) for label, rows in self.rows.items()}
        self.pooled = {str(label): part["utility"].to_numpy(float) for label, part in negotiations.groupby("label")}

    def labels(self, kind: str) -> list[str]:
        """Of the runs, the previous method (``previous``) or the rules, in the order of the table."""
        return [label for label, facts in self.facts.items() if facts["kind"] == kind]

    def previous(self, opponent: str) -> str:
        """The label of the previous method trained against an opponent."""
        return next(label for label in self.labels("previous") if self.facts[label]["opponent"] == opponent)

    def better_previous(self) -> str:
        """The label of the previous method with the highest mean."""
        return max(self.labels("previous"), key=self.mean)

    def mean(self, label: str) -> float:
        """Mean utility."""
        return float(self.trainings[label].mean())

    def minus(self, first: str, second: str, pooled: bool = False) -> Contrast:
        """Welch's comparison of two labels over trainings, or over negotiations."""
        samples = self.pooled if pooled else self.trainings
        return welch(samples[first], samples[second])


def summary(samples: Samples, label: str, floor: str) -> dict[str, Any]:
    """What is known of one label: a row of the tables of runs and baselines."""
    rows = samples.rows[label]
    mean, below = mean_interval(samples.trainings[label]), samples.minus(label, floor)
    level = "below" if below.high < 0 else "above" if below.low > 0 else "level"
    return {
        "label": label,
        "trainings": len(rows),
        "mean": mean.value,
        "low": mean.low,
        "high": mean.high,
        "sd_trainings": float(samples.trainings[label].std(ddof=1)),
        "sd_negotiations": float(samples.pooled[label].std(ddof=1)),
        **{name: float(np.mean([row[name] for row in rows])) for name in _MEANS},
        "minus_floor": below.value,
        "minus_floor_low": below.low,
        "minus_floor_high": below.high,
        "to_floor": level,
    }


def compared(samples: Samples, label: str, other: str, name: str) -> dict[str, Any]:
    """Columns of a comparison: difference, interval, p over trainings and over negotiations, effect size."""
    over_trainings = samples.minus(label, other)
    size = effect_size(samples.trainings[label], samples.trainings[other])
    return {
        f"minus_{name}": over_trainings.value,
        f"minus_{name}_low": over_trainings.low,
        f"minus_{name}_high": over_trainings.high,
        f"p_{name}": over_trainings.p,
        f"p_{name}_pooled": samples.minus(label, other, pooled=True).p,
        f"g_{name}": size.g,
        f"g_{name}_low": size.low,
        f"g_{name}_high": size.high,
    }


def runs_table(samples: Samples, floor: str) -> pd.DataFrame:
    """A row for each run, compared with the previous method trained against the same opponent, and with its better."""
    import pandas as pd

    rows = []
    for label in samples.labels("run"):
        facts = samples.facts[label]
        row = {"label": label} | {part: facts[part] for part in PARTS} | summary(samples, label, floor)
        row |= compared(samples, label, samples.previous(str(facts["opponent"])), "previous")
        rows.append(row | compared(samples, label, samples.better_previous(), "better"))
    table = pd.DataFrame(rows)
    for name in ("previous", "better"):
        table[f"p_{name}_holm"] = holm(table[f"p_{name}"].tolist())
    return table


def baselines_table(samples: Samples, floor: str) -> pd.DataFrame:
    """A row for each baseline."""
    import pandas as pd

    labels = [*samples.labels("rule"), *samples.labels("previous")]
    return pd.DataFrame([summary(samples, label, floor) for label in labels])


def level_contrast(samples: Samples, chosen: Callable[[Any], bool], among: Callable[[Any], bool]) -> Contrast:
    """The mean of some runs minus the mean of the others.

    Args:
        samples: All.
        chosen: Of a run's facts: whether it is one of the first.
        among: Whether it counts at all.
    """
    labels = [label for label in samples.labels("run") if among(samples.facts[label])]
    inside = np.array([chosen(samples.facts[label]) for label in labels])
    weights = np.where(inside, 1 / max(inside.sum(), 1), -1 / max((~inside).sum(), 1))
    return contrast([samples.trainings[label] for label in labels], weights.tolist())


def effects_table(samples: Samples) -> pd.DataFrame:
    """Main effects: the mean of the runs with one value of a part, and what it is above the mean of the others.

    The interval is of the difference and comes from the variance between the trainings of a run. Over all runs, and
    over those of each training opponent.
    """
    import pandas as pd

    labels = samples.labels("run")
    values = {part: list(dict.fromkeys(samples.facts[label][part] for label in labels)) for part in PARTS}
    rows = []
    for trained_against in ["all", *values["opponent"]]:

        def among(run: Any, trained_against: str = trained_against) -> bool:
            return trained_against in ("all", run["opponent"])

        for part in PARTS if trained_against == "all" else PARTS[1:]:
            for value in values[part] if len(values[part]) > 1 else []:

                def chosen(run: Any, part: str = part, value: Any = value) -> bool:
                    return run[part] == value

                inside = [label for label in labels if among(samples.facts[label]) and chosen(samples.facts[label])]
                difference = level_contrast(samples, chosen, among)
                row = {"trained_against": trained_against, "part": part, "value": value}
                row |= {"mean": float(np.mean([samples.mean(label) for label in inside]))}
                row |= {"difference": difference.value, "low": difference.low, "high": difference.high}
                rows.append(row | {"p": difference.p})
    return pd.DataFrame(rows)
