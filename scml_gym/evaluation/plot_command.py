"""What ``evaluate.py plot`` does: compares runs, writes a folder, and prints its tables."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Sequence
from pathlib import Path

from scml_gym.core.errors import InputError
from scml_gym.core.files import make_folder, new_folder
from scml_gym.evaluation.comparison import compare
from scml_gym.evaluation.console import table


def plot_command(
    folders: Sequence[Path], by: str, column: str | None, form: str, out: Path | None, command: str
) -> None:
    """Compare runs; the folder appears as a whole.

    Args:
        folders: Of the runs.
        by: See `scml_gym.evaluation.comparison.read_trainings`.
        column: See `scml_gym.evaluation.comparison.choose_column`.
        form: Of the figures.
        out: A new folder; by default one in ``runs/`` named by the time.
        command: The command line, for the record.

    Raises:
        InputError: if a run, a key, the column or the folder is refused; nothing is written then.
    """
    folder = out or Path("runs") / time.strftime("plot-%Y%m%d-%H%M%S")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not empty; nothing is overwritten")
    files = compare(folders, by, column, form) | {"command.txt": command + "\n"}
    make_folder(folder.parent)
    with new_folder(folder) as filling:
        for name, content in files.items():
            (filling / name).write_bytes(content.encode() if isinstance(content, str) else content)
    for name in ("summary.csv", "improvement.csv"):
        if name in files:
            _show(str(files[name]))
    print(f"Figures and tables: {folder}/")


def _show(text: str) -> None:
    rows = [{key: _number(value) for key, value in row.items()} for row in csv.DictReader(io.StringIO(text))]
    names = {key: key for key, value in rows[0].items() if isinstance(value, str)}
    numbers = {key: key for key in rows[0] if key not in names}
    print("\n".join(table(rows, names, numbers, None)) + "\n")


def _number(text: str) -> str | float | int | None:
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return None if number != number else number
    return text
