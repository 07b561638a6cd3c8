"""The tidy table of scores: one row for each factory of each play. All statistics, plots and reports read only it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scml_gym.core.errors import InputError

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

_TYPES: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("competitor", "role", "level"), str),
    **dict.fromkeys(("score", "profit", "revenue", "supplies", "production", "disposal", "shortfall"), float),
}
"""Types of the columns that hold no integers."""

FAILURE_COLUMNS = ("configuration", "block", "play", "player", "role", "failure", "message", "consequence")
"""Columns of ``failures.csv``; see `scml_gym.evaluation.tournament.Outcome`."""


def write_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], path: Path) -> None:
    """Write rows as CSV; numbers in the shortest form that reads back to the same bits."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_scores(path: Path) -> pd.DataFrame:
    """The table that a tournament wrote as ``scores.csv``.

    Raises:
        InputError: if the file is missing or has not the columns of ``COLUMNS``.
    """
    import pandas as pd

    texts = _read(path, tuple(COLUMNS))
    try:
        columns = {name: [_TYPES.get(name, int)(row[name]) for row in texts] for name in COLUMNS}
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: not a table of scores ({error})") from error
    return pd.DataFrame(columns)


def read_failures(path: Path) -> list[dict[str, str]]:
    """The rows of ``failures.csv``, all as texts.

    Raises:
        InputError: if the file is missing or has not the columns of ``FAILURE_COLUMNS``.
    """
    return _read(path, FAILURE_COLUMNS)


def _read(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table ({error})") from error
    if tuple(reader.fieldnames or ()) != columns:
        raise InputError(f"{path}: its columns are not {', '.join(columns)}")
    return rows
