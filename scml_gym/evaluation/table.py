"""The tidy table of scores: one row for each factory of each play. All statistics, plots and reports read only it."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scml_gym.core.errors import InputError
from scml_gym.evaluation.config import competition_of
from scml_gym.games import DEFAULT_GAME

if TYPE_CHECKING:
    import pandas as pd

PLAY_COLUMNS = {
    "configuration": "from 0; one world, played as often as it has levels",
    "block": "from 0; more than one where the competitors do not fit into one world, or play in the same seat",
    "play": "from 0; in each one everybody is on another level",
    "seed": "of the world",
    "competitor": "label of who played the factory",
    "role": "competitor, background or substitute",
    "factory": "index in the world, level by level",
    "level": "seller or buyer; in the Standard track first, middle or last",
    "score": "(initial balance + profit) / initial balance",
}
"""Columns of ``scores.csv`` in every game, and what they hold in OneShot."""

_TYPES: dict[str, Callable[[str], Any]] = {**dict.fromkeys(("competitor", "role", "level"), str), "score": float}
"""Types of those of them that hold no integers."""


def columns_of(game: str) -> dict[str, str]:
    """Columns of ``scores.csv`` of a game and what they hold: those of every game, then what the game measures."""
    return PLAY_COLUMNS | {name: column.meaning for name, column in competition_of(game).columns.items()}


COLUMNS = columns_of(DEFAULT_GAME)
"""Of OneShot."""

FORMER_ROLES = {"field": "background", "stand-in": "substitute"}
"""Roles in older tables by the names that they have now."""

FAILURE_COLUMNS = ("configuration", "block", "play", "player", "role", "failure", "message", "consequence")
"""Columns of ``failures.csv``; see `scml_gym.evaluation.tournament.Outcome`."""


def write_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], path: Path) -> None:
    """Write rows as CSV; numbers in the shortest form that reads back to the same bits."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_scores(path: Path, game: str = DEFAULT_GAME) -> pd.DataFrame:
    """The table that a tournament wrote as ``scores.csv``.

    Args:
        path: Of the file.
        game: In which it was played.

    Raises:
        InputError: if the file is missing or has not the game's columns (`columns_of`); new ones may be missing.
    """
    import pandas as pd

    measured = competition_of(game).columns
    types = _TYPES | {name: column.type for name, column in measured.items()}
    new = {name for name, column in measured.items() if column.new}
    names, texts = _read(path, tuple(columns_of(game)), new)
    try:
        columns = {name: [types.get(name, int)(row[name]) for row in texts] for name in names}
        if not all(map(math.isfinite, columns["score"])):
            raise ValueError("a score is no number")
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: not a table of scores ({error})") from error
    return pd.DataFrame(columns)


def read_failures(path: Path) -> list[dict[str, str]]:
    """The rows of ``failures.csv``, all as texts.

    Raises:
        InputError: if the file is missing or has not the columns of ``FAILURE_COLUMNS``.
    """
    return _read(path, FAILURE_COLUMNS)[1]


def _read(
    path: Path, columns: tuple[str, ...], new: Set[str] = frozenset()
) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """The names of the columns and the rows of a table, in which new columns may be missing."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            names, rows = tuple(reader.fieldnames or ()), list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table ({error})") from error
    if any(None in row or None in row.values() for row in rows):
        raise InputError(f"{path}: cannot be read as a table (a row has another number of columns)")
    if names != tuple(column for column in columns if column in names or column not in new):
        raise InputError(f"{path}: its columns are not {', '.join(columns)}")
    return names, [row | {"role": FORMER_ROLES.get(row["role"], row["role"])} for row in rows]
