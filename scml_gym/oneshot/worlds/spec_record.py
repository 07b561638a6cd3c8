"""A `WorldSpec` as compiled worlds read it: one record, and a table with a row for each day."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, SELLER
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES, WorldSpec
from scml_gym.simulator.world_spec import check_records, columns_of, fill_factories, names_of, read_factories

SPEC_DTYPE = np.dtype(
    [
        ("n_sellers", np.int64),
        ("n_buyers", np.int64),
        ("n_days", np.int64),
        ("rounds", np.int64),
        *(column for column in columns_of(WorldSpec, "factory", MAX_FACTORIES) if column[0] != "level"),
        *columns_of(WorldSpec, "world"),
    ],
    align=True,
)
"""The part of a `WorldSpec` that does not change from day to day; 0 for factories that there are not."""

DAILY_DTYPE = np.dtype(
    [
        *columns_of(WorldSpec, "day"),
        ("profit", np.float64),  # settled at the end of the day, 0 before
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
            or factory, and in ``profit``.

    Raises:
        InputError: if the spec has more days than ``daily``, or ``record`` or ``daily`` is of another kind.
    """
    check_records(record, daily, SPEC_DTYPE, DAILY_DTYPE, MAX_FACTORIES)
    fill_factories(spec, record, daily)
    for name in ("n_sellers", "n_buyers", "n_days", "rounds", *names_of(WorldSpec, "world")):
        record[name] = getattr(spec, name)


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
    sellers, buyers = int(record["n_sellers"]), int(record["n_buyers"])
    for name, count in (("n_sellers", sellers), ("n_buyers", buyers)):
        if not 1 <= count <= MAX_PARTNERS:
            raise InputError(f"the record of a world says {name}={count}; a level takes 1 to {MAX_PARTNERS}")
    fields = read_factories(WorldSpec, record, daily, sellers + buyers, int(record["n_days"]))
    fields |= {name: record[name].copy() for name in names_of(WorldSpec, "world")}
    return WorldSpec(level=np.repeat([SELLER, BUYER], [sellers, buyers]), rounds=int(record["rounds"]), **fields)
