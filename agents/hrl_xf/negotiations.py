"""Recorded negotiations as arrays, and as a Parquet file: a row a decision, negotiation after negotiation.

A negotiation has three decisions on average, so a Minari dataset, with a group of arrays for each episode, would take
minutes to read; the columns here are those arrays, one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scml_gym.agents.hrl_xf.observing import SIZE
from scml_gym.core.data_files import DAMAGE, content_of, parse_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.standard.actions.choice import HEADS, N_HEADS

SCHEMA = "scml-gym-negotiations-2"
ABOUT = b"scml_gym"
"""Key of the file's facts, JSON: ``schema``, ``players``, ``sizes``, and who recorded what."""

IDENTITY = ("world", "player", "factory", "day", "partner")
"""Of a negotiation: the seed of its world (negative in a compiled one), the index of who played, the factory, the day,
and the index of its partner."""

MOST_ROWS = 10**7


@dataclass(frozen=True)
class Negotiations:
    """Decisions, ``n`` of them, of ``m`` negotiations.

    Attributes:
        observations: Float32 ``(n, SIZE)``, with goals told.
        actions: Int64 ``(n, 4)``: response, quantity, day, price of `scml_gym.standard.actions.PartnerChoices`.
        masks: Bool ``(n, options)``, of the same.
        rewards: Float32 ``(n,)``: at the end of a negotiation 0 without an agreement, else 1 and the position of the
            price in the day's range, 1 for the best; 0 before.
        starts: The first decision of each negotiation, int64 ``(m,)``.
        identity: Int64 ``(m, 5)``, see `IDENTITY`.
        players: Names.
        sizes: Options of each number of an action.
    """

    observations: np.ndarray
    actions: np.ndarray
    masks: np.ndarray
    rewards: np.ndarray
    starts: np.ndarray
    identity: np.ndarray
    players: tuple[str, ...]
    sizes: tuple[int, ...]

    @property
    def worlds(self) -> np.ndarray:
        """The world of each negotiation, int64 ``(m,)``."""
        return self.identity[:, 0]


def join(parts: Sequence[Negotiations]) -> Negotiations:
    """All negotiations of some recordings of the same players, in order."""
    lengths = np.cumsum([0, *(len(part.rewards) for part in parts)])
    names = ("observations", "actions", "masks", "rewards")
    arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    starts = np.concatenate([part.starts + first for part, first in zip(parts, lengths[:-1], strict=True)])
    identity = np.concatenate([part.identity for part in parts])
    about = {"identity": identity, "players": parts[0].players, "sizes": parts[0].sizes}
    return Negotiations(**arrays, starts=starts, **about)


def write(table: Negotiations, path: Path, facts: dict[str, Any]) -> None:
    """Write a file, whole or not at all.

    Args:
        table: What is written.
        path: Of the file.
        facts: Who recorded what, as JSON has it.
    """
    n = len(table.rewards)
    lengths = np.diff(np.append(table.starts, n))
    identity = np.repeat(table.identity, lengths, axis=0)
    columns: dict[str, Any] = {name: identity[:, i] for i, name in enumerate(IDENTITY)}
    columns["step"] = np.arange(n) - np.repeat(table.starts, lengths)
    columns["reward"] = table.rewards
    columns["observation"] = _lists(table.observations.astype(np.float32))
    columns["action"] = _lists(table.actions.astype(np.int16))
    columns["mask"] = _lists(table.masks.astype(np.uint8))
    about = {"schema": SCHEMA, "players": list(table.players), "sizes": list(table.sizes)} | facts
    made = pa.table(columns).replace_schema_metadata({ABOUT: json.dumps(about).encode()})
    content = pa.BufferOutputStream()
    pq.write_table(made, content, compression="zstd")
    replace_file(path, content.getvalue().to_pybytes())


def _lists(rows: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(rows).ravel()), rows.shape[1])


def read(path: str | Path) -> Negotiations:
    """The negotiations of a file.

    Raises:
        InputError: if it is missing, damaged, of another schema or other shapes.
    """
    path = Path(path)
    try:
        file = pq.ParquetFile(path)
        told = (file.schema_arrow.metadata or {}).get(ABOUT, b"{}")
        rows = file.metadata.num_rows
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file of negotiations; null records one") from error
    except (OSError, pa.ArrowException, *DAMAGE) as error:
        raise InputError(f"{path}: no readable Parquet file ({' '.join(str(error).split())})") from error
    about = parse_json(told.decode(errors="replace"), str(path))
    if about.get("schema") != SCHEMA:
        raise InputError(f"{path} has the schema {about.get('schema')!r}; {SCHEMA!r} is needed")
    if not 0 < rows <= MOST_ROWS:
        raise InputError(f"{path}: {rows} rows; valid: 1 to {MOST_ROWS}")
    with content_of(path, "negotiations"):
        try:
            table = _table(file.read(), about)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(str(error)) from error
        _check(table)
    return table


def _table(columns: pa.Table, about: dict[str, Any]) -> Negotiations:
    sizes = tuple(int(size) for size in about["sizes"])
    if len(sizes) != N_HEADS or not all(0 < size < 1000 for size in sizes):
        raise ValueError(f"sizes {sizes}")
    n = columns.num_rows

    def part(name: str, width: int, kind: Any) -> np.ndarray:
        column = columns[name].combine_chunks()
        if column.null_count or not pa.types.is_fixed_size_list(column.type) or column.type.list_size != width:
            raise ValueError(f"{name} of {column.type}, not {width} numbers")
        return np.asarray(column.flatten()).reshape(n, width).astype(kind)

    steps = np.asarray(columns["step"])
    starts = np.flatnonzero(steps == 0)
    identity = np.stack([np.asarray(columns[name]).astype(np.int64) for name in IDENTITY], axis=1)
    seen, actions = part("observation", SIZE, np.float32), part("action", N_HEADS, np.int64)
    masks, rewards = part("mask", sum(sizes), np.bool_), np.asarray(columns["reward"]).astype(np.float32)
    players = tuple(str(player) for player in about["players"])
    made = Negotiations(seen, actions, masks, rewards, starts, identity[starts], players, sizes)
    lengths = np.diff(np.append(starts, n))
    if not len(starts) or starts[0] != 0 or (steps != np.arange(n) - np.repeat(starts, lengths)).any():
        raise ValueError("its steps are none of whole negotiations")
    return made


def _check(table: Negotiations) -> None:
    """Refuse numbers that could not have been recorded."""
    sizes = np.array(table.sizes, np.int64)
    places = np.cumsum(sizes) - sizes
    if not (np.isfinite(table.observations).all() and np.isfinite(table.rewards).all()):
        raise ValueError("numbers that are not finite")
    if (table.actions < 0).any() or (table.actions >= sizes).any():
        raise ValueError(f"an action outside {dict(zip(HEADS, table.sizes, strict=True))}")
    if not np.take_along_axis(table.masks, places + table.actions, axis=1).all():
        raise ValueError("a mask forbids its action")
    if (np.diff(table.worlds) != 0).sum() >= len(np.unique(table.worlds)):
        raise ValueError("a world's negotiations do not stand together")
    if table.identity[:, 1].min() < 0 or table.identity[:, 1].max() >= len(table.players):
        raise ValueError("a player without a name")
