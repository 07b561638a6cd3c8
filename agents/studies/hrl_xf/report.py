"""The page of a study of HRL-XF: scores paired by world, what was unsafe, what fell short, and what moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import TYPE_CHECKING, Any

from scml_gym.agents.studies.safety.report import csv_of, markdown
from scml_gym.core.curves import saved
from scml_gym.core.text import plain_labels
from scml_gym.evaluation.statistics import compare, mean_and_error

if TYPE_CHECKING:
    import pandas as pd

    from scml_gym.agents.studies.hrl_xf.config import HRLXFConfig

Rows = Sequence[Mapping[str, Any]]

INTRODUCTION = """\
Each player takes the same seat of the same worlds. The difference is the score less that of the reference in the same
world, with the 95 % interval of a paired t-test. An act is an acceptance or an offer; it is unsafe where a shield of
the bound *covered* would have changed it. Breaches are items sold and not delivered, of all items sold; the shortfall
is what they cost, in initial balances. Stock and cash move by the standard deviation of their changes from day to day,
in lines and in initial balances. *Early* is the stock of inputs, in lines, on the morning of the day on which a price
surge begins, *risen* that half way up.
"""

BESIDE = """\
How much more does a player get and have here than in the same world of *{title}*? With 95 % intervals:
"""

CHANGES = ("score", "bought", "early", "risen")
"""What is compared with the setting beside."""


def report(config: HRLXFConfig, table: pd.DataFrame, origin: str) -> Mapping[str, str | bytes]:
    """``study.md``, ``summary.csv`` and a figure of each setting.

    Args:
        config: Of the study.
        table: A row for each seat.
        origin: Commands, versions and cost, in Markdown.
    """
    parts, summary, files = ["# What is each part of HRL-XF worth?\n", origin + "\n", INTRODUCTION], [], {}
    for name, about in config.settings.items():
        rows = summarise(config, name, table.loc[table["setting"].eq(name)])
        summary += rows
        parts += [f"## {about.title}\n", f"{about.worlds} worlds.\n", scores_table(rows, config.reference)]
        if about.beside is not None:
            title = config.settings[about.beside].title
            parts += [BESIDE.format(title=title), changes_table(config.labels(name), table, (name, about.beside))]
        files[f"scores-{name}.png"] = figure(rows, config.reference)
        parts.append(f"![scores](scores-{name}.png)\n")
    return files | {"summary.csv": csv_of(summary), "study.md": "\n".join(parts)}


def summarise(config: HRLXFConfig, setting: str, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """What each player came to in a setting: one row each, best score first."""
    scores = rows.pivot(index="world", columns="player", values="score")
    lines = []
    for label in config.labels(setting):
        own = rows.loc[rows["player"].eq(label)]
        score = mean_and_error(scores[label].to_numpy())
        paired = compare(scores[label].to_numpy(), scores[config.reference].to_numpy())
        line: dict[str, Any] = {"setting": setting, "player": label, "name": config.players[label], "worlds": len(own)}
        line |= {"score": score.mean, "standard_error": score.error}
        for level in ("first", "middle", "last"):
            line[level] = float(own.loc[own["level"].eq(level), "score"].mean())
        line |= {"difference": paired.difference, "low": paired.low, "high": paired.high}
        line |= {"acts": int(own["acts"].sum()), "unsafe": int(own["unsafe_covered"].sum())}
        for column in ("breach_rate", "bankrupt", "agreements", "stock_moves", "cash_moves", "early", "risen"):
            line[column] = float(own[column].mean())
        line["shortfall"] = float((own["shortfall"] / own["initial_balance"]).mean())
        lines.append(line)
    return sorted(lines, key=lambda line: -line["score"])


def scores_table(rows: Rows, reference: str) -> str:
    """A row for each player, as Markdown."""
    head = ["player", "score", "first", "middle", "last", f"less {reference}", "unsafe acts", "breaches", "shortfall"]
    lines = []
    for row in rows:
        less = f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
        lines.append(
            [
                row["player"],
                f"{row['score']:.3f} ± {row['standard_error']:.3f}",
                *("" if isnan(row[level]) else f"{row[level]:.2f}" for level in ("first", "middle", "last")),
                "" if row["player"] == reference else less,
                f"{row['unsafe']:,} of {row['acts']:,}",
                f"{100 * row['breach_rate']:.1f} %",
                f"{row['shortfall']:.3f}",
                f"{row['stock_moves']:.2f}",
                f"{row['cash_moves']:.3f}",
                f"{row['early']:.2f}",
                f"{row['risen']:.2f}",
                f"{row['agreements']:.1f}",
                f"{100 * row['bankrupt']:.0f} %",
            ]
        )
    return markdown([*head, "stock moves", "cash moves", "early", "risen", "agreements", "bankrupt"], lines)


def changes_table(labels: Sequence[str], table: pd.DataFrame, settings: tuple[str, str]) -> str:
    """How `CHANGES` differ between two settings, paired by world: a row for each player, as Markdown."""
    lines = []
    for label in labels:
        own = table.loc[table["player"].eq(label)]
        here, beside = (own.loc[own["setting"].eq(setting)].sort_values("world") for setting in settings)
        told = [compare(here[column].to_numpy(), beside[column].to_numpy()) for column in CHANGES]
        lines.append([label, *(f"{one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f})" for one in told)])
    return markdown(["player", *CHANGES], lines)


@plain_labels()
def figure(rows: Rows, reference: str) -> bytes:
    """Differences to the reference, with their 95 % intervals."""
    from matplotlib.figure import Figure

    others = [row for row in rows if row["player"] != reference] or list(rows)
    drawn = Figure(figsize=(6.5, 1.2 + 0.36 * len(others)), layout="constrained")
    axes = drawn.subplots()
    middle = [row["difference"] for row in others]
    errors = [[row["difference"] - row["low"] for row in others], [row["high"] - row["difference"] for row in others]]
    axes.errorbar(middle, range(len(others)), xerr=errors, fmt="o", color="#2b6ca3", capsize=3)
    axes.axvline(0.0, color="#888888", linewidth=0.8)
    axes.set_yticks(range(len(others)), [row["player"] for row in others])
    axes.set_ylim(len(others) - 0.5, -0.5)
    axes.set_xlabel(f"score less that of {reference}")
    axes.grid(axis="x", alpha=0.3)
    return saved(drawn, "png")
