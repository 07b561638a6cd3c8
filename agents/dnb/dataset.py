"""The acceptance dataset: a row an offer, with all that was known when it was made and whether it was accepted.

A dataset is a folder of Parquet files, its shards, each written whole and marked with the version of the schema. What
is stored is raw (`SAMPLE_DTYPE`), never features, so that features can change without a new dataset.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scml_gym.agents.dnb.records import MAX_EVENTS, SAMPLE_DTYPE, WINDOW
from scml_gym.core.data_files import DAMAGE, content_of, parse_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.oneshot.view import BUYER, SELLER

SCHEMA = "scml-gym-dnb-dataset-1"

TABLE = {
    "world": pa.int64(),
    "day": pa.int64(),
    "proposer": pa.int64(),
    "partner": pa.int64(),
    "offer_index": pa.int64(),
    "role": pa.string(),
    "round": pa.int64(),
    "proposer_family": pa.string(),
    "responder_family": pa.string(),
}
"""The identity of a row: its world, day, the factory that offers, the index of its partner there, the how-manieth offer
of the factory in that negotiation (from 0), "seller" or "buyer" as the one who offers is, rounds that had passed, and
the names of the two players."""

ROLES = ("seller", "buyer")
"""By level."""

_LISTS = ("responses", "events")

MOST_ROWS = 10**7
"""Of a shard that is read."""


@dataclass(frozen=True)
class Dataset:
    """Offers and their answers.

    Attributes:
        samples: ``SAMPLE_DTYPE``, shape ``(n,)``; 0 beyond ``n_responses`` and ``n_events``.
        accepted: bool, shape ``(n,)``: accepted, or answered by a counter-offer.
        table: The rows' identity: the columns of ``TABLE``, ``n`` rows.
    """

    samples: np.ndarray
    accepted: np.ndarray
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, rows: np.ndarray) -> Dataset:
        """Some of the rows: a mask, bool ``(n,)``, or their indices."""
        return Dataset(self.samples[rows], self.accepted[rows], self.table.loc[rows].reset_index(drop=True))


def join(parts: Sequence[Dataset]) -> Dataset:
    """All rows of some datasets, in order."""
    table = pd.concat([part.table for part in parts], ignore_index=True) if parts else empty_table()
    accepted = np.concatenate([np.zeros(0, np.bool_), *(part.accepted for part in parts)])
    return Dataset(join_records([part.samples for part in parts], SAMPLE_DTYPE), accepted, table)


def join_records(parts: Sequence[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """All records of some arrays of that dtype, in order; as plain numbers, since NumPy copies records field by field.

    Args:
        parts: Each contiguous, shape ``(n,)``.
        dtype: Of fields of 8 bytes.
    """
    size = dtype.itemsize // 8
    numbers = [part.view(np.int64).reshape(len(part), size) for part in parts]
    return np.concatenate([np.zeros((0, size), np.int64), *numbers]).reshape(-1).view(dtype)


def empty_table() -> pd.DataFrame:
    """The identity of no row."""
    return pa.schema(list(TABLE.items())).empty_table().to_pandas()


class Split(NamedTuple):
    """What is learnt from and what is judged by: masks over the rows, bool, of which each row is in one.

    Attributes:
        train: The rest.
        families: The responder is of a held-out family.
        worlds: The responder is not, but the world is held out.
    """

    train: np.ndarray
    families: np.ndarray
    worlds: np.ndarray


def split(table: pd.DataFrame, held_out: Sequence[str], test_worlds: float, seed: int) -> Split:
    """Divide the rows of a dataset.

    Args:
        table: `Dataset.table`.
        held_out: Families whose answers nothing may be learnt from.
        test_worlds: The share of worlds that are held out, each drawn as a function of the seed and its number.
        seed: At least 0.

    Raises:
        InputError: if no row's responder is of a held-out family that is named.
    """
    families = np.zeros(len(table), np.bool_)
    for family in held_out:
        of_it = (table["responder_family"] == family).to_numpy()
        if not of_it.any():
            known = ", ".join(sorted(table["responder_family"].unique()))
            raise InputError(f"held_out: nobody in the dataset is {family!r}; valid: {known}")
        families |= of_it
    numbers, inverse = np.unique(table["world"].to_numpy(), return_inverse=True)
    drawn = np.array([np.random.default_rng([seed, int(w)]).random() < test_worlds for w in numbers], np.bool_)
    worlds = drawn[inverse] & ~families if len(table) else families
    return Split(~families & ~worlds, families, worlds)


def arrow_schema(about: Mapping[str, Any]) -> pa.Schema:
    """The columns of a shard; ``about`` and the schema's version are its metadata."""
    fields = [("accepted", pa.bool_()), *TABLE.items()]
    for name, (kind, _) in _fields(SAMPLE_DTYPE):
        if name in _LISTS:
            length = kind.shape[0]
            fields += [(f"{name}_{part}", pa.list_(_type(k), length)) for part, (k, _) in _fields(kind.base)]
        elif name not in TABLE:
            fields.append((name, _type(kind)))
    fields += [(n, pa.float64()) for n in ("q_norm", "p_norm", "need_norm")]
    fields += [(n, pa.int64()) for n in ("p_bin", "role_is_seller")]
    return pa.schema(fields, {"schema": SCHEMA, "about": json.dumps(about, sort_keys=True)})


def write_shard(
    folder: str | os.PathLike[str], index: int, dataset: Dataset, about: Mapping[str, Any] | None = None
) -> Path:
    """Write one Parquet file of a dataset, whole or not at all; returns its path.

    Args:
        folder: Of the dataset; is made.
        index: Of the shard, from 0; an old one is replaced.
        dataset: Its rows.
        about: What it was made from, as plain data; kept in the file's metadata.

    Besides what is read back, the derived columns of the thesis (algorithm 5-3) are written for whoever reads the
    files with pandas: ``q_norm``, ``p_norm``, ``p_bin``, ``need_norm``, ``role_is_seller``.
    """
    schema = arrow_schema(about or {})
    columns: dict[str, Any] = {name: dataset.table[name].to_numpy() for name in TABLE}
    columns["accepted"] = dataset.accepted
    for name, (kind, _) in _fields(SAMPLE_DTYPE):
        if name in _LISTS:
            for part in kind.base.names or ():
                numbers = pa.array(np.ascontiguousarray(dataset.samples[name][part]).ravel())
                columns[f"{name}_{part}"] = pa.FixedSizeListArray.from_arrays(numbers, kind.shape[0])
        elif name not in TABLE:
            columns[name] = np.ascontiguousarray(dataset.samples[name])
    columns |= _derived(dataset.samples)
    table = pa.table({field.name: pa.array(columns[field.name], field.type) for field in schema}, schema)
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd")
    path = shard_path(folder, index)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, content.getvalue())
    return path


def shard_path(folder: str | os.PathLike[str], index: int) -> Path:
    """Where a shard stands."""
    return Path(folder) / f"shard-{index:05d}.parquet"


def shards(folder: str | os.PathLike[str]) -> list[Path]:
    """The shards of a dataset, in order.

    Raises:
        InputError: if there is no such folder or nothing in it.
    """
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: there is no such folder; a dataset is a folder of Parquet files")
    paths = sorted(Path(folder).glob("shard-*.parquet"))
    if not paths:
        raise InputError(f"{folder} holds no dataset: no file shard-00000.parquet or other shard")
    return paths


def read_dataset(folder: str | os.PathLike[str]) -> Dataset:
    """Read all shards of a dataset.

    Raises:
        InputError: if there is no such folder, no shard in it, or one that is corrupt, of another schema version or
            lacks columns or values; the message names the file.
    """
    paths = shards(folder)
    for path in paths:
        read_about(path)
    ends = np.cumsum([_rows(path) for path in paths])
    samples, accepted = np.zeros(ends[-1], SAMPLE_DTYPE), np.zeros(ends[-1], np.bool_)
    tables, first = [], 0
    for path, last in zip(paths, ends, strict=True):
        with content_of(path, "a shard of a dataset"):
            tables.append(_read_shard(path, samples[first:last], accepted[first:last]))
        first = last
    return Dataset(samples, accepted, pd.concat(tables, ignore_index=True))


def _rows(path: Path) -> int:
    """How many rows a shard says that it has.

    Raises:
        InputError: if that is more than its file can hold.
    """
    n = pq.read_metadata(path).num_rows
    if not 0 <= n <= MOST_ROWS:
        raise InputError(f"{path}: {n} rows; valid: 0 to {MOST_ROWS}")
    return n


def read_about(path: Path) -> dict[str, Any]:
    """What a shard was made from.

    Raises:
        InputError: if the file is corrupt or of another schema version.
    """
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException, *DAMAGE) as error:
        raise _unreadable(path, error) from error
    if len(set(schema.names)) < len(schema.names):
        raise InputError(f"{path}: a column is there twice")
    metadata = schema.metadata or {}
    version = metadata.get(b"schema", b"none").decode(errors="replace")
    if version != SCHEMA:
        raise InputError(f"{path}: schema {version!r}; {SCHEMA!r} is needed: make the dataset again")
    expected = arrow_schema({})
    missing = [field.name for field in expected if field.name not in schema.names]
    if missing:
        raise InputError(f"{path}: columns are missing: {', '.join(missing)}")
    wrong = [field.name for field in expected if schema.field(field.name).type != field.type]
    if wrong:
        raise InputError(f"{path}: columns are of another type: {', '.join(wrong)}")
    about = parse_json(metadata.get(b"about", b"{}").decode(errors="replace"), f"{path}: cannot be read: about")
    if not isinstance(about, dict):
        raise InputError(f"{path}: cannot be read: what it was made from is no mapping")
    return about


def _read_shard(path: Path, samples: np.ndarray, accepted: np.ndarray) -> pd.DataFrame:
    """Write a shard's rows into arrays; returns their identity."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException, *DAMAGE) as error:
        raise _unreadable(path, error) from error
    empty = [name for name in table.column_names if table.column(name).null_count]
    if empty:
        raise InputError(f"{path}: columns lack values: {', '.join(empty)}")
    for name, (kind, _) in _fields(SAMPLE_DTYPE):
        if name in _LISTS:
            for part in kind.base.names or ():
                numbers = table.column(f"{name}_{part}").combine_chunks().flatten().to_numpy()
                samples[name][part] = numbers.reshape(len(table), kind.shape[0])
        else:
            samples[name] = table.column(name).to_numpy()
        if kind.kind == "f" and not np.isfinite(samples[name]).all():
            raise InputError(f"{path}: column {name} holds what is no number")
    for name, most in (("level", BUYER), ("n_responses", WINDOW), ("n_events", MAX_EVENTS)):
        if len(samples) and not 0 <= samples[name].min() <= samples[name].max() <= most:
            raise InputError(f"{path}: column {name} has values outside 0 to {most}")
    accepted[:] = table.column("accepted").to_numpy()
    return table.select(list(TABLE)).to_pandas()


def _derived(samples: np.ndarray) -> dict[str, np.ndarray]:
    lines = np.maximum(1, samples["lines"])
    p_norm = (samples["price"] - samples["min_price"]) / (samples["max_price"] - samples["min_price"] + 1e-6)
    return {
        "q_norm": samples["quantity"] / lines,
        "p_norm": p_norm,
        "p_bin": (p_norm > 0.5).astype(np.int64),
        "need_norm": samples["needs"] / lines,
        "role_is_seller": (samples["level"] == SELLER).astype(np.int64),
    }


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: cannot be read as Parquet ({(str(error).splitlines() or [type(error).__name__])[0]})")


def _fields(dtype: np.dtype) -> list[tuple[str, Any]]:
    return list((dtype.fields or {}).items())


def _type(kind: np.dtype) -> pa.DataType:
    return pa.float64() if kind.kind == "f" else pa.int64()
