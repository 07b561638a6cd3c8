"""Plots of a tournament, drawn from its saved table alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scml_gym.core.curves import saved
from scml_gym.core.text import plain_labels
from scml_gym.evaluation.statistics import (
    by_configuration,
    levels_of,
    mean_and_error,
    paired,
    parts_of,
    ranking,
    rows_of,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLOURS = ("#2b6ca3", "#d9822b", "#6b4c9a")
_MOST_PAIRS = 30
"""In the figure of differences; where there are more, it has those of the best competitor alone."""

_PART_COLOURS = {"revenue": "#3a8f5c", "cost": "#7d8793", "disposal": "#c9a227", "shortfall": "#b5413b"}
_PART_COLOURS |= {"supplies": "#7d8793", "production": "#4f5963", "storage": "#c9a227"}


def draw(table: pd.DataFrame, form: str = "png") -> dict[str, bytes]:
    """All plots of a table of scores.

    Args:
        table: Of the scores.
        form: One of `scml_gym.core.curves.FORMATS`, which file names end in.

    Returns:
        Pictures by file name: ``ranking`` (mean scores and their 95 % intervals), ``levels`` (the same on each level),
        ``paired`` (differences on the same configurations, where there are several competitors), ``profit`` (what the
        profit is made of, where the game measures that); empty where nothing was scored.
    """
    ranks = ranking(table)
    if ranks.empty:
        return {}
    names = ranks["competitor"].tolist()
    pictures = {
        "ranking": _figure(names, "score", lambda axes: _ranking(axes, ranks), form),
        "levels": _figure(names, "score", lambda axes: _levels(axes, ranks, table), form),
    }
    pairs: list[dict[Any, Any]] = [pair for pair in paired(table).to_dict("records") if pair["configurations"]]
    if len(pairs) > _MOST_PAIRS:
        pairs = [pair for pair in pairs if pair["competitor"] == names[0]]
    if pairs:
        labels = [f"{pair['competitor']} − {pair['other']}" for pair in pairs]
        pictures["paired"] = _figure(labels, "difference of scores", lambda axes: _paired(axes, pairs), form)
    parts = parts_of(table)
    if parts:
        profit = "share of the initial balance"
        pictures["profit"] = _figure(names, profit, lambda axes: _profit(axes, ranks, parts), form)
    return {f"{name}.{form}": picture for name, picture in pictures.items()}


@plain_labels()
def _figure(labels: Sequence[str], quantity: str, fill: Callable[[Axes], None], form: str) -> bytes:
    """One horizontal chart, the first label on top."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 1.6 + 0.45 * len(labels)), layout="constrained")
    axes = figure.add_subplot()
    axes.use_sticky_edges = False
    fill(axes)
    axes.set_yticks(range(len(labels)), list(labels))
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel(quantity)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return saved(figure, form, dpi=120)


def _margins(errors: Sequence[float], numbers: Sequence[int]) -> np.ndarray:
    """Half the widths of 95 % intervals by Student's t, of means of so many configurations; 0 of a single one."""
    from scipy import stats

    n = np.asarray(numbers)
    return np.where(n > 1, stats.t.ppf(0.975, np.maximum(n - 1, 1)) * np.nan_to_num(np.asarray(errors)), 0.0)


def _ranking(axes: Axes, ranks: pd.DataFrame) -> None:
    errors = _margins(ranks["standard_error"].tolist(), ranks["configurations"].tolist())
    axes.errorbar(ranks["score"], range(len(ranks)), xerr=errors, fmt="o", color=_COLOURS[0], capsize=3)
    axes.axvline(1.0, color="grey", linewidth=0.8)
    axes.set_title("Mean score and 95 % interval (Student's t) over configurations")


def _paired(axes: Axes, pairs: Sequence[Mapping[Any, Any]]) -> None:
    differences = np.array([pair["difference"] for pair in pairs])
    errors = np.nan_to_num(differences - np.array([pair["low"] for pair in pairs]))
    axes.errorbar(differences, range(len(pairs)), xerr=errors, fmt="o", color=_COLOURS[0], capsize=3)
    axes.axvline(0.0, color="grey", linewidth=0.8)
    axes.set_title("Mean difference on the same configurations and 95 % interval (Student's t)")


def _levels(axes: Axes, ranks: pd.DataFrame, table: pd.DataFrame) -> None:
    levels = levels_of(table)
    for level, colour, shift in zip(levels, _COLOURS, np.linspace(-0.12, 0.12, len(levels)), strict=False):
        scores = by_configuration(rows_of(table, "competitor", level), "score")
        known = [v[~np.isnan(v)] for v in (scores[label] for label in ranks["competitor"])]
        means = [mean_and_error(values) for values in known]
        errors = _margins([m.error for m in means], [len(values) for values in known])
        places = np.arange(len(ranks)) + shift
        axes.errorbar([m.mean for m in means], places, xerr=errors, fmt="o", color=colour, capsize=3, label=level)
    axes.axvline(1.0, color="grey", linewidth=0.8)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    axes.set_title("Mean score and 95 % interval (Student's t) by level")


def _profit(axes: Axes, ranks: pd.DataFrame, parts: Sequence[str]) -> None:
    places = np.arange(len(ranks))
    axes.barh(places, ranks["revenue"], color=_PART_COLOURS["revenue"], label="revenue")
    left = np.zeros(len(ranks))
    for part in parts[1:]:
        left -= ranks[part].to_numpy()
        axes.barh(places, ranks[part], left=left, color=_PART_COLOURS[part], label=part)
    axes.plot(ranks["score"] - 1.0, places, "D", color="black", markersize=5, label="profit")
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    axes.set_title("What the profit is made of")
