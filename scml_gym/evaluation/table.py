"""The tidy table of scores: one row for each factory of each play. All statistics, plots and reports read only it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scml_gym.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "configuration": "from 0; one world, played twice",
    "block": "from 0; more than one where the competitors do not fit into one world",
    "play": "0, or 1 with the levels swapped",
    "seed": "of the world",
    "competitor": "label of who played the factory",
    "role": "competitor, field or stand-in",
    "factory": "index in the world, sellers first",
    "level": "seller or buyer",
    "score": "(initial balance + profit) / initial balance",
    "initial_balance": "money",
    "profit": "money over the whole world: revenue - supplies - production - disposal - shortfall",
    "revenue": "money paid for what was delivered",
    "supplies": "money paid for inputs",
    "production": "money paid for producing",
    "disposal": "penalty for inputs that were not used, money",
    "shortfall": "penalty for outputs that were not delivered, money",
    "agreements": "negotiations that ended with a contract",
    "negotiations": "all of them",
    "bankrupt": "1 where the balance fell below 0",
}
"""Columns of ``scores.csv`` and what they hold."""

FAILURE_COLUMNS = ("configuration", "block", "play", "player", "role", "failure", "message", "consequence")
"""Columns of ``failures.csv``; see `scml_gym.evaluation.tournament.Outcome`."""


def write_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], path: Path) -> None:
    """Write rows as CSV; numbers in the shortest form that reads back to the same bits."""
    import pandas as pd

    pd.DataFrame(list(rows), columns=list(columns)).to_csv(path, index=False, lineterminator="\n")


def read_scores(path: Path) -> pd.DataFrame:
    """The table that a tournament wrote as ``scores.csv``.

    Raises:
        InputError: if the file is missing or has not the columns of ``COLUMNS``.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, float_precision="round_trip", dtype={"competitor": str}, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a table of scores ({error})") from error
    if list(table.columns) != list(COLUMNS):
        raise InputError(f"{path}: not a table of scores; its columns are {', '.join(map(str, table.columns))}")
    return table


def read_failures(path: Path) -> list[dict[str, str]]:
    """The rows of ``failures.csv``, all as texts."""
    import pandas as pd

    return pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records")  # type: ignore[return-value]
