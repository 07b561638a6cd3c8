"""Packed recordings: one file a table in place of a folder a world, which is read many times faster.

What is packed stands in the folder ``packed``, which appears as a whole; then the worlds' own folders go. A kill in
between leaves both, and what is packed counts.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.core.files import new_folder
from scml_gym.simulator.recording.folder import PACKED, UNFINISHED, WORLDS, Recording
from scml_gym.simulator.recording.schema import TABLES, arrow_schema

ROWS = 100_000
"""Of a row group: a part of a file that is read, or left out, as a whole."""


def pack(recording: Recording) -> None:
    """Pack the worlds of a recording to which nobody is writing; one that is packed already is left alone.

    Raises:
        InputError: if the folder cannot be written to, or a world cannot be read.
    """
    import pyarrow as pa

    folder = recording.folder
    worlds = [folder / WORLDS / name for name in recording.names()]
    if not (folder / PACKED).exists() and worlds:
        try:
            with new_folder(folder / PACKED, folder / UNFINISHED / f"{PACKED}.{os.getpid()}") as filling:
                for table in TABLES:
                    files = [path for world in worlds if (path := world / f"{table}.parquet").exists()]
                    _pack_table(table, files, filling)
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{folder}: cannot be packed ({error})") from error
    for name in recording.packed_names():
        shutil.rmtree(folder / WORLDS / name, ignore_errors=True)
    with suppress(OSError):
        (folder / UNFINISHED).rmdir()


def _pack_table(table: str, files: Sequence[Path], folder: Path) -> None:
    """One table of all worlds, in row groups of about ``ROWS``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not files:
        return
    schema = arrow_schema(table)
    options: dict[str, Any] = {"compression": "zstd", "store_schema": False, "write_statistics": ["world"]}
    with (folder / f"{table}.parquet").open("wb") as file:
        with pq.ParquetWriter(file, schema, **options) as writer:
            waiting: list[pa.Table] = []
            for i, path in enumerate(files):
                waiting.append(pq.ParquetFile(path).read(use_threads=False).cast(schema))
                if sum(map(len, waiting)) >= ROWS or i == len(files) - 1:
                    writer.write_table(pa.concat_tables(waiting))
                    waiting = []
        file.flush()
        os.fsync(file.fileno())
