"""The tables of a report: how good the chances of several models are, with and without Beta-BOU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scml_gym.agents.dnb.calibration import (
    auc,
    brier,
    calibration_curve,
    calibration_error,
    calibration_interval,
    losses,
    mean_interval,
)
from scml_gym.agents.dnb.dataset import Dataset
from scml_gym.agents.dnb.models import AcceptanceModel
from scml_gym.agents.dnb.replay import posterior_means

if TYPE_CHECKING:
    import pandas as pd

BASE = "base rate"
BOU, FIRST = " + BOU", " + BOU, first prior"
"""After a model's name: its posterior means; those with the prior of a key's first use."""

DAYS = (0, 2, 5, 10, 20, 40)
"""Where the groups of days begin."""


@dataclass(frozen=True)
class Estimates:
    """What several models say of the offers of one part of a dataset.

    Attributes:
        part: Its name.
        dataset: Its offers.
        means: Name -> chance of acceptance of each offer, ``(n,)``; `BASE` is the mean of the training worlds.
    """

    part: str
    dataset: Dataset
    means: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, part: str, dataset: Dataset, base: float, models: Mapping[str, AcceptanceModel]) -> Estimates:
        """Ask the models, and replay Beta-BOU over them."""
        means = {BASE: np.full(len(dataset), base)}
        for name, model in models.items():
            mean = model.mean(dataset.samples)
            means[name] = mean
            means[name + BOU] = posterior_means(dataset, mean, model.strength)
            means[name + FIRST] = posterior_means(dataset, mean, model.strength, prior="first")
        return cls(part, dataset, means)


def scores_table(estimates: Estimates) -> pd.DataFrame:
    """A row for each group of offers and each kind of chances.

    Columns: ``part``; ``group`` and ``value`` ("all", role, round, family of the responder, first day of the group);
    ``estimate``; ``offers``; ``accepted`` (share); ``log_loss`` (nats) and ``ece`` with ``_low`` and ``_high`` of their
    95 % intervals; ``brier``; ``auc``.
    """
    import pandas as pd

    rows = []
    worlds = estimates.dataset.table["world"].to_numpy()
    for group, value, chosen in _groups(estimates.dataset):
        accepted = estimates.dataset.accepted[chosen]
        for name, mean in estimates.means.items():
            of_group = mean[chosen]
            row: dict[str, Any] = {"part": estimates.part, "group": group, "value": value, "estimate": name}
            row |= {"offers": len(accepted), "accepted": accepted.mean()}
            row |= _with_ends("log_loss", mean_interval(losses(of_group, accepted), worlds[chosen]))
            if group == "all":
                row |= _with_ends("ece", calibration_interval(of_group, accepted, worlds[chosen]))
            else:
                row["ece"] = calibration_error(of_group, accepted)
            rows.append(row | {"brier": brier(of_group, accepted), "auc": auc(of_group, accepted)})
    return pd.DataFrame(rows)


def differences_table(estimates: Estimates) -> pd.DataFrame:
    """A row for each pair of estimates that is to be compared: the first's log loss less the second's, by world.

    Columns: ``part``, ``group``, ``value``, ``first``, ``second``, ``offers``, ``difference``, ``low``, ``high``.
    """
    import pandas as pd

    worlds = estimates.dataset.table["world"].to_numpy()
    loss = {name: losses(mean, estimates.dataset.accepted) for name, mean in estimates.means.items()}
    rows = []
    for group, value, chosen in _groups(estimates.dataset):
        for first, second in _pairs(list(estimates.means)):
            found = mean_interval((loss[first] - loss[second])[chosen], worlds[chosen])
            row = {"part": estimates.part, "group": group, "value": value, "first": first, "second": second}
            row |= {"offers": int(chosen.sum()), "difference": found.value, "low": found.low, "high": found.high}
            rows.append(row)
    return pd.DataFrame(rows)


def curves_table(estimates: Estimates) -> pd.DataFrame:
    """The calibration curves: ``part``, ``estimate``, and the columns of `calibration_curve`."""
    import pandas as pd

    curves = []
    for name, mean in estimates.means.items():
        curve = calibration_curve(mean, estimates.dataset.accepted)
        curve.insert(0, "estimate", name)
        curve.insert(0, "part", estimates.part)
        curves.append(curve)
    return pd.concat(curves, ignore_index=True)


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """Every model with the base rate and with the models before it; its BOU with itself."""
    models = [name for name in names if BOU not in name]
    pairs = [(model, other) for i, model in enumerate(models) for other in models[:i]]
    return pairs + [(model + kind, model) for model in models if model != BASE for kind in (BOU, FIRST)]


def _groups(dataset: Dataset) -> Iterator[tuple[str, str, np.ndarray]]:
    """The groups of offers that are looked at: by what, which, and a mask."""
    yield "all", "", np.ones(len(dataset), np.bool_)
    table = dataset.table
    for column in ("role", "round", "responder_family"):
        for value in sorted(table[column].unique()):  # rounds are numbers
            yield column, str(value), (table[column] == value).to_numpy()
    days = np.searchsorted(DAYS, table["day"].to_numpy(), side="right") - 1
    for i in np.unique(days):
        yield "day", str(DAYS[i]), days == i


def _with_ends(name: str, interval: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))
