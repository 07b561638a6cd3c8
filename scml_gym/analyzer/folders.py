"""Folders of recordings: where they are, and which of their files can be read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scml_gym.simulator.recording.folder import HEAD, PACKED, WORLDS, packed_names, read_version
from scml_gym.simulator.recording.schema import TABLES, VERSION, arrow_type

BESIDE = ".recording"
"""How the name of a recording ends while its tournament is played: ``x.recording`` becomes ``x/recording``."""


@dataclass(frozen=True)
class Run:
    """One of the recordings that are open.

    Attributes:
        run: Its number, from 0, in the order in which they were named.
        label: Name of the folder that was named.
        folder: Of the recording.
        results: The results folder of the tournament that it belongs to; None where there is none, or none yet.
        named: The folder that was named.
        version: Of its schema.
    """

    run: int
    label: str
    folder: Path
    results: Path | None
    named: Path
    version: int = VERSION


def recorded(number: int, named: Path) -> Run | None:
    """The recording that a folder is, or that belongs to it; None where there is none.

    Raises:
        InputError: if it is of another schema.
    """
    absolute = Path(os.path.abspath(named))
    places: list[tuple[Path, Path | None]] = [(named, None), (named / "recording", named)]
    if absolute.name:
        places.append((absolute.with_name(f"{absolute.name}{BESIDE}"), None))
    if ended := absolute.name.removesuffix(BESIDE) if absolute.name.endswith(BESIDE) else "":
        results = absolute.with_name(ended)
        places.append((results / "recording", results))
    for folder, results in places:
        if (folder / HEAD).is_file():
            return Run(number, label_of(named), folder, results, named, read_version(folder))
    return None


def label_of(named: Path) -> str:
    """What a folder that was named is called."""
    absolute = Path(os.path.abspath(named))
    return absolute.name or str(absolute)


def located(run: Run) -> Run:
    """A run where its recording is now."""
    return run if (run.folder / HEAD).is_file() else recorded(run.run, run.named) or run


def files_of(run: Run, problems: list[str]) -> dict[str, list[Path]]:
    """The files of each table of a run; worlds with a file that cannot be read, and packed tables of which that is so,
    are left out and told."""
    found: dict[str, list[Path]] = {table: [] for table in TABLES}
    names: set[str] = set()
    if not (run.folder / HEAD).is_file():
        problems.append(f"{run.label}: its recording is no longer in {run.folder}")
        return found
    for path in _tables(run.folder / PACKED):
        if wrong := trouble(path, run.version):
            problems.append(f"{run.label}: {path.stem} of the packed worlds are left out: {path.name} {wrong}")
        else:
            found[path.stem].append(path)
    if found["worlds"]:
        try:
            names = set(packed_names(run.folder))
        except (OSError, ValueError):  # its rows
            found["worlds"] = []
            problems.append(f"{run.label}: worlds of the packed worlds are left out: worlds.parquet {UNREADABLE}")
    folder = run.folder / WORLDS
    for world in sorted(path for path in folder.iterdir() if path.name not in names) if folder.is_dir() else []:
        files = _tables(world)
        told = [f"{path.name} {wrong}" for path in files if (wrong := trouble(path, run.version))]
        if told or not any(path.stem == "worlds" for path in files):
            why = told[0] if told else f"its table worlds {UNREADABLE}"
            problems.append(f"{run.label}: world {world.name} is left out: {why}")
            continue
        for path in files:
            found[path.stem].append(path)
    return found


def _tables(folder: Path) -> list[Path]:
    """The files of tables in a folder."""
    return sorted(path for path in folder.glob("*.parquet") if path.stem in TABLES)


UNREADABLE = "cannot be read"


def trouble(path: Path, version: int) -> str:
    """Why a table cannot be used, as far as what its file says of itself at its end tells; empty if it can.

    Args:
        path: Of the file.
        version: Of the recording's schema.
    """
    try:
        status = path.stat()
        str(path).encode()
    except (OSError, UnicodeError):
        return UNREADABLE
    if not stat.S_ISREG(status.st_mode):
        return UNREADABLE
    return _trouble(path, version, status.st_size, status.st_mtime_ns, status.st_ino)


@lru_cache(maxsize=2**17)
def _trouble(path: Path, version: int, *_state: int) -> str:
    """`trouble`, asked once for each state of a file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        given = pq.read_metadata(path).schema.to_arrow_schema()
    except (OSError, ValueError):
        return UNREADABLE
    for name, column in TABLES[path.stem].items():
        if column.since > version:
            continue
        kinds = [given.field(i).type for i in given.get_all_field_indices(name)]
        fits = pa.types.is_list if column.type.startswith("list") else arrow_type(column.type).equals
        if len(kinds) != 1 or not fits(kinds[0]):
            return f"has another column {name} than version {version} of the schema"
    return ""
