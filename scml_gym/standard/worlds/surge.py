"""Worlds in which the prices of a product rise several-fold over some days, and fall again.

Only the prices of exogenous contracts are drawn before a world starts, so the product is the last one, which the last
level sells, or the first one, which the first level is supplied with. Trading prices follow, and with them what may be
agreed on and what a missing item costs. Nobody is told: an exogenous contract is known on its own day alone, so all
that announces a surge is that prices have begun to rise.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from scml_gym.core.arguments import Range
from scml_gym.standard.worlds.compiled.generation import compiled_spec
from scml_gym.standard.worlds.spec import WorldSpec

MOST_TIMES = 4.0
"""Prices at their highest, as multiples of what they would be."""

RISE, STAY = 8, 5
"""Days over which prices rise, by equal factors, and fall again; days on which they stay high."""

EARLIEST, LATEST = 0.25, 0.5
"""Of a world's days, between which the rise begins."""

_STREAM = 57
"""Sets the draw of the first day apart from those of the world."""


class Surge(NamedTuple):
    """When prices rise.

    Attributes:
        begin: The first day on which they are higher.
        times: What prices of each day are multiplied with, float64 ``(days,)``.
    """

    begin: int
    times: np.ndarray


def surge_of(seed: int, days: int) -> Surge:
    """The surge in the world of a seed.

    Args:
        seed: Of the world.
        days: That it has.
    """
    draws = np.random.default_rng((seed & 0xFFFFFFFFFFFFFFFF, _STREAM))
    begin = int(draws.integers(int(EARLIEST * days), int(LATEST * days) + 1))
    since = np.arange(days) - begin + 1  # 1 on the first day
    risen = np.clip(np.minimum(since, 2 * RISE + STAY - 1 - since) / RISE, 0.0, 1.0)
    return Surge(begin, MOST_TIMES**risen)


def surge_spec(
    seed: int, days: Range = (50, 200), factories_per_level: Range = (4, 8), n_levels: Range = (2, 4)
) -> WorldSpec:
    """A world of `compiled_spec` whose last level is paid several times as much on some days.

    Args:
        seed: Any integer; without the surge, the world is that of `compiled_spec`.
        days: As of `compiled_spec`, like all that follow.

    Raises:
        InputError: as `compiled_spec`.
    """
    spec = compiled_spec(seed, days, factories_per_level, n_levels)
    return _with_surge(seed, spec, spec.n_levels - 1)


def supply_surge_spec(
    seed: int, days: Range = (50, 200), factories_per_level: Range = (4, 8), n_levels: Range = (2, 4)
) -> WorldSpec:
    """The same where the first level pays several times as much for what it is supplied with; see `surge_spec`."""
    return _with_surge(seed, compiled_spec(seed, days, factories_per_level, n_levels), 0)


def _with_surge(seed: int, spec: WorldSpec, level: int) -> WorldSpec:
    prices = spec.exogenous_price.copy()
    own = spec.level == level
    prices[own] = np.rint(prices[own] * surge_of(seed, spec.n_days).times).astype(np.int64)
    return dataclasses.replace(spec, exogenous_price=prices)
