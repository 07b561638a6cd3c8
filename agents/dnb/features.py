"""What an acceptance model is told about an offer: numbers in three groups, made of one sample record.

The same functions make them of recorded samples and in play. Context and history are the same for all offers that a
decision considers to one partner, so they are made once; the offer's group again for each offer. All numbers lie
roughly in [-3, 3] without any statistics of the data. Groups as in the thesis (sections 3.3 and 5.2.3); what is beyond
its lists is the partner's expected need, and what its window of responses says about offers near to this one.
"""

from __future__ import annotations

import math

import numpy as np

from scml_gym.agents.dnb.bou import quantity_bucket, round_bucket
from scml_gym.agents.dnb.events import price_bin
from scml_gym.agents.dnb.records import (
    ME,
    OFFERED,
    PARTNER,
    PRICE_BINS,
    QUANTITY_BUCKETS,
    ROUND_BUCKETS,
    Sample,
)
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import BUYER

SCHEMA = "dnb-features-1"
"""Of the numbers below; a model trained on others is refused."""

LONGEST = 10
"""Quantities told apart; larger ones count as this (a OneShot factory has 10 lines)."""

CONTEXT_FEATURES = (
    "constant",
    "time",
    *(f"round_{i}" for i in range(ROUND_BUCKETS)),
    "need",
    "need_over",
    "need_of_exogenous",
    "exogenous",
    "partner_need",
    "market_balance",
    "min_price",
    "spread",
    "reference_price",
    "shortfall_penalty",
    "disposal_cost",
    "partners",
    "competitors",
    "day",
)

HISTORY_FEATURES = (
    "responses",
    "accepts",
    "accepts_weighted",
    "accepts_now",  # of first offers where this is one, else of later ones
    "accepts_recent",
    "last_accepted",
    "negotiations",
    "agreements",
    *(f"offers_{i}" for i in range(4)),  # mine before this one
    "events",
    "heard",  # offers of the partner today
    "standing",  # whether there is one
    "standing_quantity",
    "standing_price_bin",
    "standing_of_need",
    "standing_change",  # since its first offer
    "standing_price_change",
    "standing_repeated",
    "refused_quantity",  # of my last offer
    "refused_price_bin",
)

STANCES = 7
"""How an offer stands to the partner's: there is none; the same price bin and fewer, equal, more items; another bin and
fewer, equal, more."""

OFFER_FEATURES = (
    *(f"quantity_{i + 1}" for i in range(LONGEST)),
    "quantity",
    "quantity_of_partner_need",
    "quantity_over_partner_need",
    "quantity_over_need",
    "quantity_below_need",
    "price_position",
    "price_bin",
    "accepts_bin",  # how the window's responses to offers in this price bin differ from the others
    "accepts_near",  # likewise to offers near to this one
    "accepts_near_weighted",
    "accepted_above",  # accepted offers of the window with as many items or more
    "refused_below",  # refused ones with as many or fewer
    "accepted_mean",  # mean quantity accepted, less this one
    "standing_above",  # items above, and below, the partner's offer
    "standing_below",
    "change_up",  # since my last offer
    "change_down",
    "price_changed",
    "repeats",  # offers equal to this one, refused today
    "bin_accepts",
    "quantity_accepts",
    *(f"round_{i}_quantity_{j}" for i in range(ROUND_BUCKETS) for j in range(QUANTITY_BUCKETS)),
    *(f"bin_{i}_quantity_{j}" for i in range(PRICE_BINS) for j in range(QUANTITY_BUCKETS)),
    *(f"offers_{i}_quantity_{j}" for i in range(3) for j in range(QUANTITY_BUCKETS)),
    *(f"round_{i}_stance_{j}" for i in range(ROUND_BUCKETS) for j in range(STANCES)),
    *(f"bin_{i}_stance_{j}" for i in range(PRICE_BINS) for j in range(STANCES)),
)

FEATURES = (*CONTEXT_FEATURES, *HISTORY_FEATURES, *OFFER_FEATURES)
N_FEATURES = len(FEATURES)
HISTORY, OFFER = len(CONTEXT_FEATURES), len(CONTEXT_FEATURES) + len(HISTORY_FEATURES)
"""Where the groups begin."""

RATE, PARTNER_NEED, STANDING, STANDING_BIN, REFUSED, REFUSED_BIN = range(N_FEATURES, N_FEATURES + 6)
"""Notes behind the features, for the offer's group: the partner's rate of acceptance, expected need, standing quantity
(0: none) and price bin, and my last offer's."""

N_NUMBERS = N_FEATURES + 6
"""Length of the array that the functions below fill: features, then notes."""


@jittable
def logit(p: float) -> float:
    """The log odds of a probability."""
    return math.log(p / (1.0 - p))


@jittable
def context_features(sample: Sample, x: np.ndarray) -> None:
    """The context's group, into ``x``: float64 ``(N_NUMBERS,)``."""
    lines = max(sample["lines"], 1)
    needs, exogenous = sample["needs"], sample["exogenous_quantity"]
    buyer = sample["level"] == BUYER
    theirs = sample["total_supply"] if buyer else sample["total_demand"]
    ours = sample["total_demand"] if buyer else sample["total_supply"]
    reference = sample["input_price"] if buyer else sample["output_price"]
    low, high = sample["min_price"], sample["max_price"]
    partner_need = theirs / max(sample["n_partners"], 1)
    x[PARTNER_NEED] = partner_need
    x[0] = 1.0
    x[1] = sample["time"]
    for i in range(ROUND_BUCKETS):
        x[2 + i] = 0.0
    x[2 + round_bucket(sample["time"])] = 1.0
    i = 2 + ROUND_BUCKETS
    x[i] = min(max(needs / lines, 0.0), 2.0)
    x[i + 1] = 1.0 if needs <= 0 else 0.0
    x[i + 2] = min(max(needs / max(exogenous, 1), 0.0), 2.0)
    x[i + 3] = exogenous / lines
    x[i + 4] = min(partner_need / lines, 2.0)
    x[i + 5] = (theirs - ours) / max(theirs + ours, 1)
    x[i + 6] = min(low / 30.0, 3.0)
    x[i + 7] = min((high - low) / max(high, 1), 1.0)
    x[i + 8] = min(max((reference - low) / max(high - low, 1), -1.0), 2.0)
    x[i + 9] = min(sample["shortfall_penalty"], 3.0)
    x[i + 10] = min(sample["disposal_cost"], 3.0)
    x[i + 11] = sample["n_partners"] / 8.0
    x[i + 12] = sample["n_competitors"] / 8.0
    x[i + 13] = sample["day"] / max(sample["n_days"], 1)


@jittable
def history_features(sample: Sample, x: np.ndarray) -> None:
    """The group of the partner's window and of today's negotiation, into ``x``."""
    _window_features(sample, x)
    _negotiation_features(sample, x)


@jittable
def _window_features(sample: Sample, x: np.ndarray) -> None:
    n, first = sample["n_responses"], 1 if sample["n_offers"] == 0 else 0
    accepts, n_now, accepts_now, recent = 0, 0, 0, 0.0
    for i in range(n):
        response = sample["responses"][i]
        accepted = response["accepted"]
        accepts += accepted
        recent = 0.8 * recent + 0.2 * (accepted - 0.3)
        if response["first"] == first:
            n_now += 1
            accepts_now += accepted
    rate = (accepts + 0.9) / (n + 3.0)
    x[RATE] = rate
    i = HISTORY
    x[i] = n / (n + 8.0)
    x[i + 1] = logit(rate)
    x[i + 2] = x[i] * logit(rate)
    x[i + 3] = logit((accepts_now + 2.0 * rate) / (n_now + 2.0)) - logit(rate)
    x[i + 4] = 2.0 * recent
    x[i + 5] = sample["responses"][n - 1]["accepted"] - 0.5 if n > 0 else 0.0
    negotiations = sample["negotiations"]
    x[i + 6] = negotiations / (negotiations + 8.0)
    x[i + 7] = logit((min(sample["agreements"], negotiations) + 1.0) / (negotiations + 2.0))


@jittable
def _negotiation_features(sample: Sample, x: np.ndarray) -> None:
    heard, first_quantity, first_bin, repeated = 0, 0, 0, 0.0
    standing, standing_bin, refused, refused_bin = 0, 0, 0, 0
    for j in range(sample["n_events"]):
        event = sample["events"][j]
        if event["action"] == OFFERED and event["speaker"] == PARTNER:
            same = heard > 0 and event["quantity"] == standing and event["price_bin"] == standing_bin
            repeated = 1.0 if same else 0.0
            standing, standing_bin = event["quantity"], event["price_bin"]
            if heard == 0:
                first_quantity, first_bin = standing, standing_bin
            heard += 1
        elif event["action"] == OFFERED:
            refused, refused_bin = event["quantity"], event["price_bin"]
    x[STANDING], x[STANDING_BIN], x[REFUSED], x[REFUSED_BIN] = standing, standing_bin, refused, refused_bin
    i = HISTORY + 8
    for j in range(4):
        x[i + j] = 0.0
    x[i + min(sample["n_offers"], 3)] = 1.0
    x[i + 4] = sample["n_events"] / 8.0
    x[i + 5] = min(heard, 8) / 4.0
    x[i + 6] = 1.0 if heard > 0 else 0.0
    x[i + 7] = min(standing / LONGEST, 2.0)
    x[i + 8] = standing_bin
    x[i + 9] = min(standing / max(x[PARTNER_NEED], 1.0), 3.0)
    x[i + 10] = min(max((standing - first_quantity) / 5.0, -2.0), 2.0)
    x[i + 11] = standing_bin - first_bin
    x[i + 12] = repeated
    x[i + 13] = min(refused / LONGEST, 2.0)
    x[i + 14] = refused_bin


@jittable
def offer_features(sample: Sample, x: np.ndarray) -> None:
    """The offer's group, into ``x``, which holds the others."""
    quantity, needs = sample["quantity"], sample["needs"]
    low, high, price = sample["min_price"], sample["max_price"], sample["price"]
    in_bin = price_bin(price, low, high)
    for j in range(OFFER, N_FEATURES):
        x[j] = 0.0
    partner_need, rate = x[PARTNER_NEED], x[RATE]
    items = quantity / LONGEST
    i = OFFER
    x[i + min(max(quantity, 1), LONGEST) - 1] = 1.0
    i += LONGEST
    x[i] = min(items, 2.0)
    x[i + 1] = min(quantity / max(partner_need, 1.0), 3.0)
    x[i + 2] = min(max(quantity - partner_need, 0.0) / 5.0, 2.0)
    x[i + 3] = min(max(quantity - needs, 0) / 5.0, 2.0)
    x[i + 4] = min(max(needs - quantity, 0) / 5.0, 2.0)
    x[i + 5] = (price - low) / max(high - low, 1)
    x[i + 6] = in_bin
    _window_of_offer(sample, quantity, in_bin, x, i + 7)
    i += 13
    standing, refused = int(x[STANDING]), int(x[REFUSED])
    if standing > 0:
        x[i] = min(max(quantity - standing, 0) / 5.0, 2.0)
        x[i + 1] = min(max(standing - quantity, 0) / 5.0, 2.0)
    if sample["n_offers"] > 0 and refused > 0:
        x[i + 2] = min(max(quantity - refused, 0) / 5.0, 2.0)
        x[i + 3] = min(max(refused - quantity, 0) / 5.0, 2.0)
        x[i + 4] = in_bin - x[REFUSED_BIN]
        for j in range(sample["n_events"]):
            event = sample["events"][j]
            if event["speaker"] == ME and event["action"] == OFFERED:
                if event["quantity"] == quantity and event["price_bin"] == in_bin:
                    x[i + 5] += 0.5
    x[i + 6] = in_bin * logit(rate)
    x[i + 7] = min(items, 2.0) * logit(rate)
    i += 8
    bucket, coarse = round_bucket(sample["time"]), quantity_bucket(quantity)
    x[i + bucket * QUANTITY_BUCKETS + coarse] = 1.0
    i += ROUND_BUCKETS * QUANTITY_BUCKETS
    x[i + in_bin * QUANTITY_BUCKETS + coarse] = 1.0
    i += PRICE_BINS * QUANTITY_BUCKETS
    x[i + min(sample["n_offers"], 2) * QUANTITY_BUCKETS + coarse] = 1.0
    i += 3 * QUANTITY_BUCKETS
    stance = _stance(quantity, in_bin, standing, int(x[STANDING_BIN]))
    x[i + bucket * STANCES + stance] = 1.0
    i += ROUND_BUCKETS * STANCES
    x[i + in_bin * STANCES + stance] = 1.0


@jittable
def _stance(quantity: int, in_bin: int, standing: int, standing_bin: int) -> int:
    if standing == 0:
        return 0
    order = 0 if quantity < standing else (1 if quantity == standing else 2)
    return (1 if in_bin == standing_bin else 4) + order


@jittable
def _window_of_offer(sample: Sample, quantity: int, in_bin: int, x: np.ndarray, i: int) -> None:
    """Six features from ``x[i]`` on: what the window says about offers such as this one."""
    first = 1 if sample["n_offers"] == 0 else 0
    n_bin, accepts_bin, near, accepts_near = 0, 0, 0.0, 0.0
    accepts, refusals, above, below, total = 0, 0, 0, 0, 0
    for j in range(sample["n_responses"]):
        response = sample["responses"][j]
        accepted, other = response["accepted"], response["quantity"]
        weight = 1.0 / (1.0 + (other - quantity) * (other - quantity))
        if response["price_bin"] == in_bin:
            n_bin += 1
            accepts_bin += accepted
        else:
            weight *= 0.3
        if response["first"] != first:
            weight *= 0.5
        near += weight
        if accepted != 0:
            accepts_near += weight
            accepts += 1
            total += other
            above += 1 if other >= quantity else 0
        else:
            refusals += 1
            below += 1 if other <= quantity else 0
    base = logit(x[RATE])
    x[i] = logit((accepts_bin + 2.0 * x[RATE]) / (n_bin + 2.0)) - base
    x[i + 1] = logit((accepts_near + x[RATE]) / (near + 1.0)) - base
    x[i + 2] = x[i + 1] * near / (near + 2.0)
    x[i + 3] = (above + 0.5) / (accepts + 1.0) - 0.5
    x[i + 4] = (below + 0.5) / (refusals + 1.0) - 0.5
    x[i + 5] = min(max((total / accepts - quantity) / 5.0, -2.0), 2.0) if accepts > 0 else 0.0
