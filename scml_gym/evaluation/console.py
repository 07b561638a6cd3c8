"""What a results folder says, for a terminal: its most important columns; the rest is in ``ranking.md``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_RANKING = {"competitor": "player", "score": "score", "standard_error": "error"}
_RANKING |= {"seller": "seller", "buyer": "buyer", "agreement_rate": "agreed", "bankrupt": "bankrupt"}
_PAIRED = {"competitor": "player", "other": "less", "difference": "difference"}
_PAIRED |= {"low": "95 % from", "high": "to", "share": "won"}
_FAILURES = {"player": "player", "failure": "failure", "message": "message", "consequence": "consequence"}


def show(folder: Path, console: Console | None = None) -> None:
    """Print the ranking, the field, the paired comparisons and the failures of a results folder.

    Args:
        folder: As `scml_gym.evaluation.report.write_results` left it.
        console: Where to; by default standard output.
    """
    console = console or Console()
    content = json.loads((folder / "ranking.json").read_text(encoding="utf-8"))
    parts = {
        "Ranking": (content["ranking"], _RANKING),
        "The field": (content["field"], _RANKING),
        "Paired comparison": (content["paired"], _PAIRED),
        "Failures": (content["failures"], _FAILURES),
    }
    for title, (rows, columns) in parts.items():
        if rows:
            console.print(_table(title, rows, columns))
    if not content["ranking"]:
        console.print("No competitor finished a world.")


def _table(title: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    columns = {key: name for key, name in columns.items() if key in rows[0]}
    for key, name in columns.items():
        number = isinstance(rows[0][key], float)
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[key]) for key in columns))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
