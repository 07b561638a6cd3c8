"""What two generators of worlds are compared by: statistics of a world, and two-sample tests on them.

A statistic is one number of a world, so that the sample of a generator is independent: values of a factory or a day are
those of the first one, or summarised over the world. Two samples are compared by the test of Kolmogorov and Smirnov, or
by a chi-square test on the contingency table where few values occur. A *pair* is the product of two statistics' centred
ranks in both samples together: it differs where the two depend on each other in another way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from scml_gym.oneshot.worlds.spec import WorldSpec

FEW_VALUES = 25
LEAST_EXPECTED = 10
"""Expected count of a cell of a contingency table; neighbouring values are taken together below it."""

PAIRS = (
    ("sellers", "buyers"),
    ("days", "sellers"),
    ("supply: mean of a line", "sales: mean of a line"),
    ("supply: change from day to day", "sales: change from day to day"),
    ("supply: spread of factories", "sales: spread of factories"),
    ("supply: price deviation", "sales: price deviation"),
    ("seller: greatest cost", "catalog price 1"),
    ("buyer: greatest cost", "catalog price 2"),
    ("seller: greatest cost", "buyer: greatest cost"),
    ("catalog price 1", "catalog price 2"),
    ("sales: mean price", "catalog price 2"),
    ("days", "seller: balance"),
    ("sellers", "seller: balance a day"),
    ("seller: greatest cost", "seller: balance a day"),
    ("buyers", "buyer: balance a day"),
    ("buyer: greatest cost", "buyer: balance a day"),
    ("seller: cash", "buyer: cash"),
    ("seller: cash", "supply: price deviation"),
    ("shortfall: mean of the first", "disposal: mean of the first"),
    ("shortfall: mean of the first", "seller: cost of the first"),
    ("shortfall: deviation of the first", "disposal: deviation of the first"),
)


def world_statistics(spec: WorldSpec) -> dict[str, float]:
    """One number for each name; NaN where a world is too small for one."""
    n, days = spec.n_sellers, spec.n_days
    numbers: dict[str, float] = {
        "days": days,
        "sellers": n,
        "buyers": spec.n_buyers,
        "rounds": spec.rounds,
        "lines: least": spec.lines.min(),
        "lines: greatest": spec.lines.max(),
        "catalog price 0": spec.catalog_prices[0],
        "catalog price 1": spec.catalog_prices[1],
        "catalog price 2": spec.catalog_prices[2],
        "catalog price 2 minus 1": spec.catalog_prices[2] - spec.catalog_prices[1],
    }
    for name, members in (("seller", slice(0, n)), ("buyer", slice(n, None))):
        cost, balance = spec.production_cost[members], spec.initial_balance[members]
        numbers[f"{name}: cost of the first"] = cost[0]
        numbers[f"{name}: greatest cost"] = cost.max()
        numbers[f"{name}: mean cost"] = cost.mean()
        numbers[f"{name}: balance"] = balance[0]
        numbers[f"{name}: balance a day"] = balance[0] / days
        numbers[f"{name}: balances differ"] = np.ptp(balance)
    quantity, price = spec.exogenous_quantity, spec.exogenous_price
    totals = {}
    for name, members in (("supply", slice(0, n)), ("sales", slice(n, None))):
        q, p = quantity[members], price[members]
        totals[name] = q.sum(axis=0)
        numbers |= {f"{name}: {key}": value for key, value in _quantities(q).items()}
        numbers |= {f"{name}: {key}": value for key, value in _prices(q, p).items()}
    supplied, sold = totals["supply"], totals["sales"]
    numbers["days with more sales than supplies"] = float(np.mean(sold > supplied))
    numbers["sales to supplies"] = sold.sum() / supplied.sum()
    numbers["supplies with sales, correlation"] = _correlation(supplied, sold)
    numbers["mean sales price to catalog price 2"] = numbers["sales: mean price"] / spec.catalog_prices[2]
    numbers["price without contract, or the reverse"] = int(np.sum((quantity > 0) != (price > 0)))
    inputs = supplied.sum() * (10 + spec.production_cost[:n].max())
    numbers["seller: cash"] = spec.initial_balance[0] * n / inputs
    inputs = supplied.sum() * (spec.catalog_prices[1] + spec.production_cost[n:].max())
    numbers["buyer: cash"] = spec.initial_balance[n] * spec.n_buyers / inputs
    numbers |= _penalties(spec)
    return {name: float(value) for name, value in numbers.items()}


def _quantities(q: np.ndarray) -> dict[str, float]:
    """Of one level, ``(factories, days)``."""
    total = q.sum(axis=0)
    apart = q - q.mean(axis=1, keepdims=True)
    return {
        "of the first on day 0": q[0, 0],
        "of the last on the last day": q[-1, -1],
        "of a line on day 0": total[0] / len(q) / 10,
        "mean of a line": total.mean() / len(q) / 10,
        "deviation of the total over days": total.std() / len(q),
        "least total": total.min() / len(q),
        "greatest total": total.max() / len(q),
        "autocorrelation of the total": _correlation(total[1:], total[:-1]),
        "spread of factories": q.mean(axis=1).std(),
        "spread of shares on day 0": q[:, 0].std(),
        "change from day to day": apart.std(),
        "autocorrelation of a factory": _correlation(apart[:, 1:].ravel(), apart[:, :-1].ravel()),
        "two factories, correlation": _correlation(apart[0], apart[-1]) if len(q) > 1 else np.nan,
        "days without": np.mean(q == 0),
        "days with all lines": np.mean(q == 10),
        "least of a factory": q.min(),
        "third moment": stats.skew(apart.ravel()),
    }


def _prices(q: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Of one level's contracts."""
    held = q > 0
    daily_mean = np.divide((p * held).sum(axis=0), held.sum(axis=0), out=np.zeros(q.shape[1]), where=held.any(axis=0))
    apart = (p - daily_mean)[held]
    first = np.argmax(held.any(axis=0))
    return {
        "price of the first contract": p[np.argmax(held[:, first]), first],
        "mean price": p[held].mean(),
        "price deviation": p[held].std() / p[held].mean(),
        "price deviation in a day": apart.std(),
        "third moment of prices": stats.skew(apart),
        "fourth moment of prices": stats.kurtosis(apart),
        "least price": p[held].min(),
        "greatest price": p[held].max(),
        "day's mean price, deviation": daily_mean.std(),
        "day's mean price, autocorrelation": _correlation(daily_mean[1:], daily_mean[:-1]),
        "price with quantity, correlation": _correlation(p[held], q[held]),
        "price with the day's total, correlation": _correlation(daily_mean, q.sum(axis=0)),
    }


def _penalties(spec: WorldSpec) -> dict[str, float]:
    numbers: dict[str, float] = {}
    deviates = []
    for i, (name, values) in enumerate((("shortfall", spec.shortfall_penalty), ("disposal", spec.disposal_cost))):
        mean, deviation = spec.penalty_profile[:, 2 * i], spec.penalty_profile[:, 2 * i + 1]
        z = (values - mean[:, None]) / deviation[:, None]
        deviates.append(z)
        numbers[f"{name}: mean of the first"] = mean[0]
        numbers[f"{name}: mean of the last"] = mean[-1]
        numbers[f"{name}: mean of all"] = mean.mean()
        numbers[f"{name}: deviation of the first"] = deviation[0]
        numbers[f"{name}: relative deviation of the last"] = deviation[-1] / mean[-1]
        numbers[f"{name}: mean relative deviation"] = (deviation / mean).mean()
        numbers[f"{name}: of the first on day 0"] = values[0, 0]
        numbers[f"{name}: deviate of the first on day 0"] = z[0, 0]
        numbers[f"{name}: deviate of the last on the last day"] = z[-1, -1]
        numbers[f"{name}: mean deviate"] = z.mean()
        numbers[f"{name}: deviation of deviates"] = z.std()
        numbers[f"{name}: fourth moment of deviates"] = stats.kurtosis(z.ravel())
        numbers[f"{name}: greatest deviate"] = np.abs(z).max()
        numbers[f"{name}: autocorrelation"] = _correlation(z[:, 1:].ravel(), z[:, :-1].ravel())
        numbers[f"{name}: least"] = values.min()
    numbers["shortfall with disposal, correlation"] = _correlation(deviates[0].ravel(), deviates[1].ravel())
    return numbers


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])


def table_of(specs: Iterable[WorldSpec]) -> dict[str, np.ndarray]:
    """The statistics of many worlds: name -> float64 ``(worlds,)``."""
    rows = [world_statistics(spec) for spec in specs]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


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


def compare(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> list[Comparison]:
    """All statistics and pairs of two samples, the smallest p-value first."""
    samples = [(name, first[name], second[name]) for name in first]
    for a, b in PAIRS:
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
