"""A `WorldSpec` as compiled worlds read it: one record, and a table with a row for each day."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.simulator.world_spec import (
    check_records,
    columns_of,
    fill_factories,
    names_of,
    read_factories,
)
from scml_gym.standard.view import MAX_FACTORIES, MAX_LEVELS, MAX_PER_LEVEL, MIN_LEVELS
from scml_gym.standard.worlds.spec import WorldSpec

SPEC_DTYPE = np.dtype(
    [
        ("n_levels", np.int64),
        ("n_factories", np.int64),
        ("sizes", np.int64, (MAX_LEVELS,)),  # factories of each level
        ("n_days", np.int64),
        ("rounds", np.int64),
        *columns_of(WorldSpec, "factory", MAX_FACTORIES),
        *columns_of(WorldSpec, "world"),
    ],
    align=True,
)
"""The part of a `WorldSpec` that does not change from day to day; 0 for factories that there are not."""

DAILY_DTYPE = np.dtype(
    [
        *columns_of(WorldSpec, "day"),
        ("profit", np.float64),  # settled at the end of the day, 0 before
        ("stock", np.int64),  # in the morning, 0 for days to come
    ],
    align=True,
)
"""One factory's day: the rest of the `WorldSpec`, and what came of it."""


def fill_spec(spec: WorldSpec, record: Any, daily: np.ndarray) -> None:
    """Write a spec in the form that compiled worlds read.

    Args:
        spec: Of any world.
        record: One record of ``SPEC_DTYPE``, overwritten.
        daily: ``DAILY_DTYPE`` of shape (days or more, MAX_FACTORIES), overwritten; 0 where the world has no such day
            or factory, and in ``profit`` and ``stock``.

    Raises:
        InputError: if the spec has more days than ``daily``, or ``record`` or ``daily`` is of another kind.
    """
    check_records(record, daily, SPEC_DTYPE, DAILY_DTYPE, MAX_FACTORIES)
    fill_factories(spec, record, daily)
    for name in ("n_levels", "n_factories", "n_days", "rounds", *names_of(WorldSpec, "world")):
        record[name] = getattr(spec, name)
    record["sizes"][: spec.n_levels] = spec.level_sizes


def read_spec(record: Any, daily: np.ndarray) -> WorldSpec:
    """The spec that a record and its table hold, as arrays of its own.

    Args:
        record: One record of ``SPEC_DTYPE``.
        daily: ``DAILY_DTYPE`` of shape (days or more, MAX_FACTORIES).

    Raises:
        InputError: if they hold no world: a level without factories or with too many, more days than rows, or another
            kind of array.
    """
    check_records(record, daily, SPEC_DTYPE, DAILY_DTYPE, MAX_FACTORIES)
    levels, n, sizes = int(record["n_levels"]), int(record["n_factories"]), record["sizes"].tolist()
    if not MIN_LEVELS <= levels <= MAX_LEVELS:
        raise InputError(f"the record of a world says n_levels={levels}; valid: {MIN_LEVELS} to {MAX_LEVELS}")
    if not all(1 <= size <= MAX_PER_LEVEL for size in sizes[:levels]) or sum(sizes[:levels]) != n:
        raise InputError(f"the record of a world says sizes={sizes}; a level takes 1 to {MAX_PER_LEVEL}, in all {n}")
    fields = read_factories(WorldSpec, record, daily, n, int(record["n_days"]))
    fields |= {name: record[name].copy() for name in names_of(WorldSpec, "world")}
    return WorldSpec(rounds=int(record["rounds"]), **fields)
