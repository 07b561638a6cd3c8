"""What a compiled world is made of: one fixed-size record a world, and two tables with a row for each day.

Factories are counted level by level, as in the `WorldSpec`. A batch of worlds is an array of records, ``(n_worlds,)``,
with tables ``(n_worlds, days, MAX_FACTORIES)`` and ``(n_worlds, days + 1, MAX_PRODUCTS)``.
"""

from __future__ import annotations

from scml_gym.standard.view import (
    BOOK_DAYS,
    MAX_LEVELS,
    MAX_PER_LEVEL,
)

MAX_PRODUCTS = MAX_LEVELS + 1

MAX_NEGOTIATIONS = (MAX_LEVELS - 1) * MAX_PER_LEVEL * MAX_PER_LEVEL
"""Negotiations of a day: at most one for each two factories of neighbouring levels."""

MAX_OPEN = MAX_NEGOTIATIONS * BOOK_DAYS
"""Contracts that have not been executed yet, at most."""
