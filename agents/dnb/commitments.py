"""Commitments and exposure: what is agreed, what is under offer, how much may be offered (thesis, 4.6 and 5.1.3).

What is committed is the view's: what is agreed today is off its needs at once. All of it is a day's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scml_gym.agents.dnb.records import Memory
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import PARTNER_DTYPE, FactoryView


@jittable
def exposure(view: FactoryView, memory: Memory) -> tuple[float, float, int]:
    """Items of my offers that have no answer yet: expected, expected at the lower bounds, and in all."""
    expected, conservative, items = 0.0, 0.0, 0
    for k in range(view["n_partners"]):
        partner = memory["partners"][k]
        if partner["pending"] != 0:
            expected += partner["quantity"] * partner["mean"]
            conservative += partner["quantity"] * partner["bound"]
            items += partner["quantity"]
    return expected, conservative, items


@jittable
def open_budget(view: FactoryView, side: np.void, memory: Memory) -> None:
    """Set the day's budget from the needs at its first decision; infinite where there is no limit."""
    memory["budget"] = math.inf
    if side["budget_factor"] < math.inf:
        memory["budget"] = math.ceil(side["budget_factor"] * max(view["needs"], 0)) + side["budget_extra"]


@jittable
def budget_left(view: FactoryView, memory: Memory, under_offer: int) -> float:
    """Items that may still be offered."""
    return max(memory["budget"] - view["agreed_quantity"] - under_offer, 0.0)


@jittable
def acceptance_cap(side: np.void, needs: int) -> float:
    """Items that may be accepted at once."""
    return math.ceil(side["cap_factor"] * needs) + side["cap_extra"]


def breach_provider(partner_dtype: np.dtype) -> Any:
    """``(view, k) -> chance that partner k fulfils its contracts``, from what a view tells of a partner.

    Args:
        partner_dtype: Of a view's partners: a field ``breach_probability``, else ``breach_level``, is used. Those of
            OneShot have neither, as its world tells nobody; the chance is 1 then.
    """
    for field in ("breach_probability", "breach_level"):
        if field in (partner_dtype.names or ()):
            return _provider_from(field)
    return always_fulfils


def _provider_from(field: str) -> Any:
    @jittable
    def fulfils(view: FactoryView, k: int) -> float:
        return 1.0 - view["partners"][k][field]

    return fulfils


@jittable
def always_fulfils(view: FactoryView, k: int) -> float:
    """The chance where nothing is known of breaches."""
    return 1.0


_fulfils = breach_provider(PARTNER_DTYPE)


@jittable
def fulfilment(view: FactoryView, side: np.void, k: int) -> float:
    """The part of partner ``k``'s items that is counted on: 1 unless breaches are to be discounted."""
    return _fulfils(view, k) if side["breach_discount"] != 0.0 else 1.0
