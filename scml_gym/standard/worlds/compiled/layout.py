"""What a compiled world is made of: one fixed-size record a world, and two tables with a row for each day.

Factories are counted level by level, as in the `WorldSpec`. A batch of worlds is an array of records, ``(n_worlds,)``,
with tables ``(n_worlds, days, MAX_FACTORIES)`` and ``(n_worlds, days + 1, MAX_PRODUCTS)``.

A contract that is concluded for today stands in the list of the day's contracts alone. One for a later day, a future,
also stands in a pool, with those of its delivery day linked in order of conclusion, until that day.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from scml_gym.simulator.compiled.alternating_offers import negotiation_dtype
from scml_gym.simulator.compiled.layout import world_fields
from scml_gym.simulator.compiled.recording import LOG_FIELDS
from scml_gym.standard.view import (
    ACTION_DTYPE,
    BOOK_DAYS,
    MAX_FACTORIES,
    MAX_LEVELS,
    MAX_PARTNERS,
    MAX_PER_LEVEL,
    MOST_HORIZON,
    VIEW_DTYPE,
)
from scml_gym.standard.worlds.spec_record import SPEC_DTYPE

MAX_PRODUCTS = MAX_LEVELS + 1

MAX_NEGOTIATIONS = (MAX_LEVELS - 1) * MAX_PER_LEVEL * MAX_PER_LEVEL
"""Negotiations of a day, and contracts of a day: at most one for each two factories of neighbouring levels."""

MAX_FUTURES = MAX_NEGOTIATIONS * MOST_HORIZON
"""Contracts for later days, at most."""

MAX_DELIVERIES = MAX_PER_LEVEL * BOOK_DAYS
"""Contracts of one factory for one day, on one side, at most."""

NO_FUTURE = -1
"""In place of a future's index: the end of a list."""

NEGOTIATION_DTYPE = negotiation_dtype(("offer_quantity", np.int64), ("offer_price", np.int64), ("offer_day", np.int32))

DEAL_DTYPE = np.dtype(
    [
        ("price", np.int64),
        ("quantity", np.int64),
        ("delivery", np.int32),  # day
        ("seller", np.int16),
        ("buyer", np.int16),
    ],
    align=True,
)
"""A contract on the day of its conclusion; small, as there are many. Days are at most ``MOST_DAYS``."""

FUTURE_DTYPE = np.dtype(
    [
        ("price", np.int64),
        ("quantity", np.int32),
        ("number", np.int32),  # of the contract, in order of conclusion since the world began
        ("seller", np.int16),
        ("buyer", np.int16),
        ("next", np.int16),  # the next one for its day, or the next free one
        ("nullified", np.int16),
    ],
    align=True,
)
"""A contract for a later day, which the list that it stands in tells."""

WORLD_DTYPE = np.dtype(
    [
        ("spec", SPEC_DTYPE),
        ("horizon", np.int64),  # days ahead that goods may be traded for
        ("physical", np.int64),  # 1: what is produced leaves the stock; 0: it never does, as in the league
        ("first_factory", np.int64, (MAX_LEVELS,)),  # of each level
        *world_fields(
            MAX_FACTORIES, MAX_PRODUCTS, MAX_NEGOTIATIONS, MAX_PARTNERS, VIEW_DTYPE, ACTION_DTYPE, NEGOTIATION_DTYPE
        ),
        ("stock", np.int64, (MAX_FACTORIES,)),  # inputs of each factory, in the morning
        ("contracts", DEAL_DTYPE, (MAX_NEGOTIATIONS,)),  # today's, in order of conclusion
        ("n_concluded", np.int64),  # since the world began
        ("first_future", np.int16, (BOOK_DAYS,)),  # by delivery day modulo BOOK_DAYS
        ("last_future", np.int16, (BOOK_DAYS,)),
        ("free_future", np.int16),  # the first of the pool's free places
        ("futures", FUTURE_DTYPE, (MAX_FUTURES,)),
        *LOG_FIELDS,
    ],
    align=True,
)
"""One world; see `scml_gym.simulator.compiled.layout`."""

World: TypeAlias = np.void
"""One record of ``WORLD_DTYPE``."""
