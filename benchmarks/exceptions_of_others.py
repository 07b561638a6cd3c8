"""Does a player break others? Their exceptions in its worlds, and in the same worlds with another player in its place.

    PYTHONHASHSEED=0 python evaluate.py --config configs/tournament/five_years.yaml --seed 1 sequential --out broken/new
    PYTHONHASHSEED=0 python evaluate.py --config configs/tournament/five_years.yaml --seed 1 zoo:dnb --out broken/old
    python benchmarks/exceptions_of_others.py broken/new broken/old --out docs/results/negotiations

Both runs let an exception cost a negotiation (``errors: league``) and tell each in ``failures.csv``. Printed are plays
in which an agent raised, by agent, and those in which it did so with one of the two players alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.same_seat import check_same
from scml_gym.core.cli import run_main
from scml_gym.core.files import replace_file
from scml_gym.evaluation.table import read_failures

PLAY = ["configuration", "play", "player"]


def plays_with_exceptions(folder: Path) -> pd.DataFrame:
    """One row for each play of a background opponent in which it raised, and what it raised first."""
    rows = [row for row in read_failures(folder / "failures.csv") if row["role"] == "background"]
    table = pd.DataFrame(rows, columns=[*PLAY, "failure", "message"])
    return table.drop_duplicates(PLAY)


def compared(first: Path, second: Path) -> pd.DataFrame:
    """By agent: plays in which it raised with the first player in the seat, with the second, and with one alone."""
    a, b = (plays_with_exceptions(folder) for folder in (first, second))
    both = a.merge(b, on=PLAY, how="outer", suffixes=("_first", "_second"), indicator=True)
    kinds = pd.crosstab(both["player"], both["_merge"]).reindex(
        columns=["both", "left_only", "right_only"], fill_value=0
    )
    return kinds.rename(columns={"left_only": first.name, "right_only": second.name}).reset_index()


def main() -> None:
    """Compare, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs=2, type=Path, help="folders of evaluate.py")
    parser.add_argument("--out", type=Path, help="where exceptions.csv goes")
    options = parser.parse_args()
    check_same(options.runs)
    table = compared(*options.runs)
    print(table.to_string(index=False) if len(table) else "nobody raised an exception")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        replace_file(options.out / "exceptions.csv", table.to_csv(index=False).encode())


if __name__ == "__main__":
    run_main(main)
