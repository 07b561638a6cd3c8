"""The quantile of a Beta distribution, as plain arithmetic that compiles; tests compare it with scipy's."""

from __future__ import annotations

import math

from scml_gym.jit.compile import jittable

_TINY = 1e-30
_TERMS = 200


@jittable
def continued_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by Lentz's method."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        change = 1.0
        for term in (even, odd):
            d, c = 1.0 + term * d, 1.0 + term / c
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            change = d * c
            value *= change
        if abs(change - 1.0) < 1e-14:
            break
    return value


@jittable
def log_beta(a: float, b: float) -> float:
    """The logarithm of the beta function."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


@jittable
def beta_cdf(x: float, a: float, b: float, log_norm: float) -> float:
    """The regularised incomplete beta function; ``log_norm`` is ``log_beta(a, b)``."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - log_norm)
    if x < (a + 1.0) / (a + b + 2.0):
        return front * continued_fraction(x, a, b) / a
    return 1.0 - front * continued_fraction(1.0 - x, b, a) / b


@jittable
def beta_quantile(probability: float, a: float, b: float) -> float:
    """The value below which a Beta variable lies with this probability.

    Newton's method on the cumulative distribution, kept inside a bracket that each step narrows.

    Args:
        probability: In (0, 1).
        a: Above 0.
        b: Above 0.

    Returns:
        In [0, 1], to within 1e-9 of probability mass where that can be resolved.
    """
    log_norm = log_beta(a, b)
    low, high, x = 0.0, 1.0, a / (a + b)
    for _ in range(100):
        error = beta_cdf(x, a, b, log_norm) - probability
        if abs(error) < 1e-10:
            break
        if error > 0.0:
            high = x
        else:
            low = x
        density = math.exp((a - 1.0) * math.log(x) + (b - 1.0) * math.log1p(-x) - log_norm)
        step = x - error / density if density > 0.0 else -1.0
        x = step if low < step < high else 0.5 * (low + high)
        if high - low < 1e-15:
            break
    return x
