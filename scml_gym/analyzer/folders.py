"""Folders of recordings: where they are, and which of their files can be read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scml_gym.simulator.recording.folder import HEAD, PACKED, WORLDS, check_head, packed_names
from scml_gym.simulator.recording.schema import TABLES

MAGIC = b"PAR1"
"""How a whole Parquet file begins and ends."""


@dataclass(frozen=True)
class Run:
    """One of the recordings that are open.

    Attributes:
        run: Its number, from 0, in the order in which they were named.
        label: Name of the folder that was named.
        folder: Of the recording.
        results: The results folder of the tournament that it belongs to; None where there is none, or none yet.
        named: The folder that was named.
    """

    run: int
    label: str
    folder: Path
    results: Path | None
    named: Path


def recorded(number: int, named: Path) -> Run | None:
    """The recording that a folder is, or that belongs to it; None where there is none.

    Raises:
        InputError: if it is of another schema.
    """
    beside = named.with_name(f"{named.name}.recording")
    for folder, results in ((named, None), (named / "recording", named), (beside, None)):
        if (folder / HEAD).is_file():
            check_head(folder)
            return Run(number, named.absolute().name, folder, results, named)
    return None


def located(run: Run) -> Run:
    """A run where its recording is now."""
    return run if (run.folder / HEAD).is_file() else recorded(run.run, run.named) or run


def files_of(run: Run, problems: list[str], good: Callable[[Path], bool]) -> dict[str, list[Path]]:
    """The files of each table of a run; worlds with a file that is not good, and packed tables of which that is so,
    are left out and told."""
    found: dict[str, list[Path]] = {table: [] for table in TABLES}
    names = set()
    for path in _tables(run.folder / PACKED):
        if good(path):
            found[path.stem].append(path)
        else:
            problems.append(f"{run.label}: {path.stem} of the packed worlds are left out: {path.name} cannot be read")
    if found["worlds"]:
        names = set(packed_names(run.folder))
    folder = run.folder / WORLDS
    for world in sorted(path for path in folder.iterdir() if path.name not in names) if folder.is_dir() else []:
        files = _tables(world)
        broken = [path for path in files if not good(path)]
        if broken or not files:
            name = broken[0].name if broken else "its tables"
            problems.append(f"{run.label}: world {world.name} is left out: {name} cannot be read")
            continue
        for path in files:
            found[path.stem].append(path)
    return found


def _tables(folder: Path) -> list[Path]:
    """The files of tables in a folder."""
    return [path for path in folder.glob("*.parquet") if path.stem in TABLES]


def whole(path: Path) -> bool:
    """Whether a Parquet file has its end."""
    try:
        with path.open("rb") as file:
            file.seek(-len(MAGIC), os.SEEK_END)
            return file.read() == MAGIC
    except OSError:
        return False


def readable(path: Path) -> bool:
    """Whether what a Parquet file says of itself can be read."""
    import pyarrow.parquet as pq

    try:
        pq.read_metadata(path)
    except (OSError, ValueError):
        return False
    return True
