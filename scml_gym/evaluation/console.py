"""What a results folder says, for a terminal: its most important columns; the rest is in ``ranking.md``."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.cells import cell_len

from scml_gym.core.text import printable

_NUMBERS = {"score": "score", "standard_error": "error", "seller": "seller", "buyer": "buyer"}
_NUMBERS |= {"first": "first", "middle": "middle", "last": "last"}
_NUMBERS |= {"agreement_rate": "agreed", "bankrupt": "bankrupt"}
_DIFFERENCES = {"difference": "difference", "low": "95 % from", "high": "to", "share": "won"}
_GAP = "  "

Rows = Sequence[Mapping[str, Any]]


def show(folder: Path, width: int | None = None) -> None:
    """Print what a results folder says: ranking, background opponents, paired comparisons and failures.

    Args:
        folder: As `scml_gym.evaluation.report.write_results` left it.
        width: Columns to print in; by default the terminal's, or as many as are needed where there is none.
    """
    if width is None and sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
    content = json.loads((folder / "ranking.json").read_text(encoding="utf-8"))
    names = {"competitor": "player"}
    parts = {
        "Ranking": table(content["ranking"], names, _NUMBERS, width),
        "Background opponents": table(content["background"], names, _NUMBERS, width),
        "Paired comparison": table(content["paired"], names | {"other": "minus"}, _DIFFERENCES, width),
        "Failures": _failures(content["failures"], width),
    }
    for title, lines in parts.items():
        if text := "\n".join(lines):
            print(f"{title}\n{text}\n")
    if not content["ranking"]:
        print("No competitor finished a world.")


def table(rows: Rows, names: Mapping[str, str], numbers: Mapping[str, str], width: int | None) -> Iterator[str]:
    """The lines of a table; where it is wider than the terminal, names get lines of their own above their numbers.

    Args:
        rows: Of the table; none give no lines.
        names: Columns of texts, and their headings.
        numbers: Columns of numbers, and their headings.
        width: Columns of the terminal, None for no limit.
    """
    if not rows:
        return
    numbers = {key: name for key, name in numbers.items() if key in rows[0]}
    heads = [*names.values(), *numbers.values()]
    cells = [[_cell(row[key]) for key in (*names, *numbers)] for row in rows]
    widths = [max(cell_len(line[i]) for line in (heads, *cells)) for i in range(len(heads))]
    n = len(names)
    beside = width is None or sum(widths) + len(_GAP) * (len(widths) - 1) <= width
    first = 0 if beside else n
    for i, line in enumerate((heads, *cells)):
        if not beside:
            yield from _wrapped(_GAP.join(line[:n]) if i else " / ".join(line[:n]), width)
        padded = [_pad(cell, widths[first + k], first + k >= n) for k, cell in enumerate(line[first:])]
        yield ("" if beside else _GAP) + _GAP.join(padded).rstrip()
        if i == 0:
            yield _GAP.join("-" * w for w in widths) if beside else "-" * (width or 0)


def _failures(rows: Rows, width: int | None) -> Iterator[str]:
    """Who failed, how, and what came of it; the message has lines of its own."""
    for row in rows:
        yield from _wrapped(_cell(row["player"]), width)
        yield from _wrapped(f"{_cell(row['failure'])}; {_cell(row['consequence'])}", width, _GAP)
        yield from _wrapped(_cell(row["message"]), width, _GAP)


def _wrapped(text: str, width: int | None, indent: str = "") -> list[str]:
    if width is None or cell_len(indent + text) <= width:
        return [indent + text]
    return textwrap.wrap(text, max(width, 20), initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _pad(cell: str, width: int, right: bool) -> str:
    blank = " " * (width - cell_len(cell))
    return blank + cell if right else cell + blank


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else printable(value)
