"""StandardView: all that one factory of the Standard track sees, as a record; and the action array that answers it.

Everything that decides (strategies, encoders, masks, rewards, learners) reads this record and never a world, so it
plays in every world. A factory buys inputs of its suppliers and sells outputs to its consumers, and in the middle of
the chain it does both at once. Partner indices 0 to 7 are its suppliers (partner ``k`` is the ``k``-th factory of the
level below), 8 to 15 its consumers (partner ``8 + k`` is the ``k``-th factory of the level above), on every day.

Units: quantities in items, prices and costs in money per item unless said otherwise, balances in money, days from 0.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.simulator.compiled.alternating_offers import ACCEPT, BUYER, END, NOOP, OFFER, SELLER

__all__ = [
    "ACCEPT",
    "ACTION_DTYPE",
    "BOOK_DAYS",
    "BUYER",
    "END",
    "HIDDEN_DTYPE",
    "MAX_FACTORIES",
    "MAX_LEVELS",
    "MAX_PARTNERS",
    "MAX_PER_LEVEL",
    "MIN_LEVELS",
    "MOST_HORIZON",
    "NOOP",
    "OFFER",
    "PARTNER_DTYPE",
    "SELLER",
    "VIEW_DTYPE",
    "ActionArray",
    "StandardView",
    "is_consumer",
    "new_actions",
    "new_view",
]

MIN_LEVELS, MAX_LEVELS = 2, 4
"""Levels of factories that a world may have; the league's tournaments draw 2, 3 or 4."""

MAX_PER_LEVEL = 8
"""Factories of a level; the league has 4 to 8."""

MAX_FACTORIES = MAX_LEVELS * MAX_PER_LEVEL
"""Factories of a world."""

MAX_PARTNERS = 2 * MAX_PER_LEVEL
"""Partners in a view: suppliers, then consumers."""

MOST_HORIZON = 10
"""Days ahead of today that goods may be traded for, at most; the league's horizon."""

BOOK_DAYS = MOST_HORIZON + 1
"""Delivery days in the books: today, and those up to `MOST_HORIZON` days ahead."""

PARTNER_DTYPE = np.dtype(
    [
        ("exists", np.int64),  # there is such a factory in this world
        ("running", np.int64),  # today's negotiation with it has not ended
        ("my_turn", np.int64),  # an answer to it is asked for now
        ("step", np.int64),  # rounds that have passed in this negotiation
        ("relative_time", np.float64),  # (step + 1) / (n_rounds + 1), in (0, 1]
        ("offer_quantity", np.int64),  # the partner's last offer today; 0 where there is none
        ("offer_day", np.int64),  # its delivery day
        ("offer_price", np.int64),
        ("my_quantity", np.int64),  # my last offer today; 0 where there is none
        ("my_day", np.int64),
        ("my_price", np.int64),
        ("agreed_quantity", np.int64),  # what was agreed today; 0 where nothing was
        ("agreed_day", np.int64),
        ("agreed_price", np.int64),
    ],
    align=True,
)

VIEW_DTYPE = np.dtype(
    [
        ("day", np.int64),  # 0 .. n_days - 1
        ("n_days", np.int64),
        ("level", np.int64),  # 0 .. n_levels - 1; level 0 has exogenous supplies, the last level exogenous sales
        ("n_levels", np.int64),
        ("factory", np.int64),  # index of this factory in its world, level by level
        ("decision", np.int64),  # decisions this factory has taken today
        ("n_suppliers", np.int64),  # factories of the level below
        ("n_consumers", np.int64),  # factories of the level above
        ("n_competitors", np.int64),  # other factories of the own level
        ("n_rounds", np.int64),  # rounds of a negotiation
        ("lines", np.int64),  # items that can be produced a day
        ("physical", np.int64),  # 1 where production takes its inputs out of stock; 0 where they stay, as in the league
        ("stock", np.int64),  # inputs in stock this morning
        ("exogenous_supply", np.int64),  # today's exogenous supplies, of level 0 only
        ("exogenous_supply_price", np.float64),  # their unit price; 0 where there are none
        ("exogenous_sales", np.int64),  # today's exogenous sales, of the last level only
        ("exogenous_sales_price", np.float64),
        ("total_supply", np.int64),  # today's exogenous supplies of all factories together (public)
        ("total_demand", np.int64),  # today's exogenous sales of all factories together (public)
        ("production_cost", np.float64),  # per item produced
        ("shortfall_penalty", np.float64),  # today's, as a fraction of the output product's trading price
        ("storage_cost", np.float64),  # today's, as a fraction of the input product's trading price
        ("input_price", np.float64),  # trading price of the input product at the start of the day
        ("output_price", np.float64),  # trading price of the output product at the start of the day
        ("balance", np.float64),  # at the start of the day
        ("initial_balance", np.float64),
        ("min_quantity", np.int64),  # the ranges that today's offers must keep to
        ("max_quantity", np.int64),
        ("last_day", np.int64),  # the last delivery day; the first one is today
        ("min_input_price", np.int64),  # of offers to and from suppliers; 0 where there are none
        ("max_input_price", np.int64),
        ("min_output_price", np.int64),  # of offers to and from consumers; 0 where there are none
        ("max_output_price", np.int64),
        # the books: what was agreed, today's agreements included, by days from today; exogenous contracts are not in
        # them, and contracts that were nullified because a partner went bankrupt stay in them, as in the league
        ("supplies", np.int64, (BOOK_DAYS,)),
        ("supplies_cost", np.int64, (BOOK_DAYS,)),  # money, of all items together
        ("sales", np.int64, (BOOK_DAYS,)),
        ("sales_revenue", np.int64, (BOOK_DAYS,)),  # money, of all items together
        ("partners", PARTNER_DTYPE, (MAX_PARTNERS,)),
    ],
    align=True,
)

HIDDEN_DTYPE = np.dtype(
    [
        ("exists", np.int64),
        ("level", np.int64),
        ("bankrupt", np.int64),
        ("stock", np.int64),
        ("exogenous_supply", np.int64),
        ("exogenous_supply_price", np.float64),
        ("exogenous_sales", np.int64),
        ("exogenous_sales_price", np.float64),
        ("production_cost", np.float64),
        ("shortfall_penalty", np.float64),
        ("storage_cost", np.float64),
        ("balance", np.float64),
        ("initial_balance", np.float64),
        ("supplies", np.int64, (BOOK_DAYS,)),
        ("sales", np.int64, (BOOK_DAYS,)),
    ],
    align=True,
)
"""The hidden state of one factory; full observability (the MDP) adds an array of ``MAX_FACTORIES`` of them."""

ACTION_DTYPE = np.dtype([(name, np.int64) for name in ("response", "quantity", "day", "price")], align=True)

StandardView: TypeAlias = np.void
"""One record of ``VIEW_DTYPE`` (an element of a structured array)."""

ActionArray: TypeAlias = np.ndarray
"""Structured array of ``ACTION_DTYPE``, shape ``(MAX_PARTNERS,)``: the answer to each partner."""


def new_view() -> StandardView:
    """An empty view; the record is mutable and owned by the caller."""
    return np.zeros((1,), dtype=VIEW_DTYPE)[0]


def new_actions() -> ActionArray:
    """An action array of no-ops, shape ``(MAX_PARTNERS,)``."""
    return np.zeros(MAX_PARTNERS, dtype=ACTION_DTYPE)


@jittable
def is_consumer(k: int) -> bool:
    """Whether a partner index is a consumer's, who is sold to; else it is a supplier's."""
    return k >= MAX_PER_LEVEL
