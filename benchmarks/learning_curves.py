"""The learning curves of several runs in one plot, over the CPU time that they took.

    python benchmarks/learning_curves.py runs/flat-0=2.2 runs/flat-1=2.1 runs/planner-0=1.1 --out docs/results/learners

Each run folder comes with the CPU minutes of its whole training (``user`` and ``sys`` of ``time python train.py``); a
row of its curve counts for its share of the decisions. ``curves.csv`` gets the rows, ``curves.png`` is drawn from it.
Runs with the same name but for a number at its end have one colour.
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path
from typing import Any

from scml_gym.core.files import replace_file
from scml_gym.experiments.run_folder import Run

COLUMNS: tuple[str, ...] = ("run", "decisions", "cpu_minutes", "score", "return")


def rows_of(folder: Path, minutes: float) -> list[dict[str, Any]]:
    """The rows of a run's learning curve, with the CPU minutes until each of them."""
    run = Run.open(folder)
    rows = [row for row in run.curve() if row["score"]]
    last = float(run.step)
    return [
        {
            "run": folder.name,
            "decisions": row["step"],
            "cpu_minutes": round(minutes * float(row["step"]) / last, 4),
            "score": row["score"],
            "return": row["return"],
        }
        for row in rows
    ]


def draw(rows: list[dict[str, Any]]) -> bytes:
    """The scores over the minutes, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    colours: dict[str, str] = {}
    for name in dict.fromkeys(row["run"] for row in rows):
        kind = name.rstrip("0123456789").rstrip("-")
        label = kind if kind not in colours else None
        colours.setdefault(kind, f"C{len(colours)}")
        points = [(float(r["cpu_minutes"]), float(r["score"])) for r in rows if r["run"] == name]
        axes.plot(*zip(*points, strict=True), color=colours[kind], label=label, alpha=0.8)
    axes.set_ylim(bottom=0.8)
    axes.set_xlabel("CPU minutes, one thread")
    axes.set_ylabel("score while learning (actions are sampled)")
    axes.grid(alpha=0.3)
    axes.legend()
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110, metadata={"Software": None})
    return picture.getvalue()


def main() -> None:
    """Parse, collect, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="FOLDER=MINUTES")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for given in options.runs:
        folder, _, minutes = given.partition("=")
        rows += rows_of(Path(folder), float(minutes))
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    replace_file(options.out / "curves.csv", text.getvalue())
    replace_file(options.out / "curves.png", draw(rows))


if __name__ == "__main__":
    main()
