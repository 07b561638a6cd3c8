"""Statistics of worlds that the tracks share: one number of a world for each name, to compare generators by.

Values of a factory or a day are those of the first one, or summarised over the world; see
`scml_gym.simulator.two_samples`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Statistics = Callable[[Any], dict[str, float]]
"""``statistics(spec) -> numbers by name``; NaN where a world is too small for one."""


def table_of(statistics: Statistics, specs: Iterable[Any]) -> dict[str, np.ndarray]:
    """The statistics of many worlds: name -> float64 ``(worlds,)``."""
    rows = [statistics(spec) for spec in specs]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def quantity_statistics(q: np.ndarray) -> dict[str, float]:
    """Of the exogenous quantities of one level, ``(factories, days)``, with 10 lines a factory."""
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
        "autocorrelation of the total": correlation(total[1:], total[:-1]),
        "spread of factories": q.mean(axis=1).std(),
        "spread of shares on day 0": q[:, 0].std(),
        "change from day to day": apart.std(),
        "autocorrelation of a factory": correlation(apart[:, 1:].ravel(), apart[:, :-1].ravel()),
        "two factories, correlation": correlation(apart[0], apart[-1]) if len(q) > 1 else np.nan,
        "days without": np.mean(q == 0),
        "days with all lines": np.mean(q == 10),
        "least of a factory": q.min(),
        "third moment": moment(apart, 3),
    }


def price_statistics(q: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Of the exogenous contracts of one level, quantities and unit prices, ``(factories, days)``."""
    held = q > 0
    daily_mean = np.divide((p * held).sum(axis=0), held.sum(axis=0), out=np.zeros(q.shape[1]), where=held.any(axis=0))
    apart = (p - daily_mean)[held]
    first = np.argmax(held.any(axis=0))
    return {
        "price of the first contract": p[np.argmax(held[:, first]), first],
        "mean price": p[held].mean(),
        "price deviation": p[held].std() / p[held].mean(),
        "price deviation in a day": apart.std(),
        "third moment of prices": moment(apart, 3),
        "fourth moment of prices": moment(apart, 4) - 3,
        "least price": p[held].min(),
        "greatest price": p[held].max(),
        "day's mean price, deviation": daily_mean.std(),
        "day's mean price, autocorrelation": correlation(daily_mean[1:], daily_mean[:-1]),
        "price with quantity, correlation": correlation(p[held], q[held]),
        "price with the day's total, correlation": correlation(daily_mean, q.sum(axis=0)),
    }


def penalty_statistics(
    name: str, values: np.ndarray, mean: np.ndarray, deviation: np.ndarray
) -> tuple[dict[str, float], np.ndarray]:
    """Of one kind of penalty.

    Args:
        name: Of the penalty, put before those of the statistics.
        values: Of each factory and day, ``(factories, days)``.
        mean: Of which they were drawn, ``(factories,)``.
        deviation: Likewise, above 0.

    Returns:
        The statistics, and how many deviations each value is from its mean.
    """
    z = (values - mean[:, None]) / deviation[:, None]
    numbers = {
        "mean of the first": mean[0],
        "mean of the last": mean[-1],
        "mean of all": mean.mean(),
        "deviation of the first": deviation[0],
        "relative deviation of the last": deviation[-1] / mean[-1],
        "mean relative deviation": (deviation / mean).mean(),
        "of the first on day 0": values[0, 0],
        "deviate of the first on day 0": z[0, 0],
        "deviate of the last on the last day": z[-1, -1],
        "mean deviate": z.mean(),
        "deviation of deviates": z.std(),
        "fourth moment of deviates": moment(z, 4) - 3,
        "greatest deviate": np.abs(z).max(),
        "autocorrelation": correlation(z[:, 1:].ravel(), z[:, :-1].ravel()),
        "least": values.min(),
    }
    return {f"{name}: {key}": value for key, value in numbers.items()}, z


def moment(values: np.ndarray, order: int) -> float:
    """The mean power of an order of how many deviations values are from their mean; NaN where all are the same.

    SciPy's functions bring the same, and check their arguments for a millisecond.
    """
    mean = values.mean()
    apart = values - mean
    variance = np.mean(apart * apart)
    if variance <= (np.finfo(float).resolution * mean) ** 2:
        return np.nan
    return float(np.mean(apart**order) / variance ** (order / 2))


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's; NaN where there is none."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))
