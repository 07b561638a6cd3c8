"""The numbers of an observation, computed from a view: functions that compiled worlds call too.

Every function writes float32 numbers into ``out``, clipped to the ranges of
`scml_gym.standard.observations.features`, which also say what each number means. A ratio whose denominator is 0, as in
a view that was never filled, counts as 0.
"""

from __future__ import annotations

import numpy as np

from scml_gym.game.features import bounds, clip, ratio
from scml_gym.game.kernels import push_history
from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.standard.observations.features import (
    DAY_FEATURES,
    FACTORY_FEATURES,
    FIRST_HISTORY_FEATURE,
    OTHER_FEATURES,
    PARTNER_FEATURES,
)
from scml_gym.standard.rules import needed_sales, prices_with, spare_inputs
from scml_gym.standard.view import (
    BOOK_DAYS,
    MAX_LEVELS,
    MAX_PARTNERS,
    MAX_PER_LEVEL,
    MOST_HORIZON,
    StandardView,
    is_consumer,
)

N_FACTORY, N_PARTNER, N_DAY = len(FACTORY_FEATURES), len(PARTNER_FEATURES), len(DAY_FEATURES)
N_OTHER = len(OTHER_FEATURES)
FACTORY_LOW, FACTORY_HIGH = bounds(FACTORY_FEATURES)
PARTNER_LOW, PARTNER_HIGH = bounds(PARTNER_FEATURES)
DAY_LOW, DAY_HIGH = bounds(DAY_FEATURES)
OTHER_LOW, OTHER_HIGH = bounds(OTHER_FEATURES)


@jittable
def encode_factory(view: StandardView, out: np.ndarray) -> None:
    """The factory's own features, shape ``(25,)``."""
    lines, output_price = view["lines"], view["output_price"]
    first, last = view["level"] == 0, view["level"] == view["n_levels"] - 1
    capacity = lines * (view["n_competitors"] + 1)
    out[0] = ratio(view["day"], view["n_days"])
    out[1] = (view["n_days"] - view["day"]) / BOOK_DAYS
    out[2] = 1.0 if first else 0.0
    out[3] = 1.0 if last else 0.0
    out[4] = ratio(view["level"], view["n_levels"] - 1)
    out[5] = view["n_levels"] / MAX_LEVELS
    out[6] = ratio(view["stock"], lines)
    out[7] = ratio(view["exogenous_supply"], lines)
    out[8] = ratio(view["exogenous_supply_price"], view["input_price"])
    out[9] = ratio(view["exogenous_sales"], lines)
    out[10] = ratio(view["exogenous_sales_price"], output_price)
    out[11] = ratio(needed_sales(view), lines)
    out[12] = ratio(view["total_supply"], capacity)
    out[13] = ratio(view["total_demand"], capacity)
    out[14] = ratio(view["input_price"], output_price)
    out[15] = ratio(view["production_cost"], output_price)
    out[16] = view["shortfall_penalty"]
    out[17] = view["storage_cost"]
    out[18] = ratio(view["max_input_price"] - view["min_input_price"], view["max_input_price"])
    out[19] = ratio(view["max_output_price"] - view["min_output_price"], view["max_output_price"])
    out[20] = ratio(view["balance"], view["initial_balance"])
    out[21] = view["n_suppliers"] / MAX_PER_LEVEL
    out[22] = view["n_consumers"] / MAX_PER_LEVEL
    out[23] = (view["n_competitors"] + 1) / MAX_PER_LEVEL
    out[24] = (view["last_day"] - view["day"]) / MOST_HORIZON
    clip(out, FACTORY_LOW, FACTORY_HIGH)


@jittable
def encode_offer(view: StandardView, k: int, quantity: int, day: int, price: int, out: np.ndarray) -> None:
    """An offer to or of partner ``k``, shape ``(3,)``; zeros where there is none."""
    if quantity <= 0:
        out[:] = 0.0
        return
    low, high = prices_with(view, k)
    out[0] = ratio(quantity, view["lines"])
    out[1] = (day - view["day"]) / MOST_HORIZON
    out[2] = (price - low) / max(1, high - low)


@jittable
def encode_partner(view: StandardView, k: int, out: np.ndarray) -> None:
    """The features of partner ``k``, shape ``(14,)``."""
    partner = view["partners"][k]
    out[0] = partner["exists"]
    out[1] = partner["running"]
    out[2] = partner["my_turn"]
    out[3] = 1.0 if is_consumer(k) else 0.0
    out[4] = partner["relative_time"]
    encode_offer(view, k, partner["offer_quantity"], partner["offer_day"], partner["offer_price"], out[5:8])
    encode_offer(view, k, partner["my_quantity"], partner["my_day"], partner["my_price"], out[8:11])
    encode_offer(view, k, partner["agreed_quantity"], partner["agreed_day"], partner["agreed_price"], out[11:])
    clip(out, PARTNER_LOW, PARTNER_HIGH)


@jittable
def encode_partners(view: StandardView, out: np.ndarray) -> None:
    """The features of all partners, shape ``(16, 14)``."""
    for k in range(MAX_PARTNERS):
        encode_partner(view, k, out[k])


@jittable
def encode_days(view: StandardView, out: np.ndarray) -> None:
    """The features of the delivery days from today on, shape ``(11, 7)``."""
    spare, lines = scratch_integers(BOOK_DAYS), view["lines"]
    spare_inputs(view, view["supplies"], view["sales"], spare)
    for ahead in range(BOOK_DAYS):
        row, supplies, sales = out[ahead], view["supplies"][ahead], view["sales"][ahead]
        exogenous = view["exogenous_sales"] if ahead == 0 else 0
        row[0] = 1.0 if ahead <= view["last_day"] - view["day"] else 0.0
        row[1] = ratio(supplies, lines)
        row[2] = ratio(ratio(view["supplies_cost"][ahead], supplies), view["input_price"])
        row[3] = ratio(sales, lines)
        row[4] = ratio(ratio(view["sales_revenue"][ahead], sales), view["output_price"])
        row[5] = ratio(spare[ahead], lines)
        row[6] = ratio(lines - sales - exogenous, lines)
        clip(row, DAY_LOW, DAY_HIGH)


@jittable
def encode_others(view: StandardView, hidden_state: np.ndarray, out: np.ndarray) -> None:
    """The hidden state of all factories (``HIDDEN_DTYPE``, shape ``(32,)``), shape ``(32, 34)``."""
    lines, price = view["lines"], view["output_price"]
    for i in range(len(hidden_state)):
        row, other = out[i], hidden_state[i]
        row[:] = 0.0
        if other["exists"] == 0:
            continue
        row[0] = 1.0
        row[1] = other["level"] / (MAX_LEVELS - 1)
        row[2] = other["bankrupt"]
        row[3] = ratio(other["stock"], lines)
        row[4] = ratio(other["exogenous_supply"], lines)
        row[5] = ratio(other["exogenous_supply_price"], price)
        row[6] = ratio(other["exogenous_sales"], lines)
        row[7] = ratio(other["exogenous_sales_price"], price)
        row[8] = ratio(other["production_cost"], price)
        row[9] = other["shortfall_penalty"]
        row[10] = other["storage_cost"]
        row[11] = ratio(other["balance"], other["initial_balance"])
        for ahead in range(BOOK_DAYS):
            row[12 + ahead] = ratio(other["supplies"][ahead], lines)
            row[12 + BOOK_DAYS + ahead] = ratio(other["sales"][ahead], lines)
        clip(row, OTHER_LOW, OTHER_HIGH)


@jittable
def encode_joint(view: StandardView, hidden_state: np.ndarray, offer_history: np.ndarray, out: np.ndarray) -> None:
    """A flat observation: the factory, partners, days, then other factories and the history where there are any.

    Args:
        view: What the factory sees.
        hidden_state: ``HIDDEN_DTYPE``, shape ``(32,)`` in full observability, else ``(0,)``.
        offer_history: float32, shape ``(history, 16, 6)``; see `push_history`.
        out: float32, shape ``(25 + 16 * 14 + 11 * 7 + 34 * len(hidden_state) + 96 * history,)``.
    """
    encode_factory(view, out[:N_FACTORY])
    end = N_FACTORY + MAX_PARTNERS * N_PARTNER
    partners = out[N_FACTORY:end].reshape((MAX_PARTNERS, N_PARTNER))
    encode_partners(view, partners)
    start, end = end, end + BOOK_DAYS * N_DAY
    encode_days(view, out[start:end].reshape((BOOK_DAYS, N_DAY)))
    start, end = end, end + len(hidden_state) * N_OTHER
    encode_others(view, hidden_state, out[start:end].reshape((len(hidden_state), N_OTHER)))
    if len(offer_history) > 0:
        push_history(partners, FIRST_HISTORY_FEATURE, offer_history, out[end:].reshape(offer_history.shape))


@jittable
def encode_one_partner(view: StandardView, k: int, out: np.ndarray) -> None:
    """The factory's features, those of the days, and those of partner ``k``, shape ``(116,)``."""
    encode_factory(view, out[:N_FACTORY])
    end = N_FACTORY + BOOK_DAYS * N_DAY
    encode_days(view, out[N_FACTORY:end].reshape((BOOK_DAYS, N_DAY)))
    encode_partner(view, k, out[end:])


@jittable
def encode_entities(view: StandardView, out: np.ndarray) -> None:
    """A row for the factory, one for each partner and one for each day, float32, shape ``(28, 27)``.

    The first two columns are 1, 0 for the factory, 0, 0 for a partner and 0, 1 for a day; rows end in zeros where their
    features are fewer.
    """
    out[:] = 0.0
    out[0, 0] = 1.0
    encode_factory(view, out[0, 2 : 2 + N_FACTORY])
    for k in range(MAX_PARTNERS):
        encode_partner(view, k, out[1 + k, 2 : 2 + N_PARTNER])
    out[1 + MAX_PARTNERS :, 1] = 1.0
    encode_days(view, out[1 + MAX_PARTNERS :, 2 : 2 + N_DAY])
