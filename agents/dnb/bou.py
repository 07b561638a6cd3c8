"""Beta-BOU: what a model expects of an opponent, moved by what the opponent does (thesis, section 4.3, algorithm 5-2).

Evidence is kept by key: partner, role (a factory of this game has one), round bucket, price bin and coarse quantity
bucket. It lasts for the world. A posterior is Beta(mean x strength + accepts, (1 - mean) x strength + rejects).
"""

from __future__ import annotations

import numpy as np

from scml_gym.agents.dnb.beta import beta_quantile
from scml_gym.agents.dnb.records import ROUND_BUCKETS, PartnerMemory
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype

CLIP = 1e-4
"""Means are kept this far from 0 and 1 (thesis, algorithm 5-2, ``mu_eps``)."""

LEAST_STRENGTH = 2.0

CALIBRATION_DTYPE = parameters_dtype(
    ("strength", "delta", "evidence", "terminal", "first_prior", "use_bound", "answered")
)
"""Hyperparameters of the calibration:

- ``strength``: observations that the model's mean counts for;
- ``delta``: probability below the lower confidence bound;
- ``evidence``: weight of an observation; 0 switches the update off;
- ``terminal``: of an offer that was left without an answer, as a part of a rejection; 0 for none;
- ``first_prior``: 1 where a key's prior is the mean at its first use, as in the thesis; 0 where it is the mean now;
- ``use_bound``: 1 to plan with the bound, 0 with the posterior mean;
- ``answered``: the chance that an offer is answered at all, before anything is known of a partner; 1 where leaving is
  not reckoned with, as in the thesis.
"""

ANSWERED_STRENGTH = 8.0
"""Observations that the prior chance of an answer counts for."""


@jittable
def round_bucket(time: float) -> int:
    """The fifth of the relative time, 0 to 4."""
    return min(int(time * ROUND_BUCKETS), ROUND_BUCKETS - 1)


@jittable
def quantity_bucket(quantity: int) -> int:
    """0 for 1 item, 1 for 2, 2 for 3 and 4, 3 for 5 to 7, 4 for 8 and more."""
    if quantity <= 2:
        return max(quantity - 1, 0)
    if quantity <= 4:
        return 2
    return 3 if quantity <= 7 else 4


@jittable
def posterior(
    partner: PartnerMemory, time: float, in_bin: int, quantity: int, mean: float, calibration: np.void
) -> tuple[float, float]:
    """The parameters alpha and beta of the chance that a partner accepts an offer.

    Args:
        partner: Its memory; a key's first prior is kept in it.
        time: Relative time of the offer.
        in_bin: Its price bin.
        quantity: Its items.
        mean: The model's.
        calibration: A record of ``CALIBRATION_DTYPE``.
    """
    bucket, items = round_bucket(time), quantity_bucket(quantity)
    mean = min(max(mean, CLIP), 1.0 - CLIP)
    if calibration["first_prior"] != 0.0:
        if partner["prior"][bucket, in_bin, items] == 0.0:
            partner["prior"][bucket, in_bin, items] = mean
        mean = partner["prior"][bucket, in_bin, items]
    strength = max(calibration["strength"], LEAST_STRENGTH)
    accepts = calibration["evidence"] * partner["accepts"][bucket, in_bin, items]
    rejects = calibration["evidence"] * partner["rejects"][bucket, in_bin, items]
    return mean * strength + accepts, (1.0 - mean) * strength + rejects


@jittable
def lower_bound(alpha: float, beta: float, calibration: np.void) -> float:
    """The chance to count on: the lower confidence bound, or the mean where no bound is to be used."""
    if calibration["use_bound"] == 0.0:
        return alpha / (alpha + beta)
    return beta_quantile(calibration["delta"], alpha, beta)


@jittable
def chance_of_answer(partner: PartnerMemory, time: float, calibration: np.void) -> float:
    """The chance that a partner answers an offer rather than leave: it may have what it needs already.

    A model of explicit answers does not know it, as in its data nobody leaves. The mean of a Beta posterior by partner
    and round bucket.
    """
    if calibration["answered"] >= 1.0:
        return 1.0
    bucket = round_bucket(time)
    answers = calibration["evidence"] * partner["answers"][bucket]
    silences = calibration["evidence"] * partner["silences"][bucket]
    return (calibration["answered"] * ANSWERED_STRENGTH + answers) / (ANSWERED_STRENGTH + answers + silences)


@jittable
def count_answer(partner: PartnerMemory, answered: bool) -> None:
    """Count whether the pending offer was answered."""
    if answered:
        partner["answers"][round_bucket(partner["time"])] += 1.0
    else:
        partner["silences"][round_bucket(partner["time"])] += 1.0


@jittable
def add_evidence(partner: PartnerMemory, accepted: bool, weight: float) -> None:
    """Count what became of the pending offer: accepted, or not; less than a rejection where it was left unanswered."""
    bucket, items = round_bucket(partner["time"]), quantity_bucket(partner["quantity"])
    if accepted:
        partner["accepts"][bucket, partner["price_bin"], items] += weight
    else:
        partner["rejects"][bucket, partner["price_bin"], items] += weight
