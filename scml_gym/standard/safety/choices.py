"""What masks ask: which standing offers may be accepted, and how much may be traded for each day."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.once import jittable_once
from scml_gym.standard.safety.limits import TRIED, fill_limits, put, put_standing
from scml_gym.standard.safety.rolling import (
    CERTAIN,
    CONTRACT_NUMBERS,
    NONE,
    OUTLOOK_ITEMS,
    OUTLOOK_MONEY,
    contracts_in,
    harm,
    outlook_in,
    roll,
)
from scml_gym.standard.view import MAX_PARTNERS, StandardView, is_consumer


@jittable_once
def write_safe_choices(view: StandardView, bound: int, accepts: np.ndarray, limits: np.ndarray) -> None:
    """Write what is safe by itself in the worst case of the offers that partners still think about.

    Args:
        view: What the factory sees.
        bound: ``COVERED`` or ``POSSIBLE``.
        accepts: int64 ``(MAX_PARTNERS,)``: whether a partner's standing offer may be accepted.
        limits: int64 ``(BOTH_BOOKS,)``: the most items that one more contract may be about, by side and days from
            today, at the worst price of today.
    """
    contracts = contracts_in(scratch_integers(CONTRACT_NUMBERS))
    before = outlook_in(scratch_integers(OUTLOOK_ITEMS), scratch_floats(OUTLOOK_MONEY))
    prices = scratch_integers(2)
    prices[0], prices[1] = view["max_input_price"], view["min_output_price"]
    put_standing(view, contracts)
    roll(view, bound, 1.0, contracts, before)
    for k in range(MAX_PARTNERS):
        partner = view["partners"][k]
        accepts[k] = 0
        if partner["my_turn"] != 0 and partner["offer_quantity"] > 0:
            ahead = partner["offer_day"] - view["day"]
            put(
                contracts, TRIED, CERTAIN, int(is_consumer(k)), ahead, partner["offer_quantity"], partner["offer_price"]
            )
            accepts[k] = harm(view, bound, 1.0, contracts, before, ahead)[0] < 0
            contracts.kind[TRIED] = NONE
    fill_limits(view, bound, 1.0, CERTAIN, prices, contracts, before, limits)
