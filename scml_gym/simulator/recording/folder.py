"""Recordings: folders to which worlds are written one at a time, each as a whole.

A recording holds ``recording.json``, and for each world a folder ``worlds/NAME`` with a Parquet file for each table
that has rows. Several processes may write into it at once; one that is killed costs the world that it was writing.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scml_gym.core.arguments import brief
from scml_gym.core.data_files import read_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import make_folder, new_folder, replace_file
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.simulator.recording.schema import FORMER, SCHEMA, TABLES, VERSION, arrow_schema, schema_name
from scml_gym.simulator.recording.tables import About, Table

HEAD = "recording.json"
"""Says that a folder is a recording, and of which schema."""

WORLDS, UNFINISHED, PACKED = "worlds", "unfinished", "packed"

RecordWorld = Callable[[Any, About], dict[str, Table]]
"""``record(world, about) -> tables``: how a game's world that was played becomes tables."""


class Recording:
    """A folder that worlds are written to.

    Args:
        folder: Is made where it is missing; one that is a recording already is added to.

    Attributes:
        folder: Its absolute path, which stays the same where the current folder changes.

    Raises:
        InputError: if it is no path, holds something else, a recording of another version of the schema, or cannot be
            made.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        if not isinstance(folder, str | os.PathLike) or not os.fspath(folder):
            raise InputError(f"recording={brief(folder)}; valid: the path of a folder", "recording")
        self.folder = Path(folder).absolute()
        make_folder(self.folder)
        if not (self.folder / HEAD).exists():
            if any(
                path.name not in (WORLDS, UNFINISHED, PACKED) and path.name[0] != "." for path in self.folder.iterdir()
            ):
                raise InputError(f"{folder} holds something else than a recording; give a new folder")
            replace_file(self.folder / HEAD, json.dumps({"schema": SCHEMA}) + "\n")
        if (version := read_version(self.folder)) != VERSION:
            raise InputError(
                f"{folder} is a recording of {schema_name(version)!r}, which can be looked at, and not added to; "
                "give a new folder"
            )
        for name in (WORLDS, UNFINISHED):
            make_folder(self.folder / name)

    def write(self, name: str, tables: Mapping[str, Table]) -> None:
        """Write a world, in place of one of the same name.

        Args:
            name: Of the world, a valid name of a folder.
            tables: See `scml_gym.simulator.recording.schema.TABLES`; those without rows leave no file, and
                a column that is missing or None is null.

        Raises:
            InputError: if the folder cannot be written to.
        """
        try:
            self._write(name, tables)
        except OSError as error:
            raise InputError(f"{self.folder}: {error.strerror or error}") from error

    def _write(self, name: str, tables: Mapping[str, Table]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        place = self.folder / WORLDS / name
        unfinished = self.folder / UNFINISHED / f"{name}.{os.getpid()}"
        former = unfinished.with_name(f"{unfinished.name}.former")
        with new_folder(place, unfinished):
            for table, columns in tables.items():
                assert columns.keys() <= TABLES[table].keys(), (
                    f"{table} has no column {columns.keys() - TABLES[table].keys()}"
                )
                rows = len(next(iter(columns.values())))
                if rows:
                    schema = arrow_schema(table)
                    arrays = [
                        _array(columns.get(field.name), field.type, rows) for field in schema if field.name != "world"
                    ]
                    arrays.insert(0, pa.repeat(name, rows))
                    content = pa.Table.from_arrays(arrays, schema=schema)
                    with (unfinished / f"{table}.parquet").open("wb") as file:
                        # the small files of a world are read whole, and their types are those of the schema
                        pq.write_table(content, file, compression="zstd", store_schema=False, write_statistics=False)
                        file.flush()
                        os.fsync(file.fileno())
            if place.exists():
                os.replace(place, former)
        shutil.rmtree(former, ignore_errors=True)

    def names(self) -> list[str]:
        """The worlds that stand here, by name."""
        return sorted({path.name for path in (self.folder / WORLDS).iterdir()} | set(self.packed_names()))

    def packed_names(self) -> list[str]:
        """Those of them that are packed, see `scml_gym.simulator.recording.packing`."""
        return packed_names(self.folder)

    def keep(self, names: Collection[str]) -> None:
        """Remove all worlds but these and those that are packed, and what writers that were killed left; nobody may be
        writing."""
        for name in set(self.names()) - set(names) - set(self.packed_names()):
            shutil.rmtree(self.folder / WORLDS / name)
        shutil.rmtree(self.folder / UNFINISHED, ignore_errors=True)


def packed_names(folder: Path) -> list[str]:
    """The worlds that are packed in the folder of a recording, by name, in their order."""
    import pyarrow.parquet as pq

    path = folder / PACKED / "worlds.parquet"
    return pq.ParquetFile(path).read(["world"])["world"].to_pylist() if path.exists() else []


def read_version(folder: Path) -> int:
    """The version of a recording's schema.

    Raises:
        InputError: if it is no recording, or of a schema that cannot be read.
    """
    try:
        schema = read_json(folder / HEAD).get("schema")
    except InputError as error:
        raise InputError(f"{folder} is no recording ({HEAD}: {error})") from error
    known = {schema_name(version): version for version in (VERSION, *FORMER)}
    if not isinstance(schema, str) or schema not in known:
        read = ", ".join(map(repr, known))
        raise InputError(f"{folder} is a recording of schema {schema!r}; this version reads {read}")
    return known[schema]


@dataclass(frozen=True)
class WriteWorld:
    """Writes a world when it is over: the ``end`` of a `WorldLog`.

    Attributes:
        recording: Where to.
        record: Of the game.
        about: Of the world.
        name: Of the world; None for one by the time.
    """

    recording: Recording
    record: RecordWorld
    about: About
    name: str | None = None

    def __call__(self, world: Any) -> None:
        """Write it."""
        name = self.name or f"{time.time_ns():x}-{os.getpid():x}"
        self.recording.write(name, self.record(world, self.about))


def new_log(recording: Recording, record: RecordWorld, players: Sequence[Any], seed: int) -> WorldLog:
    """The log of a world that an environment plays.

    Args:
        recording: Of the environment.
        record: Of the game.
        players: Of each factory; None where the learner plays.
        seed: Of the world.
    """
    roles = ["learner" if player is None else "background" for player in players]
    about = About(seed, [label_of(player) for player in players], roles)
    return WorldLog(WriteWorld(recording, record, about))


def episode_log(recording: Recording | None, record: RecordWorld, players: Sequence[Any], seed: int) -> WorldLog | None:
    """`new_log`, or None in an environment that is not recorded."""
    return None if recording is None else new_log(recording, record, players, seed)


def label_of(player: Any) -> str:
    """What a player is called in tables: its strategy, or its class; ``learner`` for None."""
    if player is None:
        return "learner"
    name = getattr(getattr(player, "strategy", None), "name", None)
    kind = player[0] if isinstance(player, tuple) else player if isinstance(player, type) else type(player)
    return str(name or kind.__name__)


def _array(values: Any, kind: Any, rows: int) -> Any:
    """A column as Arrow has it, NaN as null; numbers that do not fit its type are refused by Arrow."""
    import pyarrow as pa

    if values is None:
        return pa.nulls(rows, kind)
    return pa.array(values, from_pandas=True).cast(kind) if hasattr(values, "dtype") else pa.array(values, type=kind)
