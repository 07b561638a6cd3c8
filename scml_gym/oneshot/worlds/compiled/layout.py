"""What a compiled world of OneShot is made of: one fixed-size record a world, and two tables with a row for each day.

Factories are counted sellers first, as in the `WorldSpec`. A batch of worlds is an array of records, ``(n_worlds,)``,
with tables ``(n_worlds, days, MAX_FACTORIES)`` and ``(n_worlds, days + 1, 3)``.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from scml_gym.oneshot.view import ACTION_DTYPE, MAX_PARTNERS, VIEW_DTYPE
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES
from scml_gym.oneshot.worlds.spec_record import SPEC_DTYPE
from scml_gym.simulator.compiled.alternating_offers import negotiation_dtype
from scml_gym.simulator.compiled.layout import world_fields
from scml_gym.simulator.compiled.recording import LOG_FIELDS

MAX_NEGOTIATIONS = MAX_PARTNERS * MAX_PARTNERS
"""Negotiations of a day, and contracts of a day: at most one for each buyer and seller."""

NEGOTIATION_DTYPE = negotiation_dtype(("offer_quantity", np.int64), ("offer_price", np.int64))

CONTRACT_DTYPE = np.dtype([(n, np.int64) for n in ("day", "seller", "buyer", "quantity", "price")], align=True)

WORLD_DTYPE = np.dtype(
    [
        ("spec", SPEC_DTYPE),
        *world_fields(MAX_FACTORIES, 3, MAX_NEGOTIATIONS, MAX_PARTNERS, VIEW_DTYPE, ACTION_DTYPE, NEGOTIATION_DTYPE),
        ("contracts", CONTRACT_DTYPE, (MAX_NEGOTIATIONS,)),  # today's, in order of conclusion
        *LOG_FIELDS,
    ],
    align=True,
)
"""One world; see `scml_gym.simulator.compiled.layout`."""

World: TypeAlias = np.void
"""One record of ``WORLD_DTYPE``."""
