"""Run folders beside other players in the same seats: tables of standard_sticks.py, read again.

For each player, and for the mean of the runs, the score on each level and its differences to other players: over all
seats, and over those of the first and the middle level together, where more than in the last can be gained over
`ten-once`. Differences are paired by seat, and intervals are over configurations. Configurations of several tables are
told apart by their seeds, and only seats that all players took are counted; ``--players`` leaves some players out.

    python benchmarks/standard_seats.py docs/results/standard_learning/league.csv --less scml-agents:2025/AS0 ten-once
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scml_gym.core.cli import run_main
from scml_gym.core.errors import InputError
from scml_gym.evaluation.statistics import Paired, compare
from scml_gym.standard.parity import LEVELS as PLACES

SEAT = ["configuration", "play", "place"]
MEAN = "mean of the runs"


def seats_of(tables: Sequence[Path], players: Sequence[str] = ()) -> Any:
    """Scores by seat: a data frame with a column for each player, and one for the mean of the run folders."""
    parts: list[Any] = []
    for path in tables:
        seed = json.loads(path.with_name(f"{path.name}.json").read_text())["seed"]
        parts.append(pd.read_csv(path).assign(configuration=lambda rows, seed=seed: rows["configuration"] + seed))
    rows: Any = pd.concat(parts).drop_duplicates([*SEAT, "player"])
    if players:
        rows = rows[rows["player"].isin(players)]
    seats = rows.pivot_table(index=SEAT, columns="player", values="score", sort=False).dropna()
    runs = [name for name in seats if str(name).startswith("runs/")]
    return seats.assign(**{MEAN: seats[runs].mean(axis=1)}) if runs else seats


def difference(seats: Any, player: str, other: str) -> Paired:
    """A player less another, each configuration once."""
    less = np.asarray((seats[player] - seats[other]).groupby("configuration").mean())
    return compare(less, np.zeros(len(less)))


def table_of(seats: Any, others: Sequence[str]) -> str:
    """Markdown: scores, and differences to the others.

    Raises:
        InputError: if one of the others has no seats.
    """
    for other in others:
        if other not in seats:
            raise InputError(f"{other}; valid: {', '.join(map(str, seats))}", "--less")
    place = seats.index.get_level_values("place")
    parts = {"all": seats, "first and middle": seats[place != "last"]}
    titles = [f"less {other}, {part}" for other in others for part in parts]
    lines = ["| " + " | ".join(["player", "score", *PLACES, *titles]) + " |", "|---" * (5 + len(titles)) + "|"]
    for player in map(str, seats):
        cells = [f"{seats[player].mean():.3f}", *(f"{seats[player][place == level].mean():.3f}" for level in PLACES)]
        for other in others:
            for part in parts.values():
                found = difference(part, player, other)
                same = player == other
                cells.append("" if same else f"{found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})")
        lines.append(f"| {player} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--less", nargs="+", default=["ten-once"], help="whom they are compared with")
    parser.add_argument("--players", nargs="+", default=[], help="default: all")
    options = parser.parse_args()
    seats = seats_of(options.tables, options.players)
    counts = seats.index.get_level_values("place").value_counts()
    configurations = seats.index.get_level_values("configuration").nunique()
    print(f"{len(seats)} seats of {configurations} configurations:", *(f"{counts.get(p, 0)} {p}" for p in PLACES))
    print(table_of(seats, options.less))


if __name__ == "__main__":
    run_main(main)
