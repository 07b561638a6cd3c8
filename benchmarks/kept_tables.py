"""Tables that grow by configuration, and that a benchmark goes on with after it was stopped, with the same options."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file

Add = Callable[[Iterable[Sequence[Any]]], None]
"""Adds all rows of a configuration."""


@contextmanager
def kept_table(path: Path, columns: Sequence[str], options: Mapping[str, Any]) -> Iterator[tuple[set[int], Add]]:
    """A CSV file, made or gone on with; the options stand beside it, in a file of its name and ``.json``.

    Args:
        path: Of the file.
        columns: Of the table; one of them is ``configuration``.
        options: On which rows depend, as JSON has them.

    Yields:
        The configurations that it has, and what adds one.

    Raises:
        InputError: if there is a table of other options, or one whose options nobody knows.
    """
    beside = path.with_name(f"{path.name}.json")
    begun = path.exists() and path.stat().st_size > 0
    if begun:
        _check_same(path, beside, options)
    else:
        replace_file(beside, json.dumps(options, indent=1) + "\n")
    known = set(pd.read_csv(path)["configuration"]) if begun else set()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not begun:
            writer.writerow(columns)

        def add(rows: Iterable[Sequence[Any]]) -> None:
            writer.writerows(list(rows))  # none, where one of them cannot be made
            file.flush()

        yield known, add


def _check_same(path: Path, beside: Path, options: Mapping[str, Any]) -> None:
    try:
        kept = dict(json.loads(beside.read_bytes()))
    except (OSError, ValueError, TypeError):
        raise InputError(f"--out {path}: there is no {beside.name} that says its options; give another file") from None
    for name in options.keys() | kept.keys():
        if kept.get(name) != options.get(name):
            told = f"{name} was {kept.get(name)}, not {options.get(name)}"
            raise InputError(f"--out {path} has a table of other options ({told}); give those, or another file")
