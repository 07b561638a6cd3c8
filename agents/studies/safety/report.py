"""The page of a study of safety: scores paired by seat, agreements, what was unsafe, and what fell short."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scml_gym.core.curves import saved
from scml_gym.core.text import plain_labels
from scml_gym.evaluation.statistics import by_configuration, compare, levels_of, mean_and_error

if TYPE_CHECKING:
    import pandas as pd

    from scml_gym.agents.studies.safety.config import Part, SafetyConfig

Rows = Sequence[Mapping[str, Any]]

INTRODUCTION = """\
Scores are means over configurations, each a world played with everybody on each of its levels in turn, with the
standard error over configurations. The difference is the score less that of the reference on the same configurations,
with the 95 % interval of a paired t-test. Agreements and missing items (sold and not delivered) are those of a factory
in a world. An act is an acceptance or an offer; it is unsafe where a shield of that bound would have changed it. Of
accepted sales those are unsafe that go beyond what stock and signed supplies cover, by the rule of the world and by the
other one. A set, all acts of one decision, is unsafe where one of its acts is, by the bound *covered*.
"""


def report(config: SafetyConfig, table: pd.DataFrame, origin: str) -> Mapping[str, str | bytes]:
    """``study.md``, ``summary.csv`` (all that the page shows, and more) and a figure of the scores of each part.

    Args:
        config: Of the study.
        table: A row for each factory of a competitor in each play.
        origin: Commands, versions and cost, in Markdown.
    """
    parts = ["# What is a shield worth?\n", origin + "\n", INTRODUCTION]
    summary: list[dict[str, Any]] = []
    files: dict[str, str | bytes] = {}
    for name, about in config.parts.items():
        parts.append(f"## {about.title}\n")
        by_rule = {rule: summarise(name, rule, about, table) for rule in about.stock}
        for rule, rows in by_rule.items():
            summary += rows
            worlds = rows[0]["configurations"]
            parts += [f"### Stock rule `{rule}`, {worlds} configurations\n", scores_table(rows), acts_table(rows)]
        files[f"scores-{name}.png"] = figure(by_rule)
        parts.append(f"![scores](scores-{name}.png)\n")
    return files | {"summary.csv": csv_of(summary), "study.md": "\n".join(parts)}


def summarise(name: str, rule: str, part: Part, table: pd.DataFrame) -> list[dict[str, Any]]:
    """What each competitor of a part came to under a stock rule: one row each, best score first."""
    rows = table.loc[table["part"].eq(name) & table["rule"].eq(rule)]
    scores, levels = by_configuration(rows, "score"), levels_of(rows)
    lines = []
    for label, player in part.competitors.items():
        own = rows.loc[rows["competitor"].eq(label)]
        score, paired = mean_and_error(scores[label]), compare(scores[label], scores[part.reference])
        sums: dict[str, int] = own.sum(numeric_only=True).astype(int).to_dict()
        line: dict[str, Any] = {"part": name, "rule": rule, "competitor": label, "player": player}
        line |= {"configurations": len(scores[label]), "factories": len(own)}
        line |= {"score": score.mean, "standard_error": score.error}
        line |= {level: float(own.loc[own["level"].eq(level), "score"].mean()) for level in levels}
        line |= {"reference": part.reference, "difference": paired.difference, "low": paired.low, "high": paired.high}
        for column in ("agreements", "executed", "bought", "missing", "bankrupt"):
            line[column] = float(own[column].mean())
        line["agreement_rate"] = share(sums["agreements"], sums["negotiations"])
        line["breach_rate"] = share(sums["missing"], sums["missing"] + sums["produced"])
        for column in ("shortfall", "storage"):
            line[column] = float((own[column] / own["initial_balance"]).mean())
        for column in ("acts", "accepted_sales", "sets"):
            line[column] = sums[column]
        for column in ("unsafe_covered", "unsafe_possible", "other_rule_covered", "other_rule_possible"):
            line[column] = sums[column]
        for column in ("unsafe_sales", "other_rule_sales", "unsafe_sets"):
            line[column] = sums[column]
        lines.append(line)
    return sorted(lines, key=lambda line: -line["score"])


def share(some: float, all_of_them: float) -> float:
    """A share; 0 of nothing is 0."""
    return some / all_of_them if all_of_them else 0.0


def scores_table(rows: Rows) -> str:
    """Scores, differences to the reference, agreements and shortfall, as Markdown."""
    levels = [level for level in ("first", "middle", "last") if level in rows[0]]
    head = ["competitor", "score", *levels, f"less {rows[0]['reference']}", "agreements", "executed", "missing"]
    lines = []
    for row in rows:
        difference = f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
        lines.append(
            [
                row["competitor"],
                f"{row['score']:.3f} ± {row['standard_error']:.3f}",
                *(f"{row[level]:.2f}" for level in levels),
                "" if row["competitor"] == row["reference"] else difference,
                f"{row['agreements']:.1f}",
                f"{row['executed']:.1f}",
                f"{row['missing']:.1f} ({100 * row['breach_rate']:.1f} %)",
            ]
        )
    return markdown(head, lines)


def acts_table(rows: Rows) -> str:
    """What was unsafe, as Markdown."""
    head = ["competitor", "acts", "unsafe, covered", "unsafe, possible"]
    head += ["accepted sales", "unsafe", "by the other rule", "sets", "unsafe sets"]
    lines = [
        [
            row["competitor"],
            f"{row['acts']:,}",
            part_of(row["unsafe_covered"], row["acts"]),
            part_of(row["unsafe_possible"], row["acts"]),
            f"{row['accepted_sales']:,}",
            part_of(row["unsafe_sales"], row["accepted_sales"]),
            part_of(row["other_rule_sales"], row["accepted_sales"]),
            f"{row['sets']:,}",
            part_of(row["unsafe_sets"], row["sets"]),
        ]
        for row in rows
    ]
    return markdown(head, lines)


def part_of(some: int, all_of_them: int) -> str:
    """A number and its share, as text."""
    return f"{some:,} ({100 * share(some, all_of_them):.2f} %)" if some else "0"


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table."""
    rows = [head, ["---"] * len(head), *lines]
    assert all(len(row) == len(head) for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


@plain_labels()
def figure(by_rule: Mapping[str, Rows]) -> bytes:
    """Mean scores and their 95 % intervals, one panel for each stock rule."""
    from matplotlib.figure import Figure

    most = max(len(rows) for rows in by_rule.values())
    drawn = Figure(figsize=(5.5 * len(by_rule), 1.4 + 0.36 * most), layout="constrained")
    panels = np.atleast_1d(drawn.subplots(1, len(by_rule)))
    for axes, (rule, rows) in zip(panels, by_rule.items(), strict=True):
        scores, errors = [row["score"] for row in rows], [1.96 * row["standard_error"] for row in rows]
        axes.errorbar(scores, range(len(rows)), xerr=errors, fmt="o", color="#2b6ca3", capsize=3)
        axes.set_yticks(range(len(rows)), [row["competitor"] for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel(f"score, stock rule {rule}")
        axes.grid(axis="x", alpha=0.3)
    return saved(drawn, "png")


def csv_of(rows: Rows) -> str:
    """Rows as CSV; a column that some lack is empty there."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()})
    return text.getvalue()
