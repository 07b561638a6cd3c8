"""FactoryView: all that one factory sees, as one fixed-layout record; and the action array that answers it.

Everything that decides (strategies, encoders, masks, rewards, learners) reads this record and never a world, so it
plays in every world. The layout is that of the OneShot game: a factory negotiates on one side only, so its partners
are the factories of the other level, partner ``k`` being the ``k``-th factory of that level on every day.

Units: quantities in items, prices and costs in money per item unless said otherwise, balances in money, days from 0.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from scml_gym.simulator.compiled.alternating_offers import ACCEPT, BUYER, END, NOOP, OFFER, SELLER, WAIT

__all__ = [
    "ACCEPT",
    "ACTION_DTYPE",
    "BUYER",
    "END",
    "HIDDEN_DTYPE",
    "MAX_PARTNERS",
    "NOOP",
    "OFFER",
    "PARTNER_DTYPE",
    "SELLER",
    "VIEW_DTYPE",
    "WAIT",
    "ActionArray",
    "FactoryView",
    "new_actions",
    "new_view",
]

MAX_PARTNERS = 8
"""Partners in a view; a level of a OneShot world has at most that many factories (the league has 4 to 8)."""

PARTNER_DTYPE = np.dtype(
    [
        ("exists", np.int64),  # there is such a factory in this world
        ("running", np.int64),  # today's negotiation with it has not ended
        ("my_turn", np.int64),  # an answer to it is asked for now
        ("step", np.int64),  # rounds (moves in "moves" timing) that have passed in this negotiation
        ("relative_time", np.float64),  # (step + 1) / (n_rounds + 1), in (0, 1]
        ("offer_quantity", np.int64),  # the partner's last offer today; 0 where there is none
        ("offer_price", np.int64),
        ("my_quantity", np.int64),  # my last offer today; 0 where there is none
        ("my_price", np.int64),
        ("agreed_quantity", np.int64),  # today's agreement; 0 where there is none
        ("agreed_price", np.int64),
        ("waits", np.int64),  # how often in a row I have answered WAIT in this negotiation
    ],
    align=True,
)

VIEW_DTYPE = np.dtype(
    [
        ("day", np.int64),  # 0 .. n_days - 1
        ("n_days", np.int64),
        ("level", np.int64),  # SELLER buys exogenous supplies and negotiates sales; BUYER negotiates supplies
        ("factory", np.int64),  # index of this factory in its world, sellers first
        ("decision", np.int64),  # decisions this factory has taken today
        ("n_partners", np.int64),  # factories on the other level
        ("n_competitors", np.int64),  # other factories on the own level
        ("n_rounds", np.int64),  # rounds of a negotiation (moves in "moves" timing)
        ("lines", np.int64),  # items that can be produced a day
        ("needs", np.int64),  # what is still to be traded today; negative where too much is agreed
        ("agreed_quantity", np.int64),  # agreed today with all partners together
        ("exogenous_quantity", np.int64),  # today's exogenous contract: supplies of a seller, sales of a buyer
        ("exogenous_price", np.float64),  # its unit price; 0 where there is none
        ("total_supply", np.int64),  # today's exogenous supplies of all sellers together (public)
        ("total_demand", np.int64),  # today's exogenous sales of all buyers together (public)
        ("production_cost", np.float64),  # per item produced
        ("shortfall_penalty", np.float64),  # today's, as a fraction of the output product's trading price
        ("disposal_cost", np.float64),  # today's, as a fraction of the input product's trading price
        ("input_price", np.float64),  # trading price of the input product at the start of the day
        ("output_price", np.float64),  # trading price of the output product at the start of the day
        ("balance", np.float64),  # at the start of the day
        ("initial_balance", np.float64),
        ("min_quantity", np.int64),  # the ranges that today's offers must keep to
        ("max_quantity", np.int64),
        ("min_price", np.int64),
        ("max_price", np.int64),
        ("partners", PARTNER_DTYPE, (MAX_PARTNERS,)),
        ("most_waits", np.int64),  # WAIT answers in a row at most; 0 where all partners are answered together
    ],
    align=True,
)

HIDDEN_DTYPE = np.dtype(
    [
        ("exists", np.int64),
        ("level", np.int64),
        ("bankrupt", np.int64),
        ("needs", np.int64),
        ("exogenous_quantity", np.int64),
        ("exogenous_price", np.float64),
        ("production_cost", np.float64),
        ("shortfall_penalty", np.float64),
        ("disposal_cost", np.float64),
        ("balance", np.float64),
        ("initial_balance", np.float64),
    ],
    align=True,
)
"""The hidden state of one factory; full observability (the MDP) adds an array of ``2 * MAX_PARTNERS`` of them."""

ACTION_DTYPE = np.dtype([("response", np.int64), ("quantity", np.int64), ("price", np.int64)], align=True)

FactoryView: TypeAlias = np.void
"""One record of ``VIEW_DTYPE`` (an element of a structured array)."""

ActionArray: TypeAlias = np.ndarray
"""Structured array of ``ACTION_DTYPE``, shape ``(MAX_PARTNERS,)``: the answer to each partner."""


def new_view() -> FactoryView:
    """An empty view; the record is mutable and owned by the caller."""
    return np.zeros((1,), dtype=VIEW_DTYPE)[0]


def new_actions() -> ActionArray:
    """An action array of no-ops, shape ``(MAX_PARTNERS,)``."""
    return np.zeros(MAX_PARTNERS, dtype=ACTION_DTYPE)
