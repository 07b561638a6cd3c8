"""Plots of a tournament, drawn from its saved table alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from scml_gym.core.text import plain_labels
from scml_gym.evaluation.statistics import by_configuration, levels_of, mean_and_error, parts_of, ranking, rows_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLOURS = ("#2b6ca3", "#d9822b", "#6b4c9a")
_PART_COLOURS = {"revenue": "#3a8f5c", "cost": "#7d8793", "disposal": "#c9a227", "shortfall": "#b5413b"}
_PART_COLOURS |= {"supplies": "#7d8793", "production": "#4f5963", "storage": "#c9a227"}


def draw(table: pd.DataFrame) -> dict[str, bytes]:
    """All plots of a table of scores.

    Returns:
        PNG by file name: ``ranking.png`` (mean scores, bars of 1.96 standard errors), ``levels.png`` (the same on
        each level), ``profit.png`` (what the profit is made of, where the game measures that); empty where
        nothing was scored.
    """
    ranks = ranking(table)
    if ranks.empty:
        return {}
    pictures = {
        "ranking.png": _figure(ranks, "score", lambda axes: _ranking(axes, ranks)),
        "levels.png": _figure(ranks, "score", lambda axes: _levels(axes, ranks, table)),
    }
    parts = parts_of(table)
    if parts:
        pictures["profit.png"] = _figure(
            ranks, "share of the initial balance", lambda axes: _profit(axes, ranks, parts)
        )
    return pictures


@plain_labels()
def _figure(ranks: pd.DataFrame, quantity: str, fill: Callable[[Axes], None]) -> bytes:
    """One horizontal bar chart, the best competitor on top."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 1.6 + 0.45 * len(ranks)), layout="constrained")
    axes = figure.add_subplot()
    axes.use_sticky_edges = False
    fill(axes)
    axes.set_yticks(range(len(ranks)), ranks["competitor"].tolist())
    axes.set_ylim(len(ranks) - 0.5, -0.5)
    axes.set_xlabel(quantity)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
    return file.getvalue()


def _ranking(axes: Axes, ranks: pd.DataFrame) -> None:
    errors = 1.96 * ranks["standard_error"].fillna(0.0)
    axes.errorbar(ranks["score"], range(len(ranks)), xerr=errors, fmt="o", color=_COLOURS[0], capsize=3)
    axes.axvline(1.0, color="grey", linewidth=0.8)
    axes.set_title("Mean score and 1.96 standard errors over configurations")


def _levels(axes: Axes, ranks: pd.DataFrame, table: pd.DataFrame) -> None:
    levels = levels_of(table)
    for level, colour, shift in zip(levels, _COLOURS, np.linspace(-0.12, 0.12, len(levels)), strict=False):
        scores = by_configuration(rows_of(table, "competitor", level), "score")
        means = [mean_and_error(v[~np.isnan(v)]) for v in (scores[label] for label in ranks["competitor"])]
        errors = 1.96 * np.nan_to_num([m.error for m in means])
        places = np.arange(len(ranks)) + shift
        axes.errorbar([m.mean for m in means], places, xerr=errors, fmt="o", color=colour, capsize=3, label=level)
    axes.axvline(1.0, color="grey", linewidth=0.8)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    axes.set_title("Mean score and 1.96 standard errors by level")


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
