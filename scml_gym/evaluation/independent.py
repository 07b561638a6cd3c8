"""Comparisons of independent samples whose variances may differ: Welch's t-test, contrasts of many means, effect sizes.

Sources: B. L. Welch, *The generalization of "Student's" problem when several different population variances are
involved*, Biometrika 34, 1947; L. V. Hedges and I. Olkin, *Statistical Methods for Meta-Analysis*, 1985, chapter 5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Contrast(NamedTuple):
    """A weighted sum of means.

    Attributes:
        value: The estimate.
        low: Lower end of its 95 % confidence interval (Student's t, Welch and Satterthwaite's degrees of freedom).
        high: Upper end.
        p: Of the two-sided test that it is 0; where nothing varies, 1 if it is 0 and else 0.
        freedom: Degrees of freedom; infinite where nothing varies.
    """

    value: float
    low: float
    high: float
    p: float
    freedom: float


class Effect(NamedTuple):
    """Hedges' g: the difference of two means in standard deviations, and its approximate 95 % confidence interval.

    The deviation is the root of the mean of both variances. All are NaN where nothing varies.
    """

    g: float
    low: float
    high: float


def contrast(samples: Sequence[np.ndarray], weights: Sequence[float]) -> Contrast:
    """The weighted sum of the means of independent samples, none of which need have the same variance.

    Args:
        samples: Each of shape ``(n,)``, n at least 2.
        weights: One for each.

    Example:
        >>> contrast([np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.5])], [1, -1]).value
        0.75
    """
    from scipy import stats

    value = math.fsum(w * float(np.mean(s)) for s, w in zip(samples, weights, strict=True))
    parts = [w * w * _variance(s) / len(s) for s, w in zip(samples, weights, strict=True)]
    variance = math.fsum(parts)
    if variance == 0:
        return Contrast(value, value, value, float(value == 0), math.inf)
    freedom = variance**2 / math.fsum(part**2 / (len(s) - 1) for part, s in zip(parts, samples, strict=True))
    error = math.sqrt(variance)
    margin = float(stats.t.ppf(0.975, freedom)) * error
    p = float(2 * stats.t.sf(abs(value) / error, freedom))
    return Contrast(value, value - margin, value + margin, p, freedom)


def welch(first: np.ndarray, second: np.ndarray) -> Contrast:
    """The mean of the first sample minus that of the second, with Welch's t-test."""
    return contrast([first, second], [1.0, -1.0])


def mean_interval(sample: np.ndarray) -> Contrast:
    """The mean of a sample and its interval."""
    return contrast([sample], [1.0])


def effect_size(first: np.ndarray, second: np.ndarray) -> Effect:
    """Hedges' g of the first sample over the second."""
    n, m = len(first), len(second)
    deviation = math.sqrt((_variance(first) + _variance(second)) / 2)
    if deviation == 0:
        return Effect(math.nan, math.nan, math.nan)
    unbiased = 1 - 3 / (4 * (n + m - 2) - 1)
    g = unbiased * (float(np.mean(first)) - float(np.mean(second))) / deviation
    margin = 1.959964 * math.sqrt(1 / n + 1 / m + g * g / (2 * (n + m)))
    return Effect(g, g - margin, g + margin)


def _variance(sample: np.ndarray) -> float:
    """With n - 1; exactly 0 where all numbers are equal."""
    return float(np.var(sample, ddof=1)) if np.ptp(sample) > 0 else 0.0


def holm(p_values: Sequence[float]) -> np.ndarray:
    """P-values adjusted for their number (Holm 1979): below a level, the family's error rate is too."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted
