"""What a training of an acceptance model leaves in its run folder: tables, two plots and a page."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from scml_gym.agents.dnb.calibration import BINS, LEVEL, RESAMPLES, Interval
from scml_gym.agents.dnb.scores import BASE, BOU, FIRST, Estimates, curves_table, differences_table, scores_table
from scml_gym.agents.studies.commitment.report import markdown
from scml_gym.core.text import in_markdown, plain_labels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

PARTS = {"families": "opponents that are not in training", "worlds": "opponents of the training, in other worlds"}
"""Parts of a dataset that are judged, and what they are."""

_GROUPS = {
    "role": "By role of the one who offers",
    "round": "By round",
    "day": "By first day of a group of days",
    "responder_family": "By opponent",
}


def make_report(estimates: Sequence[Estimates], about: Sequence[str]) -> Mapping[str, str | bytes]:
    """All files of a report by name; the page alone where there is nothing to judge by.

    Args:
        estimates: Of each part of the test offers that has any.
        about: Lines on data and fit, for the head of the page.
    """
    import pandas as pd

    if not estimates:
        return {"report.md": f"{_head(about)}\n\nNo offers to judge by: no worlds or opponents are held out.\n"}
    scores, differences, curves = (
        pd.concat([make(part) for part in estimates], ignore_index=True)
        for make in (scores_table, differences_table, curves_table)
    )
    parts = [part.part for part in estimates]
    return {
        "scores.csv": _csv(scores),
        "differences.csv": _csv(differences),
        "calibration.csv": _csv(curves),
        "calibration.png": _figure(parts, lambda axes, part: _draw_calibration(axes, _rows(curves, part))),
        "rounds.png": _figure(parts, lambda axes, part: _draw_rounds(axes, _rows(scores, part, "round"))),
        "report.md": _page(parts, scores, differences, about),
    }


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _page(parts: Sequence[str], scores: pd.DataFrame, differences: pd.DataFrame, about: Sequence[str]) -> str:
    text = [_head(about)]
    text.append(
        f"Log loss in nats; ECE is the expected calibration error over {BINS} bins of equal mass. In brackets: "
        f"{LEVEL:.0%} intervals of a bootstrap of {RESAMPLES} draws of whole worlds. The base rate is the share of "
        f"accepted offers in training. `{BOU.strip()}` is the Beta posterior mean, each from the answers until then."
    )
    for part in parts:
        text.append(f"## {part.capitalize()}: {PARTS[part]}")
        text.append(_scores(_rows(scores, part, "all")))
        rows = [
            [f"{row['first']} less {row['second']}", str(Interval(row["difference"], row["low"], row["high"]))]
            for row in _rows(differences, part, "all").to_dict("records")
        ]
        text.append(markdown(["log loss", "difference"], rows))
        text += [f"### {title}\n\n{_groups(_rows(scores, part, group))}" for group, title in _GROUPS.items()]
    text.append("![Calibration](calibration.png)\n\n![Log loss by round](rounds.png)")
    text.append(
        "All numbers: [scores.csv](scores.csv), [differences.csv](differences.csv), [calibration.csv](calibration.csv)."
    )
    return "\n\n".join(part.rstrip("\n") for part in text) + "\n"


def _head(about: Sequence[str]) -> str:
    return "# Acceptance models\n\n" + "\n".join(f"- {line}" for line in about)


def _rows(table: pd.DataFrame, part: str, group: str | None = None) -> pd.DataFrame:
    """Those of a part, and of a kind of groups."""
    chosen = table["part"] == part
    return table.loc[chosen if group is None else chosen & (table["group"] == group)]


def _scores(rows: pd.DataFrame) -> str:
    head = ["", "offers", "accepted", "log loss", "ECE", "Brier", "AUC"]
    lines = [
        [
            row["estimate"],
            f"{row['offers']:,}",
            f"{row['accepted']:.3f}",
            str(Interval(row["log_loss"], row["log_loss_low"], row["log_loss_high"])),
            str(Interval(row["ece"], row["ece_low"], row["ece_high"])),
            f"{row['brier']:.4f}",
            f"{row['auc']:.3f}",
        ]
        for row in rows.to_dict("records")
    ]
    return markdown(head, lines)


def _groups(rows: pd.DataFrame) -> str:
    """Log losses, and in brackets the calibration errors, of a column of groups."""
    shown = [name for name in dict.fromkeys(rows["estimate"]) if FIRST not in name]
    lines = []
    for value, group in rows.groupby("value", sort=False):
        of = {row["estimate"]: row for row in group.to_dict("records")}
        first = of[BASE]
        cells = [f"{of[name]['log_loss']:.4f} ({of[name]['ece']:.3f})" for name in shown]
        lines.append([in_markdown(value), f"{first['offers']:,}", f"{first['accepted']:.3f}", *cells])
    return markdown(["", "offers", "accepted", *(f"{name}: log loss (ECE)" for name in shown)], lines)


@plain_labels()
def _figure(parts: Sequence[str], draw: Callable[[Axes, str], None]) -> bytes:
    """A panel for each part."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0 * len(parts), 5.0), layout="constrained")
    for place, part in enumerate(parts, 1):
        axes = figure.add_subplot(1, len(parts), place)
        draw(axes, part)
        axes.set_title(PARTS[part])
        axes.grid(alpha=0.3)
        axes.legend(frameon=False, fontsize="small")
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
    return file.getvalue()


def _draw_calibration(axes: Axes, curves: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for name, curve in curves.groupby("estimate", sort=False):
        if FIRST not in str(name):
            style = "s" if name == BASE else "o--" if BOU in str(name) else "o-"
            axes.plot(curve["mean"], curve["frequency"], style, markersize=4, label=str(name))
    axes.set_xlabel("mean chance of the bin")
    axes.set_ylabel("share accepted")


def _draw_rounds(axes: Axes, scores: pd.DataFrame) -> None:
    for name, line in scores.groupby("estimate", sort=False):
        if FIRST not in str(name):
            style = ":" if name == BASE else "--" if BOU in str(name) else "-"
            axes.plot(line["value"].astype(int), line["log_loss"], style, label=str(name))
    axes.set_xlabel("round")
    axes.set_ylabel("log loss")
