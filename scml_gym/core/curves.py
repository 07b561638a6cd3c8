"""Figures of learning curves: of one run, or of groups of runs, with their means and bootstrapped intervals."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scml_gym.core.bootstrap import interval
from scml_gym.core.text import plain_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, str]]
"""Of one run's learning curve: texts by column, empty where there is no number."""

Groups = Mapping[str, Sequence[Rows]]
"""Label -> the runs of a group."""

MOST_PANELS = 6
"""Of one figure; where there are more columns, the first figure has those of `FIRST`, and another one the rest."""

FIRST = (
    *("score", "return", "eval_score", "eval_return", "welfare", "agreement"),
    *("score/all", "reward/all", "agreement_rate/all", "epsilon"),
    *("validation_log_loss", "invalid_actions"),
)
"""Columns that matter most, in this order."""

FORMATS = ("png", "svg", "pdf")

_POINTS = 200
"""Steps at which the runs of a group are averaged."""


def columns_of(groups: Groups, x: str = "step") -> list[str]:
    """The columns with a number in some run, in the order of the runs."""
    found = {name: None for runs in groups.values() for rows in runs for row in rows for name, v in row.items() if v}
    return [name for name in found if name != x]


def divided(columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """The columns of the first figure, and those of the second, which may have none."""
    if len(columns) <= MOST_PANELS:
        return list(columns), []
    first = [name for name in FIRST if name in columns][:MOST_PANELS] or list(columns)[:MOST_PANELS]
    return first, [name for name in columns if name not in first]


def curve_figures(groups: Groups, title: str, name: str = "learning_curve", form: str = "png") -> dict[str, bytes]:
    """Figures with one panel a column; file name -> content.

    A group of several runs is shown by its mean, linear between the rows, and the bootstrapped 95 % interval of that,
    over the steps that all of its runs have; a group of one run by its rows.

    Args:
        groups: At least one.
        title: Above the panels.
        name: Of the first figure's file; the second one's, where there are many columns, ends in ``_rest``.
        form: One of `FORMATS`.
    """
    first, rest = divided(columns_of(groups))
    figures = {f"{name}.{form}": _figure(groups, first, title, form)} if first else {}
    return figures | ({f"{name}_rest.{form}": _figure(groups, rest, title, form)} if rest else {})


@plain_labels()
def _figure(groups: Groups, columns: Sequence[str], title: str, form: str) -> bytes:
    from matplotlib.figure import Figure

    width = min(3 if len(columns) > MOST_PANELS else 2, len(columns))
    height = math.ceil(len(columns) / width)
    figure = Figure(figsize=(5 * width, 2.8 * height))
    _set_margins(figure, width, height)
    for index, column in enumerate(columns):
        axes = figure.add_subplot(height, width, index + 1)
        for number, (label, runs) in enumerate(groups.items()):
            _draw(axes, [points(rows, column) for rows in runs], label, f"C{number % 10}")
        axes.set_xlabel("step")
        axes.set_ylabel(column.replace("_", " "))
        axes.grid(alpha=0.3)
        axes.locator_params(nbins=5)
        if len(groups) > 1 and index == 0:
            axes.legend(fontsize=8)
    figure.suptitle(title)
    return saved(figure, form)


def _set_margins(figure: Figure, width: int, height: int) -> None:
    """Leave room for labels and title, in inches; to measure the texts would double the time of a figure."""
    left, right, bottom, top, between, below = 0.9, 0.3, 0.5, 0.5, 0.95, 0.65
    across, along = (float(size) for size in figure.get_size_inches())
    figure.subplots_adjust(
        left=left / across,
        right=1 - right / across,
        bottom=bottom / along,
        top=1 - top / along,
        wspace=between * width / (across - left - right - (width - 1) * between),
        hspace=below * height / (along - bottom - top - (height - 1) * below),
    )


def saved(figure: Figure, form: str, dpi: int = 110) -> bytes:
    """A figure as a file of one of `FORMATS`, which repeats byte for byte."""
    import matplotlib

    metadata: dict[str, Any] = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[form]
    picture = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "scml-gym"}):
        figure.savefig(picture, format=form, dpi=dpi, metadata=metadata)
    return picture.getvalue()


def points(rows: Rows, column: str, x: str = "step") -> np.ndarray:
    """Steps and values of a column, shape ``(rows with a number, 2)``; of two rows with one step the later one."""
    found = {float(row[x]): float(row[column]) for row in rows if row.get(column)}
    return np.array(sorted(found.items())).reshape(-1, 2)


def _draw(axes: Axes, curves: Sequence[np.ndarray], label: str, colour: str) -> None:
    curves = [curve for curve in curves if len(curve)]
    if not curves:
        return
    if len(curves) == 1:
        steps, mean = curves[0].T
    else:
        steps, values = averaged(curves)
        mean = values.mean(axis=0)
        low, high = interval([values], _mean)
        axes.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
    axes.plot(steps, mean, color=colour, label=label, marker="o" if len(steps) == 1 else None)


def averaged(curves: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Common steps of several curves, ``(points,)``, and their values there, ``(runs, points)``."""
    first, last = max(curve[0, 0] for curve in curves), min(curve[-1, 0] for curve in curves)
    if first >= last:  # they share no stretch: where the shortest one ends
        steps = np.array([last])
    else:
        met = np.unique(np.concatenate([curve[:, 0] for curve in curves]))
        met = met[(met >= first) & (met <= last)]
        steps = met if len(met) <= _POINTS else np.linspace(first, last, _POINTS)
    return steps, np.array([np.interp(steps, curve[:, 0], curve[:, 1]) for curve in curves])


def _mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=0)
