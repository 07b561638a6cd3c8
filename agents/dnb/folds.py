"""What a model is fitted to: samples to learn from, samples of other worlds to choose by, and their features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.agents.dnb.dataset import Dataset
from scml_gym.agents.dnb.features import N_FEATURES, N_NUMBERS, context_features, history_features, offer_features
from scml_gym.agents.dnb.records import SAMPLE_DTYPE
from scml_gym.jit.compile import compiled


class Fold(NamedTuple):
    """Two parts of a dataset that share no world."""

    train: Dataset
    validation: Dataset


def fold_worlds(dataset: Dataset, share: float, seed: int) -> Fold:
    """Put a share of the worlds, at least one of each part where there are two, into the validation part.

    Args:
        dataset: To divide.
        share: In (0, 1).
        seed: Of the draw.
    """
    worlds = np.unique(dataset.table["world"].to_numpy())
    n = min(max(round(share * len(worlds)), 1), len(worlds) - 1)
    chosen = np.random.default_rng(seed).permutation(worlds)[:n]
    held = np.isin(dataset.table["world"].to_numpy(), chosen)
    return Fold(dataset.take(~held), dataset.take(held))


def feature_matrix(samples: np.ndarray) -> np.ndarray:
    """The features of samples (``SAMPLE_DTYPE``), float32 ``(n, N_FEATURES)``."""
    out = np.empty((len(samples), N_FEATURES), dtype=np.float32)
    _fill(np.ascontiguousarray(samples, dtype=SAMPLE_DTYPE), out)
    return out


@compiled
def _fill(samples: np.ndarray, out: np.ndarray) -> None:
    x = np.zeros(N_NUMBERS)
    for i in range(len(samples)):
        context_features(samples[i], x)
        history_features(samples[i], x)
        offer_features(samples[i], x)
        for j in range(N_FEATURES):
            out[i, j] = x[j]
