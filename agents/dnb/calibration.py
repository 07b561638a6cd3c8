"""How good chances are: proper scores, calibration, and intervals over worlds, as one world's offers hang together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

BINS = 15
"""Of equal mass, for the expected calibration error."""

RESAMPLES = 1000
LEVEL = 0.95


class Interval(NamedTuple):
    """An estimate, and the ends of its interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


def losses(mean: np.ndarray, accepted: np.ndarray) -> np.ndarray:
    """The log loss of each sample, in nats."""
    return -np.log(np.where(accepted, mean, 1.0 - mean))


def brier(mean: np.ndarray, accepted: np.ndarray) -> float:
    """The mean squared error of chances (Brier score)."""
    return float(np.mean((mean - accepted) ** 2))


def auc(mean: np.ndarray, accepted: np.ndarray) -> float:
    """The chance that an accepted offer has a higher mean than a refused one, ties half; NaN where one kind lacks."""
    from scipy.stats import rankdata

    n = int(accepted.sum())
    if n in (0, len(accepted)):
        return float("nan")
    return float((rankdata(mean)[accepted].sum() - n * (n + 1) / 2) / (n * (len(accepted) - n)))


def bins_of(mean: np.ndarray, bins: int = BINS) -> np.ndarray:
    """The bin of each sample, 0 to ``bins - 1``: equally many in each, but equal means stay together."""
    return np.searchsorted(np.sort(mean), mean, side="left") * bins // max(len(mean), 1)


def calibration_error(mean: np.ndarray, accepted: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error: the mean over samples of how far their bin's mean is from its frequency."""
    gaps = np.bincount(bins_of(mean, bins), mean - accepted, bins)
    return float(np.abs(gaps).sum() / max(len(mean), 1))


def calibration_curve(mean: np.ndarray, accepted: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """A row for each bin that has samples: ``samples``, ``mean`` and ``frequency``."""
    import pandas as pd

    frame = pd.DataFrame({"bin": bins_of(mean, bins), "mean": mean, "accepted": accepted})
    rows = frame.groupby("bin").agg(samples=("mean", "size"), mean=("mean", "mean"), frequency=("accepted", "mean"))
    return rows.reset_index()


def bootstrap(
    parts: np.ndarray, worlds: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], seed: int = 0
) -> Interval:
    """A statistic of sums over samples, with the interval of a bootstrap that draws whole worlds.

    Args:
        parts: What is summed, ``(samples, columns)``.
        worlds: The world of each sample.
        statistic: ``(..., columns) -> (...)`` of sums over samples.
        seed: Of the draws.
    """
    numbers, inverse = np.unique(worlds, return_inverse=True)
    sums = np.stack([np.bincount(inverse, column, len(numbers)) for column in parts.T], axis=1)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(numbers), np.full(len(numbers), 1 / len(numbers)), RESAMPLES)
    found = statistic(drawn @ sums)
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(statistic(sums.sum(axis=0))), float(low), float(high))


def mean_interval(values: np.ndarray, worlds: np.ndarray) -> Interval:
    """The mean of values, one a sample: a log loss, or the difference of two."""
    parts = np.stack([values, np.ones(len(values))], axis=1)
    return bootstrap(parts, worlds, lambda sums: sums[..., 0] / sums[..., 1])


def calibration_interval(mean: np.ndarray, accepted: np.ndarray, worlds: np.ndarray, bins: int = BINS) -> Interval:
    """The expected calibration error; bins stay those of all samples while worlds are drawn.

    Chance alone makes every draw's error larger than the one estimated, so the interval lies rather too high.
    """
    chosen = bins_of(mean, bins)
    gaps = np.where(chosen[:, None] == np.arange(bins), (mean - accepted)[:, None], 0.0)
    parts = np.column_stack([gaps, np.ones(len(mean))])
    return bootstrap(parts, worlds, lambda sums: np.abs(sums[..., :-1]).sum(axis=-1) / sums[..., -1])
