"""Beta-BOU over recorded offers: what its posterior means would have been, each from what was known until then."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from scml_gym.agents.dnb.bou import CALIBRATION_DTYPE, add_evidence, posterior
from scml_gym.agents.dnb.dataset import Dataset
from scml_gym.agents.dnb.events import price_bin
from scml_gym.agents.dnb.records import PARTNER_MEMORY_DTYPE, SAMPLE_DTYPE, PartnerMemory, Sample
from scml_gym.jit.compile import compiled, jittable

Prior: TypeAlias = Literal["latest", "first"]

ORDER = ("world", "proposer", "partner", "day", "offer_index")
"""Columns that sort a dataset into the sequences that evidence is gathered over."""


def posterior_means(dataset: Dataset, mean: np.ndarray, strength: float, prior: Prior = "latest") -> np.ndarray:
    """The posterior mean of each offer of a dataset, float64 ``(n,)``.

    All explicit answers to a factory by a partner must be in the dataset; its settings keep all of a pair or none.

    Args:
        dataset: Of any order.
        mean: The model's means, ``(n,)``.
        strength: Of the prior.
        prior: As in `scml_gym.agents.dnb.rules.Calibration`.
    """
    calibration = np.zeros(1, dtype=CALIBRATION_DTYPE)
    calibration["strength"], calibration["evidence"], calibration["first_prior"] = strength, 1.0, prior == "first"
    order = dataset.table.sort_values(list(ORDER), kind="stable").index.to_numpy()
    groups = dataset.table.groupby(list(ORDER[:3]), sort=False).ngroup().to_numpy()
    samples, out = np.ascontiguousarray(dataset.samples, dtype=SAMPLE_DTYPE), np.empty(len(mean))
    memory = np.zeros(1, dtype=PARTNER_MEMORY_DTYPE)
    _replay(samples, dataset.accepted, mean, order, groups, calibration[0], memory, out)
    return out


@compiled
def _replay(
    samples: np.ndarray,
    accepted: np.ndarray,
    mean: np.ndarray,
    order: np.ndarray,
    groups: np.ndarray,
    calibration: np.void,
    memory: np.ndarray,
    out: np.ndarray,
) -> None:
    partner, group = memory[0], -1
    for place in range(len(order)):
        i = int(order[place])
        if groups[i] != group:
            group = groups[i]
            partner["accepts"][:] = 0.0
            partner["rejects"][:] = 0.0
            partner["prior"][:] = 0.0
        out[i] = _step(partner, samples[i], bool(accepted[i]), float(mean[i]), calibration)


@jittable
def _step(partner: PartnerMemory, sample: Sample, accepted: bool, mean: float, calibration: np.void) -> float:
    """The posterior mean of an offer; then its answer is counted."""
    in_bin = price_bin(sample["price"], sample["min_price"], sample["max_price"])
    alpha, beta = posterior(partner, sample["time"], in_bin, sample["quantity"], mean, calibration)
    partner["quantity"], partner["price_bin"], partner["time"] = sample["quantity"], in_bin, sample["time"]
    add_evidence(partner, accepted, 1.0)
    return alpha / (alpha + beta)
