"""Comparison of trainings: their learning curves, and what they reached, by groups of runs.

What a run reached is the last number in a column of its learning curve. Aggregates over runs and tasks, probabilities
of improvement and performance profiles are those of R. Agarwal et al., *Deep Reinforcement Learning at the Edge of the
Statistical Precipice*, NeurIPS 2021; a task is an environment.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from scml_gym.core.bootstrap import interval
from scml_gym.core.curves import FIRST, FORMATS, Rows, columns_of, curve_figures, points, saved
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.text import plain_labels
from scml_gym.experiments.run_folder import Run

RUN = "run"
"""In place of a key path: each run is a group by itself."""

Table = list[dict[str, Any]]


@dataclass(frozen=True)
class Training:
    """A run as far as it is compared.

    Attributes:
        group: Label of its group.
        task: Its environment.
        rows: Of its learning curve.
    """

    group: str
    task: str
    rows: Rows


def read_trainings(folders: Sequence[Path], by: str) -> list[Training]:
    """The trainings in run folders.

    Args:
        folders: Of the runs.
        by: Key path of the configuration whose value is a run's group; ``agent`` and ``env`` stand for their names, and
            `RUN` for the folder itself.

    Raises:
        InputError: if a folder is no run or has no learning curve yet, is given twice, or has no such key.
    """
    found, seen = [], set()
    for folder in folders:
        if folder.resolve() in seen:
            raise InputError(f"{folder} is given twice")
        seen.add(folder.resolve())
        run = Run.open(folder)
        rows = run.curve()
        if not rows:
            raise InputError(f"{folder}: its learning curve has no rows yet")
        task = run.config["env"].get("id") or run.config["env"].get("game") or "worlds"
        found.append(Training(str(folder) if by == RUN else _value(folder, run.config, by), str(task), rows))
    return found


def _value(folder: Path, config: Mapping[str, Any], by: str) -> str:
    value: Any = config
    for key in by.split("."):
        if not isinstance(value, Mapping) or key not in value:
            valid = value if isinstance(value, Mapping) else ()
            raise InputError(f"--by {by}: {folder} has no {key!r}{nearest(key, [*map(str, valid), RUN])}")
        value = value[key]
    return str(value.get("name", value.get("id", "unnamed")) if isinstance(value, Mapping) else value)


def choose_column(trainings: Sequence[Training], column: str | None) -> str:
    """The column that is compared: by default the first of `FIRST` in which every run has a number.

    Raises:
        InputError: if a run has no number in it, or there is none in which all have.
    """
    held = [set(columns_of({"": [training.rows]})) for training in trainings]
    common = set.intersection(*held)
    if column is not None and column not in common:
        raise InputError(f"--column {column}: not every run has it{nearest(column, common)}")
    chosen = column or next((name for name in FIRST if name in common), None)
    if chosen is None:
        raise InputError(f"give a --column that every run has; valid: {', '.join(sorted(common)) or 'none'}")
    return chosen


def scores_of(trainings: Sequence[Training], column: str) -> dict[str, np.ndarray]:
    """What the runs of each group reached, float64, shape ``(runs, tasks)``; tasks in alphabetical order.

    Raises:
        InputError: if a group has not equally many runs of each task, or groups have other tasks.
    """
    tasks = sorted({training.task for training in trainings})
    matrices = {}
    for group in dict.fromkeys(training.group for training in trainings):
        columns = [
            [float(points(t.rows, column)[-1, 1]) for t in trainings if (t.group, t.task) == (group, task)]
            for task in tasks
        ]
        counts = {task: len(values) for task, values in zip(tasks, columns, strict=True)}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{n} of {task}" for task, n in counts.items())
            raise InputError(f"{group}: each environment needs equally many runs to be compared, there are {told}")
        matrices[group] = np.array(columns).T
    return matrices


def summary(scores: Mapping[str, np.ndarray]) -> Table:
    """A row for each group: runs, tasks, mean and interquartile mean with their bootstrapped 95 % intervals.

    Raises:
        InputError: if rliable is not installed.
    """
    metrics = _metrics()
    table = []
    for group, matrix in scores.items():
        row: dict[str, Any] = {"group": group, "runs": len(matrix), "tasks": matrix.shape[1]}
        for name, metric in (("mean", metrics.aggregate_mean), ("iqm", metrics.aggregate_iqm)):
            low, high = _interval([matrix], metric)
            row |= {name: float(metric(matrix)), f"{name}_low": float(low), f"{name}_high": float(high)}
        table.append(row)
    return table


def improvements(scores: Mapping[str, np.ndarray]) -> Table:
    """A row for each pair of groups: the probability that a run of the first one reaches more than one of the second.

    Raises:
        InputError: if rliable is not installed.
    """
    metric = _metrics().probability_of_improvement
    table = []
    for (group, first), (other, second) in combinations(scores.items(), 2):
        low, high = _interval([first, second], metric)
        value = float(metric(first, second))
        table.append({"group": group, "over": other, "probability": value, "low": float(low), "high": float(high)})
    return table


def profile(matrix: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """The share of runs and tasks that reach more than each threshold, shape ``(thresholds,)``."""
    return (matrix[:, :, None] > thresholds).mean(axis=(0, 1))


@plain_labels()
def profile_figure(scores: Mapping[str, np.ndarray], column: str, form: str = "png") -> bytes:
    """The performance profiles of all groups, with their pointwise bootstrapped 95 % intervals."""
    from matplotlib.figure import Figure

    reached = np.concatenate([matrix.ravel() for matrix in scores.values()])
    margin = 0.05 * (np.ptp(reached) or 1.0)
    thresholds = np.linspace(reached.min() - margin, reached.max() + margin, 200)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for number, (group, matrix) in enumerate(scores.items()):
        low, high = _interval([matrix], lambda chosen: profile(chosen, thresholds))
        axes.plot(thresholds, profile(matrix, thresholds), color=f"C{number % 10}", label=group)
        axes.fill_between(thresholds, low, high, color=f"C{number % 10}", alpha=0.2, linewidth=0)
    axes.set_xlabel(f"{column.replace('_', ' ')} of a run")
    axes.set_ylabel("share of runs that reach more")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return saved(figure, form)


def compare(folders: Sequence[Path], by: str, column: str | None, form: str = "png") -> dict[str, str | bytes]:
    """All figures and tables of a comparison: file name -> content.

    Args:
        folders: Of the runs.
        by: See `read_trainings`.
        column: See `choose_column`.
        form: Of the figures, one of `FORMATS`.

    Raises:
        InputError: if anything of this is wrong, or rliable is not installed.
    """
    if form not in FORMATS:
        raise InputError(f"--format {form}: there is no such format{nearest(form, FORMATS)}")
    trainings = read_trainings(folders, by)
    column = choose_column(trainings, column)
    scores = scores_of(trainings, column)
    groups = {group: [t.rows for t in trainings if t.group == group] for group in scores}
    files: dict[str, str | bytes] = {"summary.csv": _csv(summary(scores))}
    if len(scores) > 1:
        files["improvement.csv"] = _csv(improvements(scores))
    title = f"mean of the runs by {by}, bootstrapped 95 % interval"
    return (
        files | curve_figures(groups, title, "curves", form) | {f"profile.{form}": profile_figure(scores, column, form)}
    )


def _interval(matrices: Sequence[np.ndarray], metric: Callable[..., Any]) -> tuple[Any, Any]:
    """Of a metric of matrices of runs and tasks: runs are drawn within each task of each matrix."""
    widths = [matrix.shape[1] for matrix in matrices]

    def of_columns(*columns: np.ndarray) -> Any:
        left = list(columns)
        return metric(*(np.stack([left.pop(0) for _ in range(width)], axis=1) for width in widths))

    return interval([column for matrix in matrices for column in matrix.T], of_columns)


def _metrics() -> Any:
    try:
        from rliable import metrics
    except ModuleNotFoundError as error:
        raise InputError("plot needs the optional package rliable: pip install 'scml-gym[plot]'") from error
    return metrics


def _csv(table: Table) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()
