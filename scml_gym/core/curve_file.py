"""The learning curve of a run: a CSV file to which rows are added, each as a whole; new columns may come."""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scml_gym.core.data_files import read_text
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file

_LONGEST_ROW = 1 << 16
"""Bytes, at most."""


class CurveFile:
    """One file; ``step`` is its first column. Nothing is read or made before it is asked for.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path):
        self.path = path
        self._columns: list[str] | None = None

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a row, with ``step``."""
        if self._columns is None:
            self._columns = self._header()
        if not set(row) <= set(self._columns):
            self._columns = [*self._columns, *(k for k in row if k not in self._columns)]
            replace_file(self.path, _lines(self._columns, [*self.rows(), row]))
            return
        line = _lines(self._columns, [row], header=False).encode()
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        try:
            written = os.write(handle, line)  # in one call, so that a kill leaves the whole line or nothing
            if written < len(line):
                os.ftruncate(handle, os.fstat(handle).st_size - written)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        except OSError as error:
            error.filename = str(self.path)
            raise
        finally:
            os.close(handle)

    def truncate(self, step: int) -> None:
        """Cut the rows after this step."""
        if self.path.exists():
            kept = [row for row in self.rows() if float(row["step"]) <= step]
            replace_file(self.path, _lines(self._header(), kept))

    def rows(self) -> list[dict[str, str]]:
        """All of them, as texts by column; a last row without its end is left out."""
        if not self.path.exists():
            return []
        text = read_text(self.path)
        try:
            rows = list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1])))
        except csv.Error as error:
            raise InputError(f"{self.path}: cannot be read as a learning curve ({error})") from error
        for i, row in enumerate(rows):
            row |= {name: "" for name, text in row.items() if text is None}  # columns that came later
            if None in row or not row.get("step", "").isdigit() or not _numbers(row):
                raise InputError(f"{self.path}: cannot be read as a learning curve (row {i + 1} is not whole)")
        return rows

    def last_step(self) -> int:
        """The step of the last row, 0 where there is none; reads the end of the file alone."""
        if not self.path.exists():
            return 0
        with self.path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - _LONGEST_ROW))
            rows = file.read().split(b"\n")[:-1]  # the last is without its end
        step = rows[-1].partition(b",")[0] if rows else b""
        return int(step) if step.isdigit() else 0

    def _header(self) -> list[str]:
        if not self.path.exists():
            return []
        return list(rows[0]) if (rows := self.rows()) else next(csv.reader(read_text(self.path).splitlines()[:1]), [])


def _numbers(row: Mapping[str, str]) -> bool:
    """Whether a row holds numbers alone, or nothing."""
    try:
        return all(text == "" or float(text) is not None for text in row.values())
    except ValueError:
        return False


def _lines(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], header: bool = True) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
