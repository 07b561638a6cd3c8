"""Best subset: take the offers whose total comes nearest to the needs once that is near enough, else share needs out.

The family of scml's ``SyncRandomOneShotAgent`` and ``EqualDistOneShotAgent`` (scml/oneshot/agents/rand.py), the
strongest of its built-in agents. Where they break ties by chance, this one looks at what the choices cost.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.oneshot.strategies.base import Strategy
from scml_gym.oneshot.strategies.market import accept, draw_integer, end, offer, price_at, price_gain, split
from scml_gym.oneshot.view import MAX_PARTNERS, SELLER, ActionArray, FactoryView

PARAMETERS = {
    "tolerance": 0.3,  # accepted mismatch between needs and offers at the deadline, as a fraction of the lines
    "tolerance_exponent": 4.0,  # it grows with relative time to this power
    "excess": 0.2,  # items asked for beyond the needs in a first offer, as a fraction of them
    "excess_exponent": 0.4,  # it falls to 0 with relative time to this power
    "even": 0.0,  # 1: equal shares for all partners; 0: random ones
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)

PRICE_DRAW = 40
"""The draw that chooses the price of counter-offers."""


@jittable
def earliest_time(view: FactoryView) -> float:
    """The least relative time, in (0, 1], of the negotiations that ask for an answer."""
    time = 1.0
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0:
            time = min(time, view["partners"][k]["relative_time"])
    return time


@jittable
def find_subset(view: FactoryView) -> tuple[int, int]:
    """The set of standing offers whose total quantity is nearest to the needs.

    Among equally near ones those that err to the cheap side come first (a seller rather sells too few, a buyer rather
    buys too many: the other way the shortfall penalty is due), and among these the ones with the better prices.

    Returns:
        The set as a bit mask over partners, and its mismatch in items. The empty set is one of them.
    """
    partners, quantities = scratch_integers(MAX_PARTNERS), scratch_integers(MAX_PARTNERS)
    values = scratch_floats(MAX_PARTNERS)
    n = 0
    for k in range(view["n_partners"]):
        offered = view["partners"][k]["offer_quantity"]
        if view["partners"][k]["my_turn"] != 0 and offered > 0:
            partners[n], quantities[n] = k, offered
            values[n] = offered * price_gain(view, view["partners"][k]["offer_price"])
            n += 1
    needs = view["needs"]
    safe_sign = -1 if view["level"] == SELLER else 1
    mask, total, gain = 0, 0, 0.0
    best_mask, best_gain = 0, 0.0
    best_miss = subset_miss(-needs, safe_sign)
    for i in range(1, 1 << n):
        bit = 0  # the one that changes in step i of a Gray code, so that each set differs from the last by one offer
        while not (i >> bit) & 1:
            bit += 1
        k = partners[bit]
        mask ^= 1 << k
        if (mask >> k) & 1:
            total += quantities[bit]
            gain += values[bit]
        else:
            total -= quantities[bit]
            gain -= values[bit]
        miss = subset_miss(total - needs, safe_sign)
        if miss < best_miss or (miss == best_miss and gain > best_gain + 1e-9):
            best_mask, best_miss, best_gain = mask, miss, gain
    return best_mask, best_miss // 2


@jittable
def subset_miss(surplus: int, safe_sign: int) -> int:
    """Twice the distance of a total from the needs, and one more where it lies on the costly side of them."""
    return 2 * abs(surplus) + (1 if surplus * safe_sign < 0 else 0)


@jittable
def decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Accept the best subset if it is near enough, and end the rest; else divide the needs among all partners."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    n = view["n_partners"]
    needs = view["needs"]
    time = earliest_time(view)
    opening = True
    for k in range(n):
        if view["partners"][k]["my_turn"] != 0 and view["partners"][k]["offer_quantity"] > 0:
            opening = False
    if needs > 0 and not opening:
        mask, mismatch = find_subset(view)
        if mismatch <= parameters["tolerance"] * view["lines"] * time ** parameters["tolerance_exponent"]:
            for k in range(n):
                if view["partners"][k]["my_turn"] != 0:
                    if (mask >> k) & 1:
                        accept(actions, k)
                    else:
                        end(actions, k)
            return
    shares = scratch_integers(MAX_PARTNERS)
    price = price_at(view, 1.0)
    if opening:
        time = 0.0
    else:
        price = draw_integer(draws[PRICE_DRAW], view["min_price"], view["max_price"])
    excess = parameters["excess"] * (1.0 - time ** parameters["excess_exponent"])
    if needs > 0:
        split(view, int(needs * (1.0 + excess)), parameters["even"] != 0.0, draws, shares)
    for k in range(n):
        if view["partners"][k]["my_turn"] != 0:
            if shares[k] > 0:
                offer(actions, k, shares[k], price)
            else:
                end(actions, k)


BEST_SUBSET_RANDOM = Strategy(
    "best-subset-random",
    decide,
    PARAMETERS,
    summary="nearest set of offers, tolerance grows with time; random shares (as SyncRandomOneShotAgent)",
    n_draws=PRICE_DRAW + 1,
)
BEST_SUBSET_EVEN = Strategy(
    "best-subset-even",
    decide,
    PARAMETERS | {"even": 1.0},
    summary="nearest set of offers, tolerance grows with time; equal shares (as EqualDistOneShotAgent)",
    n_draws=PRICE_DRAW + 1,
)
