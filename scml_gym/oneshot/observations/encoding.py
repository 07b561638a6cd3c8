"""The numbers of an observation, computed from a view: functions that compiled worlds call too.

Every function writes float32 numbers into ``out``, clipped to the ranges of `scml_gym.oneshot.observations.features`,
which also say what each number means. A ratio whose denominator is 0, as in a view that was never filled, counts as 0.
"""

from __future__ import annotations

import numpy as np

from scml_gym.game.features import bounds, clip, ratio
from scml_gym.game.kernels import push_history
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.observations.features import (
    FACTORY_FEATURES,
    FIRST_HISTORY_FEATURE,
    OTHER_FEATURES,
    PARTNER_FEATURES,
)
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, FactoryView

N_FACTORY, N_PARTNER, N_OTHER = len(FACTORY_FEATURES), len(PARTNER_FEATURES), len(OTHER_FEATURES)
N_ENTITIES = 1 + MAX_PARTNERS
N_ENTITY = 1 + max(N_FACTORY, N_PARTNER)
FACTORY_LOW, FACTORY_HIGH = bounds(FACTORY_FEATURES)
PARTNER_LOW, PARTNER_HIGH = bounds(PARTNER_FEATURES)
OTHER_LOW, OTHER_HIGH = bounds(OTHER_FEATURES)


@jittable
def unit_margin(view: FactoryView, price: float) -> float:
    """Profit in money of trading one needed item at that price (the seller buys it, the buyer sells it outside)."""
    gain = view["exogenous_price"] - price if view["level"] == BUYER else price - view["exogenous_price"]
    return gain - view["production_cost"]


@jittable
def encode_factory(view: FactoryView, out: np.ndarray) -> None:
    """The factory's own features, shape ``(15,)``."""
    buyer = view["level"] == BUYER
    lines, high = view["lines"], view["max_price"]
    best, worst = (view["min_price"], view["max_price"]) if buyer else (view["max_price"], view["min_price"])
    outside_price = view["output_price"] if buyer else view["input_price"]
    factories = max(view["n_partners"], view["n_competitors"] + 1)
    out[0] = ratio(view["day"], view["n_days"])
    out[1] = 1.0 if buyer else 0.0
    out[2] = ratio(view["needs"], lines)
    out[3] = ratio(view["agreed_quantity"], lines)
    out[4] = ratio(view["exogenous_quantity"], lines)
    out[5] = ratio(view["exogenous_price"], outside_price)
    out[6] = ratio(unit_margin(view, best), high)
    out[7] = ratio(unit_margin(view, worst), high)
    out[8] = ratio(view["production_cost"], view["output_price"])
    out[9] = view["shortfall_penalty"]
    out[10] = view["disposal_cost"]
    out[11] = ratio(view["balance"], view["initial_balance"])
    out[12] = ratio(view["total_demand"] - view["total_supply"], lines * factories)
    out[13] = view["n_partners"] / MAX_PARTNERS
    out[14] = (view["n_competitors"] + 1) / MAX_PARTNERS
    clip(out, FACTORY_LOW, FACTORY_HIGH)


@jittable
def price_position(view: FactoryView, quantity: int, price: int) -> float:
    """The position of an offer's price in today's range, 0 for its lowest; 0 where there is no offer."""
    if quantity <= 0:
        return 0.0
    return (price - view["min_price"]) / max(1, view["max_price"] - view["min_price"])


@jittable
def encode_partner(view: FactoryView, k: int, out: np.ndarray) -> None:
    """The features of partner ``k``, shape ``(10,)``."""
    partner = view["partners"][k]
    most = view["max_quantity"]
    out[0] = partner["exists"]
    out[1] = partner["running"]
    out[2] = partner["my_turn"]
    out[3] = partner["relative_time"]
    out[4] = ratio(partner["offer_quantity"], most)
    out[5] = price_position(view, partner["offer_quantity"], partner["offer_price"])
    out[6] = ratio(partner["my_quantity"], most)
    out[7] = price_position(view, partner["my_quantity"], partner["my_price"])
    out[8] = ratio(partner["agreed_quantity"], most)
    out[9] = price_position(view, partner["agreed_quantity"], partner["agreed_price"])
    clip(out, PARTNER_LOW, PARTNER_HIGH)


@jittable
def encode_partners(view: FactoryView, out: np.ndarray) -> None:
    """The features of all partners, shape ``(8, 10)``."""
    for k in range(MAX_PARTNERS):
        encode_partner(view, k, out[k])


@jittable
def encode_others(view: FactoryView, hidden_state: np.ndarray, out: np.ndarray) -> None:
    """The hidden state of all factories (``HIDDEN_DTYPE``, shape ``(16,)``), shape ``(16, 10)``."""
    for i in range(len(hidden_state)):
        row = out[i]
        row[:] = 0.0
        if hidden_state[i]["exists"] == 0:
            continue
        other = hidden_state[i]
        row[0] = 1.0
        row[1] = 1.0 if other["level"] == BUYER else 0.0
        row[2] = other["bankrupt"]
        row[3] = ratio(other["needs"], view["lines"])
        row[4] = ratio(other["exogenous_quantity"], view["lines"])
        row[5] = ratio(other["exogenous_price"], view["max_price"])
        row[6] = ratio(other["production_cost"], view["output_price"])
        row[7] = other["shortfall_penalty"]
        row[8] = other["disposal_cost"]
        row[9] = other["balance"] / max(other["initial_balance"], 1.0)
        clip(row, OTHER_LOW, OTHER_HIGH)


@jittable
def encode_joint(view: FactoryView, hidden_state: np.ndarray, offer_history: np.ndarray, out: np.ndarray) -> None:
    """A flat observation: the factory, the partners, then the other factories and the history where there are any.

    Args:
        view: What the factory sees.
        hidden_state: ``HIDDEN_DTYPE``, shape ``(16,)`` in full observability, else ``(0,)``.
        offer_history: float32, shape ``(history, 8, 4)``; see `push_history`.
        out: float32, shape ``(15 + 80 + 10 * len(hidden_state) + 32 * history,)``.
    """
    encode_factory(view, out[:N_FACTORY])
    end = N_FACTORY + MAX_PARTNERS * N_PARTNER
    partners = out[N_FACTORY:end].reshape((MAX_PARTNERS, N_PARTNER))
    encode_partners(view, partners)
    start, end = end, end + len(hidden_state) * N_OTHER
    encode_others(view, hidden_state, out[start:end].reshape((len(hidden_state), N_OTHER)))
    if len(offer_history) > 0:
        push_history(partners, FIRST_HISTORY_FEATURE, offer_history, out[end:].reshape(offer_history.shape))


@jittable
def encode_waits(view: FactoryView, k: int) -> float:
    """How often in a row partner ``k`` was let wait, of how often it may be."""
    return min(ratio(view["partners"][k]["waits"], view["most_waits"]), 1.0)


@jittable
def encode_asked(view: FactoryView, hidden_state: np.ndarray, offer_history: np.ndarray, out: np.ndarray) -> None:
    """Where negotiations are answered one by one: how often each partner was let wait, then as `encode_joint`."""
    for k in range(MAX_PARTNERS):
        out[k] = encode_waits(view, k)
    encode_joint(view, hidden_state, offer_history, out[MAX_PARTNERS:])


@jittable
def encode_one_partner(view: FactoryView, k: int, out: np.ndarray) -> None:
    """The factory's features and those of partner ``k``, shape ``(25,)``."""
    encode_factory(view, out[:N_FACTORY])
    encode_partner(view, k, out[N_FACTORY:])


@jittable
def encode_entities(view: FactoryView, out: np.ndarray) -> None:
    """A row for the factory and one for each partner, float32, shape ``(9, 16)``.

    The first column is 1 for the factory and 0 for a partner; rows end in zeros where their features are fewer.
    """
    out[:] = 0.0
    out[0, 0] = 1.0
    encode_factory(view, out[0, 1 : 1 + N_FACTORY])
    for k in range(MAX_PARTNERS):
        encode_partner(view, k, out[1 + k, 1 : 1 + N_PARTNER])


@jittable
def encode_asked_entities(view: FactoryView, out: np.ndarray) -> None:
    """`encode_entities` with one more column of a partner: how often it was let wait."""
    encode_entities(view, out)
    for k in range(MAX_PARTNERS):
        out[1 + k, 1 + N_PARTNER] = encode_waits(view, k)
