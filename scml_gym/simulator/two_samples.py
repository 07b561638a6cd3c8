"""Two samples of numbers compared by tests: do two generators draw from one distribution?

A sample is a table of statistics, name -> one number of each world, so that it is independent. Two samples are compared
by the test of Kolmogorov and Smirnov, or by a chi-square test on the contingency table where few values occur. A *pair*
is the product of two statistics' centred ranks in both samples together: it differs where the two depend on each other
in another way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

FEW_VALUES = 25
LEAST_EXPECTED = 10
"""Expected count of a cell of a contingency table; neighbouring values are taken together below it."""


@dataclass(frozen=True)
class Comparison:
    """One statistic in two samples; ``adjusted`` is Holm's p-value in the family of all."""

    statistic: str
    test: str
    first_mean: float
    second_mean: float
    first_deviation: float
    second_deviation: float
    p: float
    adjusted: float = 1.0


def compare(
    first: dict[str, np.ndarray], second: dict[str, np.ndarray], pairs: Iterable[tuple[str, str]] = ()
) -> list[Comparison]:
    """All statistics and pairs of two samples, the smallest p-value first."""
    samples = [(name, first[name], second[name]) for name in first]
    for a, b in pairs:
        products = _rank_product(first[a], first[b], second[a], second[b])
        samples.append((f"{a} x {b}", products[: len(first[a])], products[len(first[a]) :]))
    found = [_compare(name, x, y) for name, x, y in samples]
    order = sorted(found, key=lambda row: row.p)
    adjusted = holm([row.p for row in order])
    return [dataclasses.replace(row, adjusted=p) for row, p in zip(order, adjusted, strict=True)]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values of a family, given from the smallest to the greatest."""
    adjusted, greatest = [], 0.0
    for i, p in enumerate(p_values):
        greatest = max(greatest, min(1.0, p * (len(p_values) - i)))
        adjusted.append(greatest)
    return adjusted


def _compare(name: str, x: np.ndarray, y: np.ndarray) -> Comparison:
    # a value that some worlds lack is a value of its own: that as many lack it is part of the comparison
    x, y = (np.where(np.isnan(v), -999.0, v) for v in (x, y))
    if len(np.unique(np.concatenate([x, y]))) <= FEW_VALUES:
        test, p = "chi-square", _chi_square(x, y)
    else:
        result: Any = stats.ks_2samp(x, y)
        test, p = "Kolmogorov-Smirnov", float(result.pvalue)
    moments = [float(v) for v in (x.mean(), y.mean(), x.std(), y.std())]
    return Comparison(name, test, moments[0], moments[1], moments[2], moments[3], p)


def _chi_square(x: np.ndarray, y: np.ndarray) -> float:
    values = np.unique(np.concatenate([x, y]))
    columns: list[np.ndarray] = []
    for value in values:
        counts = np.array([np.sum(x == value), np.sum(y == value)])
        small = bool(columns) and columns[-1].sum() * min(len(x), len(y)) / (len(x) + len(y)) < LEAST_EXPECTED
        if small:
            columns[-1] = columns[-1] + counts
        else:
            columns.append(counts)
    if len(columns) > 1 and columns[-1].sum() * min(len(x), len(y)) / (len(x) + len(y)) < LEAST_EXPECTED:
        last = columns.pop()
        columns[-1] = columns[-1] + last
    if len(columns) == 1:
        return 1.0  # one value in both samples (or, below the count of a cell, nearly so)
    result: Any = stats.chi2_contingency(np.array(columns).T, correction=False)
    return float(result.pvalue)


def _rank_product(a1: np.ndarray, b1: np.ndarray, a2: np.ndarray, b2: np.ndarray) -> np.ndarray:
    a, b = (stats.rankdata(np.nan_to_num(np.concatenate(pair), nan=-999.0)) for pair in ((a1, a2), (b1, b2)))
    return (a - a.mean()) * (b - b.mean())
