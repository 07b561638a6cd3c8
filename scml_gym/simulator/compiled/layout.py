"""What the compiled worlds of all tracks are made of; each track adds fields of its own to those that are named here.

A world is one fixed-size record, and a state machine that stops wherever an external factory must decide.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.game.calls import PLAYER_DTYPE as CALL_DTYPE
from scml_gym.jit.random import N_DRAWS
from scml_gym.simulator.compiled.synchronous import controller_fields

EXTERNAL, SYNCHRONOUS, ASYNCHRONOUS = 0, 1, 2
"""Players: decided from outside; a strategy that answers all partners together; one that answers each by itself."""

NEW_DAY, NEGOTIATING = 0, 1
"""Phases of a world."""

NO_NEGOTIATION = -1
"""In place of a negotiation's index: there is no such partner."""


def player_dtype(n_partners: int, action: np.dtype) -> np.dtype:
    """Who plays a factory, and what has become of it.

    Args:
        n_partners: Partner indices of a factory, 0 to that minus one.
        action: Dtype of an answer to a partner.
    """
    return np.dtype(
        [
            ("kind", np.int64),
            ("seed", np.uint64),  # of the strategy's draws
            *CALL_DTYPE.descr,  # addresses of the strategy's compiled functions and parameters, and how much it draws
            ("state", np.int64),  # address of what it remembers
            ("mate", np.float64),  # weight of its rewards in a learner's
            *controller_fields(n_partners, action),
            ("negotiation_with", np.int16, (n_partners,)),  # index of the one with each partner, or NO_NEGOTIATION
            ("most_partners", np.int64),  # the indices of its partners lie below this
            ("agreements", np.int64),
            ("negotiations", np.int64),
            ("decisions", np.int64),
            ("invalid", np.int64),
            ("bankrupt", np.int64),
            ("total_profit", np.float64),
        ],
        align=True,
    )


def world_fields(
    n_factories: int,
    n_products: int,
    n_negotiations: int,
    n_partners: int,
    view: np.dtype,
    action: np.dtype,
    negotiation: np.dtype,
) -> list[tuple[Any, ...]]:
    """The fields that the record of every world has.

    Args:
        n_factories: The most that a world has, like the next two.
        n_products: Of a chain.
        n_negotiations: Of a day.
        n_partners: Partner indices of a factory.
        view: Dtype of what a factory sees.
        action: Of an answer to a partner.
        negotiation: See `scml_gym.simulator.compiled.alternating_offers.negotiation_dtype`.
    """
    return [
        ("moves", np.int64),  # 1: negotiations advance a move a pass; 0: a round
        ("one_by_one", np.int64),  # 1: external factories answer each negotiation by itself; 0: all together
        ("day", np.int64),  # days whose profits are settled
        ("phase", np.int64),
        ("n_factories", np.int64),
        ("n_negotiations", np.int64),  # all, whether they take place today or not
        ("running", np.int64),  # negotiations that have not ended today
        ("listed", np.int64),  # length of the list ``order``
        ("cursor", np.int64),  # place in the list of the negotiation whose turn it is in the pass
        ("kept", np.int64),  # how many of those before it go on
        ("passes", np.int64),  # through all negotiations, since the world began
        ("n_contracts", np.int64),  # concluded today
        ("trading_price", np.float64, (n_products,)),  # at the start of the day
        ("traded", np.float64, (n_products,)),  # discounted quantity that the trading prices stand for
        ("pending", np.int64, (n_factories,)),  # external factories whose decision is due
        ("order", np.int16, (n_negotiations,)),  # the running negotiations, in order of their making
        ("players", player_dtype(n_partners, action), (n_factories,)),
        ("views", view, (n_factories,)),
        ("negotiations", negotiation, (n_negotiations,)),  # in order of their making
        ("draws", np.float64, (N_DRAWS,)),  # scratch: of a decision
        ("actions", action, (n_partners,)),  # scratch: the answers of a decision
    ]
