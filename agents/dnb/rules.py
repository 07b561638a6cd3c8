"""The hyperparameters of D-NB's planner and calibration, and the arrays that its functions read."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from scml_gym.agents.dnb.bou import CALIBRATION_DTYPE
from scml_gym.core.config import Config
from scml_gym.jit.parameters import count_parameters, parameters_dtype
from scml_gym.oneshot.view import BUYER, SELLER

SIDE_DTYPE = parameters_dtype(
    (
        "budget_factor",
        "budget_extra",
        "cap_factor",
        "cap_extra",
        "most_items",
        "penalty_price",
        "concession",
        "price_by_value",
        "patience",
        "reach",
        "risk",
        "hold",
        "exposure",
        "fallback",
        "breach_discount",
    )
)
"""A side's rules, see `Side`."""

N_SIDE = count_parameters(SIDE_DTYPE)

N_RULES = 2 * N_SIDE + count_parameters(CALIBRATION_DTYPE)
"""Numbers of a complete set of rules: a seller's, a buyer's, the calibration's."""


class Side(Config):
    """How a seller or a buyer plans.

    Attributes:
        budget_factor: Items under offer at one time are at most ``ceil(budget_factor x needs) + budget_extra`` with
            what is agreed, where the needs are those at the day's first offers; None for no limit. An offer that was
            answered gives its items back.
        budget_extra: See there.
        cap_factor: Accepted at once are at most ``ceil(cap_factor x needs) + cap_extra`` items.
        cap_extra: See there.
        most_items: Largest quantity of an offer.
        penalty_price: First offers are made at the bad price where the shortfall penalty of an item is more than this
            many times the disposal cost of one; None for never.
        concession: Exponent of the relative time in the concession from the good price to the bad one.
        price: ``curve`` for prices by the concession, ``value`` for the price of most expected value.
        patience: Chance, at a day's start, that an item left open is traded later in the day; falls to 0 with time.
        reach: Of what offers to the others can be expected to bring, the part counted on where a set is chosen.
        risk: Weight of the risk penalty: what offers are expected to bring beyond their lower bounds, in money.
        hold: Early in the day, a set that leaves items open is taken only where it is worth this part of what those
            items would bring more than none; falls to 0 with time. 0 for any set that is worth more.
        exposure: Whether offers without an answer reduce what is left to be traded.
        fallback: Items of the offer to a partner for which the plan has none while some are needed; 0 ends with it.
        breach_discount: Whether accepted and offered items count by the partner's chance of fulfilling its contracts.
    """

    budget_factor: float | None = Field(ge=0)
    budget_extra: float = Field(ge=0)
    cap_factor: float = Field(ge=0)
    cap_extra: float = Field(ge=0)
    most_items: int = Field(ge=1)
    penalty_price: float | None = Field(ge=0)
    concession: float = Field(ge=0)
    price: Literal["curve", "value"]
    patience: float = Field(ge=0, le=1)
    reach: float = Field(ge=0)
    risk: float = Field(ge=0)
    hold: float = Field(ge=0)
    exposure: bool
    fallback: int = Field(ge=0)
    breach_discount: bool

    def numbers(self) -> list[float]:
        """In the order of ``SIDE_DTYPE``."""
        return [
            np.inf if self.budget_factor is None else self.budget_factor,
            self.budget_extra,
            self.cap_factor,
            self.cap_extra,
            self.most_items,
            np.inf if self.penalty_price is None else self.penalty_price,
            self.concession,
            self.price == "value",
            self.patience,
            self.reach,
            self.risk,
            self.hold,
            self.exposure,
            self.fallback,
            self.breach_discount,
        ]


class Calibration(Config):
    """How the model's estimates are moved by what opponents do; see `scml_gym.agents.dnb.bou`.

    Attributes:
        update: Whether they are.
        strength: Observations that an estimate counts for; None for what the model says.
        delta: Probability below the lower confidence bound.
        terminal: Weight, beside a rejection's 1, of an offer that was left without an answer; 0 for none.
        prior: ``first`` for a key's prior from its first use, as in the thesis, ``latest`` from the estimate of now.
        answered: Chance that an offer is answered at all, before anything is known of a partner; learnt in play by
            partner and round, and a factor of the chance of acceptance. 1, the thesis's, reckons with nobody leaving.
        count_on: ``bound`` to plan with the lower confidence bound, ``mean`` with the posterior mean.
    """

    update: bool
    strength: float | None = Field(ge=2)
    delta: float = Field(gt=0, lt=1)
    terminal: float = Field(ge=0, le=1)
    prior: Literal["first", "latest"]
    answered: float = Field(gt=0, le=1)
    count_on: Literal["bound", "mean"]

    def numbers(self, strength: float) -> list[float]:
        """In the order of ``CALIBRATION_DTYPE``; ``strength`` is the model's."""
        own = strength if self.strength is None else self.strength
        ways = [self.prior == "first", self.count_on == "bound"]
        return [own, self.delta, self.update, self.terminal, *ways, self.answered]


class Rules(Config):
    """Planner and calibration."""

    seller: Side
    buyer: Side
    calibration: Calibration

    def numbers(self, strength: float) -> np.ndarray:
        """Float64 ``(N_RULES,)``: by level, then the calibration's."""
        sides = {SELLER: self.seller, BUYER: self.buyer}
        parts = [sides[level].numbers() for level in sorted(sides)]
        return np.array([*parts[0], *parts[1], *self.calibration.numbers(strength)], dtype=np.float64)
