"""The view of the learner's side of a bilateral negotiation: a NumPy record, the same in both worlds.

Outcomes are indices into the scenario's tables; `scml_gym.bilateral.negotiators.base.NO_OFFER` stands for none.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from scml_gym.bilateral.negotiators.base import NO_OFFER
from scml_gym.jit.compile import jittable

ACCEPT, END = -2, -3
"""Responses besides the index of an outcome to be offered: accept the standing offer; end the negotiation."""

LEARNER, OPPONENT, NOBODY = 0, 1, 2
"""The sides, and who accepted where there is no agreement."""

ACCEPTED_BY = np.array(["learner", "opponent", "nobody"])
"""Their names in an environment's ``info``."""

WINDOW = 10
"""Offers received that the mean of equation (4-c) is taken over."""

VIEW_DTYPE = np.dtype(
    [
        ("n_outcomes", np.int64),
        ("n_steps", np.int64),  # rounds of the negotiation
        ("opponent_first", np.int64),
        ("step", np.int64),  # the round that is played, from 0; at the end the last one
        ("running", np.int64),
        ("offer", np.int64),  # the opponent's last offer
        ("offer_utility", np.float64),  # to the learner; 0 without an offer
        ("mine", np.int64),  # the learner's last offer
        ("my_utility", np.float64),
        ("bid", np.int64),  # prepared by the learner's bidding strategy, where it has one
        ("n_received", np.int64),  # offers of the opponent
        ("received", np.float64, (WINDOW,)),  # utilities of the last ones, in a ring
        ("agreement", np.int64),
        ("accepted_by", np.int64),
        ("utility", np.float64),  # of the agreement to the learner; 0 without one
        ("opponent_utility", np.float64),
    ],
    align=True,
)
"""All that one side sees, and how the negotiation ended."""

BilateralView: TypeAlias = Any
"""One record of ``VIEW_DTYPE``; a live one changes with its world."""


@jittable
def open_view(view: BilateralView) -> None:
    """Before the first move."""
    view["step"] = 0
    view["running"] = 1
    view["offer"] = NO_OFFER
    view["offer_utility"] = 0.0
    view["mine"] = NO_OFFER
    view["my_utility"] = 0.0
    view["bid"] = NO_OFFER
    view["n_received"] = 0
    view["agreement"] = NO_OFFER
    view["accepted_by"] = NOBODY
    view["utility"] = 0.0
    view["opponent_utility"] = 0.0


@jittable
def see_offer(view: BilateralView, offer: int, utility: float) -> None:
    """The opponent has made an offer, of that utility to the learner."""
    view["offer"] = offer
    view["offer_utility"] = utility
    view["received"][view["n_received"] % WINDOW] = utility
    view["n_received"] += 1


@jittable
def mean_received(view: BilateralView) -> float:
    """Mean utility of the last ten offers received, or of all where there are fewer; 0 before the first."""
    n = min(view["n_received"], WINDOW)
    total = 0.0
    for i in range(n):
        total += view["received"][i]
    return total / max(n, 1)


@jittable
def close_view(view: BilateralView, agreement: int, accepted_by: int, utility: float, opponent_utility: float) -> None:
    """The negotiation has ended; utilities are 0 without an agreement."""
    view["running"] = 0
    view["agreement"] = agreement
    view["accepted_by"] = accepted_by
    view["utility"] = utility
    view["opponent_utility"] = opponent_utility
