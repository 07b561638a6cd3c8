"""The page of the commitment study: outcomes, learning curves, policy tables, and which method comes before which."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scml_gym.core.text import plain_labels
from scml_gym.evaluation.statistics import mean_and_error

if TYPE_CHECKING:
    import pandas as pd

    from scml_gym.agents.studies.commitment.config import GameOfStudy, StudyConfig

RETURN = "return_"
"""Begins the columns of the returns of each agent."""

SHOWN = ("dcl", "dcl-ic", "dcl-ic-decentralised", "mediated", "moca")
"""The methods whose policies the page shows; the table has all."""

Curves = Mapping[tuple[str, str], Mapping[str, np.ndarray]]
"""(method, game) -> column -> numbers of shape ``(rows, seeds)``."""

Records = Sequence[Mapping[str, Any]]


def report(config: StudyConfig, tables: Mapping[str, pd.DataFrame], origin: str) -> Mapping[str, str | bytes]:
    """``study.md``, ``final.csv`` (the last row of every curve) and a figure of the learning curves of each game.

    Args:
        config: Of the study.
        tables: Its tables.
        origin: Commands, versions and cost, in Markdown.
    """
    curves = gather(tables["curves"], config.seeds)
    parts = ["# When do learners cooperate by voluntary commitment?\n", origin + "\n", INTRODUCTION]
    files: dict[str, str | bytes] = {"final.csv": final_rows(records(tables["curves"]))}
    for game, about in config.games.items():
        outcomes = outcome_rows(config, curves, game)
        if not outcomes:  # no method plays it
            continue
        files[f"curves-{game}.png"] = curve_figure(config, curves, game)
        parts += [f"## {about.title}\n", target_line(about), outcome_table(outcomes)]
        parts += [order_lines(outcomes), f"![learning curves](curves-{game}.png)\n"]
    parts += ["## Policies\n", POLICIES, *policy_tables(config, records(tables["policies"]))]
    if "stubborn" in tables:
        parts += ["## Against a co-player that always proposes defection\n", STUBBORN]
        parts.append(stubborn_table(config, records(tables["stubborn"])))
    files["study.md"] = "\n".join(parts)
    return files


def records(table: Any) -> Records:
    """The rows of a table."""
    return table.to_dict("records")


def final_rows(rows: Records) -> str:
    """The last row of every seed's curve, as CSV."""
    last = {(row["method"], row["game"], row["seed"]): row for row in rows}
    text = io.StringIO()
    writer = csv.DictWriter(
        text, [name for name in rows[0] if name != "run"], extrasaction="ignore", lineterminator="\n"
    )
    writer.writeheader()
    for row in last.values():
        writer.writerow({name: "" if value != value else value for name, value in row.items()})
    return text.getvalue()


def gather(table: Any, seeds: int) -> Curves:
    """Learning curves as arrays; rows of a run are ordered by update, then by seed.

    A run has the returns of the agents of its game and no more.
    """
    rows = records(table)
    returns = [name for name in rows[0] if name.startswith(RETURN)]
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        names = ("decisions", *returns, "welfare", "agreement")
        columns = found.setdefault((row["method"], row["game"]), {name: [] for name in names})
        for name, numbers in columns.items():
            numbers.append(row[name])
    arrays = {
        run: {name: np.array(numbers, dtype=float).reshape(-1, seeds) for name, numbers in columns.items()}
        for run, columns in found.items()
    }
    return {
        run: {name: values for name, values in columns.items() if not np.isnan(values).all()}
        for run, columns in arrays.items()
    }


def returns_of(curve: Mapping[str, Any]) -> list[str]:
    """The columns of the returns of a run, or of a row of outcomes."""
    return [name for name in curve if name.startswith(RETURN)]


def panels(curve: Mapping[str, Any]) -> dict[str, str]:
    """Titles of the columns that are shown."""
    titles = {name: f"return of agent {name.removeprefix(RETURN)}" for name in returns_of(curve)}
    return titles | {"welfare": "welfare", "agreement": "agreements"}


INTRODUCTION = """\
Every number is of the policies as they are sampled in training, in the last row of the learning curve, over seeds: mean
and 1.96 standard errors. Agreement is the share of decisions that a unanimous commitment bound (mediated: in which all
joined; MOCA: of accepted contracts). "Decisions to target" is the median, over the seeds that end at the target, of the
decisions of each agent after which the curve stays there.
"""

POLICIES = """\
Probabilities at the start of an episode, the mean over seeds (the smallest and the largest of them in brackets).
"""

STUBBORN = """\
The co-player always proposes, accepts and plays its defection; the learner's return and the share of decisions bound,
over seeds and both roles (smallest and largest in brackets).
"""


def decisions_to_target(curve: Mapping[str, np.ndarray], about: GameOfStudy) -> np.ndarray:
    """For each seed the decisions of the first row from which its curve stays at the target; NaN if it never does."""
    held = np.ones(curve["welfare"].shape, dtype=bool)
    if about.welfare is not None:
        held &= curve["welfare"] >= about.welfare
    if about.returns is not None:
        held &= np.all([curve[name] >= about.returns for name in returns_of(curve)], axis=0)
    stays = np.logical_and.accumulate(held[::-1], axis=0)[::-1]
    return np.where(stays[-1], curve["decisions"][stays.argmax(axis=0), 0], np.nan)


def outcome_rows(config: StudyConfig, curves: Curves, game: str) -> list[dict[str, Any]]:
    """What each method comes to in a game: one row a method."""
    rows = []
    for method, about in config.methods.items():
        if (method, game) not in curves:
            continue
        curve = curves[method, game]
        speeds = decisions_to_target(curve, config.games[game])
        at = int(np.isfinite(speeds).sum())
        row: dict[str, Any] = {"method": method, "title": about.title, "seeds": len(speeds), "at_target": at}
        row["speed"] = float(np.nanmedian(speeds)) if at else float("nan")
        row["decisions"] = int(curve["decisions"].max())
        rows.append(row | {name: curve[name][-1] for name in panels(curve)})
    return rows


def target_line(about: GameOfStudy) -> str:
    """The target in words."""
    told = [f"welfare at least {about.welfare:g}"] if about.welfare is not None else []
    told += [f"the return of each agent at least {about.returns:g}"] if about.returns is not None else []
    return f"Target: {' and '.join(told) or 'none'}.\n"


def outcome_table(rows: Records) -> str:
    """As Markdown."""
    returns = returns_of(rows[0])
    titles = panels(rows[0])
    head = ["method", "welfare", "worst seed", *(titles[name] for name in returns), "agreements"]
    head += ["seeds at target", "decisions to target", "decisions in all"]
    lines = []
    for row in rows:
        line = [row["title"], spread(row["welfare"]), f"{row['welfare'].min():.2f}"]
        line += [spread(row[name]) for name in returns]
        speed = f"{row['speed']:,.0f}" if row["at_target"] else "-"
        line += [spread(row["agreement"]), f"{row['at_target']} of {row['seeds']}", speed, f"{row['decisions']:,}"]
        lines.append(line)
    return markdown(head, lines)


def spread(values: np.ndarray) -> str:
    """Mean and 1.96 standard errors."""
    mean, error = mean_and_error(values)
    return f"{mean:.2f} ± {1.96 * error:.2f}"


def order_lines(rows: Records) -> str:
    """Whether the methods with commitments come before the others in welfare or in speed, and where not."""
    ours = [row for row in rows if row["method"].startswith("dcl")]
    lines = []
    for other in rows:
        if other["method"] in ("ippo", "mediated", "moca"):
            told = [f"{row['title']} {compared(row, other)}" for row in ours]
            lines.append(f"- Beside {other['title']}: {'; '.join(told)}.")
    return "\n".join(lines) + "\n"


def compared(ours: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """In words; welfare differs where the difference exceeds 1.96 standard errors of it."""
    mine, theirs = (mean_and_error(row["welfare"]) for row in (ours, other))
    difference, error = mine.mean - theirs.mean, 1.96 * math.hypot(mine.error, theirs.error)
    if ours["at_target"] and other["at_target"]:
        faster = ours["speed"] < other["speed"]
        pace = f", target after {ours['speed'] / other['speed']:.2f} of its decisions"
    else:
        faster, pace = ours["at_target"] > other["at_target"], ""
    above = "above" if difference > error else "below" if difference < -error else "level"
    word = {"above": "higher welfare", "below": "LOWER welfare", "level": "welfare level"}[above]
    return f"{word} ({difference:+.2f}){pace}" + ("" if above == "above" or faster else " (NOT ahead)")


def policy_tables(config: StudyConfig, rows: Records) -> list[str]:
    """For each game and some methods a table with a row for each choice and a column for each agent."""
    grouped: dict[tuple[str, str], dict[tuple[str, str, str], dict[int, list[float]]]] = {}
    for row in rows:
        situation = row["situation"] if isinstance(row["situation"], str) else ""
        choice = row["policy"], situation, row["option"]
        run = grouped.setdefault((row["game"], row["method"]), {})
        run.setdefault(choice, {}).setdefault(row["agent"], []).append(row["probability"])
    parts = []
    for (game, method), choices in grouped.items():
        if method not in SHOWN:
            continue
        agents = sorted({agent for by_agent in choices.values() for agent in by_agent})
        lines = [
            [*choice, *(between(by_agent[agent]) if agent in by_agent else "" for agent in agents)]
            for choice, by_agent in choices.items()
        ]
        heads = ["policy", "situation", "choice", *(f"agent {agent}" for agent in agents)]
        title = f"{config.games[game].title}: {config.methods[method].title}"
        parts += [f"### {title}\n", markdown(heads, lines)]
    return parts


def between(values: Sequence[float]) -> str:
    """Mean, smallest and largest."""
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def stubborn_table(config: StudyConfig, rows: Records) -> str:
    """A row for each game and method."""
    runs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        runs.setdefault((row["game"], row["method"]), []).append(row)
    lines = [
        [
            config.games[game].title,
            config.methods[method].title,
            *(between([row[name] for row in part]) for name in ("return", "agreement")),
        ]
        for (game, method), part in runs.items()
    ]
    return markdown(["game", "method", "learner's return", "bound decisions"], lines)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(part) for part in line) + " |\n" for line in lines)


@plain_labels()
def curve_figure(config: StudyConfig, curves: Curves, game: str) -> bytes:
    """A PNG: returns, welfare and agreements over the decisions of each agent, mean and 1.96 standard errors."""
    from matplotlib.figure import Figure

    titles = panels(next(curve for (_, played), curve in curves.items() if played == game))
    lines = -(-len(titles) // 2)
    figure = Figure(figsize=(12, 3.5 * lines), layout="constrained")
    first = None
    for place, (name, title) in enumerate(titles.items(), 1):
        axes = figure.add_subplot(lines, 2, place)
        for method, about in config.methods.items():
            if (method, game) not in curves:
                continue
            curve = curves[method, game]
            at, means = curve["decisions"][:, 0], curve[name].mean(axis=1)
            errors = 1.96 * np.array([mean_and_error(seeds).error for seeds in curve[name]])
            (line,) = axes.plot(at, means, label=about.title)
            axes.fill_between(at, means - errors, means + errors, color=line.get_color(), alpha=0.2, linewidth=0)
        axes.set_title(title)
        axes.set_xlabel("decisions of each agent")
        axes.grid(alpha=0.3)
        first = first or axes.legend(fontsize=8)
    figure.suptitle(f"{config.games[game].title}, {config.seeds} seeds")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=90, metadata={"Software": None})
    return picture.getvalue()
