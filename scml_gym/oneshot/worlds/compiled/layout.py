"""What a compiled world is made of: one fixed-size record a world, and two tables with a row for each day.

Factories are counted sellers first, as in the `WorldSpec`; a negotiation is found by its buyer and its seller. A batch
of worlds is an array of records, ``(n_worlds,)``, with tables ``(n_worlds, days, MAX_FACTORIES)`` and
``(n_worlds, days + 1, 3)``.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from scml_gym.jit.random import N_DRAWS
from scml_gym.oneshot.view import ACTION_DTYPE, MAX_PARTNERS, VIEW_DTYPE
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES
from scml_gym.oneshot.worlds.spec_record import SPEC_DTYPE
from scml_gym.simulator.compiled.alternating_offers import NEGOTIATION_DTYPE
from scml_gym.simulator.compiled.synchronous import controller_fields

MAX_CONTRACTS = MAX_PARTNERS * MAX_PARTNERS
"""Negotiated contracts of a day: at most one for each buyer and seller."""

EXTERNAL, SYNCHRONOUS, ASYNCHRONOUS = 0, 1, 2
"""Players: decided from outside; a strategy that answers all partners together; one that answers each by itself."""

PLAYER_STATE_DTYPE = np.dtype(
    [
        ("kind", np.int64),
        ("seed", np.uint64),  # of the strategy's draws
        ("n_draws", np.int64),  # how many it may read
        ("decide", np.int64),  # addresses: of the strategy's compiled functions (0 for none), parameters and state
        ("learn", np.int64),
        ("params", np.int64),
        ("n_params", np.int64),
        ("state", np.int64),
        ("n_state", np.int64),
        *controller_fields(MAX_PARTNERS),
        ("agreements", np.int64),
        ("negotiations", np.int64),
        ("decisions", np.int64),
        ("invalid", np.int64),
        ("bankrupt", np.int64),
        ("total_profit", np.float64),
    ],
    align=True,
)
"""Who plays a factory, and what has become of it."""

CONTRACT_DTYPE = np.dtype([(n, np.int64) for n in ("day", "seller", "buyer", "quantity", "price")], align=True)

NEW_DAY, NEGOTIATING = 0, 1
"""Phases of a world."""

WORLD_DTYPE = np.dtype(
    [
        ("spec", SPEC_DTYPE),
        ("moves", np.int64),  # 1: negotiations advance a move a pass; 0: a round
        ("day", np.int64),  # days whose profits are settled
        ("phase", np.int64),
        ("cursor", np.int64),  # the negotiation whose turn it is in the pass, buyer-major
        ("running", np.int64),  # negotiations that have not ended today
        ("passes", np.int64),  # through all negotiations, since the world began
        ("n_contracts", np.int64),
        ("trading_price", np.float64, (3,)),  # at the start of the day
        ("traded", np.float64, (3,)),  # discounted quantity that the trading prices stand for
        ("pending", np.int64, (MAX_FACTORIES,)),  # external factories whose decision is due
        ("players", PLAYER_STATE_DTYPE, (MAX_FACTORIES,)),
        ("views", VIEW_DTYPE, (MAX_FACTORIES,)),
        ("negotiations", NEGOTIATION_DTYPE, (MAX_PARTNERS, MAX_PARTNERS)),  # by buyer, seller
        ("contracts", CONTRACT_DTYPE, (MAX_CONTRACTS,)),  # today's, in order of conclusion
        ("draws", np.float64, (N_DRAWS,)),  # scratch: of a decision
        ("actions", ACTION_DTYPE, (MAX_PARTNERS,)),  # scratch: the answers of a decision
    ],
    align=True,
)
"""One world; a state machine that stops wherever an external factory must decide."""

World: TypeAlias = np.void
"""One record of ``WORLD_DTYPE``."""
