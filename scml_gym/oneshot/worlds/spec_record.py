"""A `WorldSpec` as compiled worlds read it: one record, and a table with a row for each day."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, SELLER
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES, WorldSpec, columns_of, names_of

SPEC_DTYPE = np.dtype(
    [
        ("n_sellers", np.int64),
        ("n_buyers", np.int64),
        ("n_days", np.int64),
        ("rounds", np.int64),
        *(column for column in columns_of("factory", MAX_FACTORIES) if column[0] != "level"),
        *columns_of("world"),
    ],
    align=True,
)
"""The part of a `WorldSpec` that does not change from day to day; 0 for factories that there are not."""

DAILY_DTYPE = np.dtype(
    [
        *columns_of("day"),
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
    _check_form(record, daily)
    n, days = spec.n_factories, spec.n_days
    if not 1 <= days <= len(daily):
        raise InputError(f"a world spec of {days} days does not fit a table of {len(daily)} days")
    for name in SPEC_DTYPE.names or ():
        record[name] = 0
    daily[...] = np.zeros((), DAILY_DTYPE)
    for name in ("n_sellers", "n_buyers", "n_days", "rounds", *names_of("world")):
        record[name] = getattr(spec, name)
    for name in names_of("factory"):
        if name != "level":  # which follows from the numbers of factories
            record[name][:n] = getattr(spec, name)
    for name in names_of("day"):
        daily[name][:days, :n] = getattr(spec, name).T


def read_spec(record: Any, daily: np.ndarray) -> WorldSpec:
    """The spec that a record and its table hold, as arrays of its own.

    Args:
        record: One record of ``SPEC_DTYPE``.
        daily: ``DAILY_DTYPE`` of shape (days or more, MAX_FACTORIES).

    Raises:
        InputError: if they hold no world: a level without factories or with too many, more days than rows, or another
            kind of array.
    """
    _check_form(record, daily)
    sellers, buyers, days = int(record["n_sellers"]), int(record["n_buyers"]), int(record["n_days"])
    if not 1 <= days <= len(daily):
        raise InputError(f"the record of a world says {days} days; its table has rows for 1 to {len(daily)}")
    for name, count in (("n_sellers", sellers), ("n_buyers", buyers)):
        if not 1 <= count <= MAX_PARTNERS:
            raise InputError(f"the record of a world says {name}={count}; a level takes 1 to {MAX_PARTNERS}")
    n = sellers + buyers
    fields = {name: record[name].copy() for name in names_of("world")}
    fields |= {name: record[name][:n].copy() for name in names_of("factory") if name != "level"}
    fields |= {name: daily[name][:days, :n].T.copy() for name in names_of("day")}
    return WorldSpec(level=np.repeat([SELLER, BUYER], [sellers, buyers]), rounds=int(record["rounds"]), **fields)


def _check_form(record: Any, daily: np.ndarray) -> None:
    if getattr(record, "dtype", None) != SPEC_DTYPE or record.shape != ():
        raise InputError("record: give one record of SPEC_DTYPE, such as records[i]")
    if daily.dtype != DAILY_DTYPE or daily.ndim != 2 or daily.shape[1] != MAX_FACTORIES:
        raise InputError(f"daily: give an array of DAILY_DTYPE and shape (days, {MAX_FACTORIES}), not {daily.shape}")
