"""Worlds of the Standard track drawn by the rules of scml's generator in compiled code.

The distribution is that of `scml_gym.standard.worlds.generation.league_spec`, the random numbers are not: the same seed
gives another world.

Source: scml/oneshot/world.py, ``SCMLBaseWorld.generate`` with the defaults of scml/std/world.py, ``SCML2024StdWorld``;
the numbers of levels are those of the league's tournaments (scml/utils.py, ``anac_config_generator``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.core.arguments import Range, whole_range
from scml_gym.jit.arrays import scratch_bits
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.random import below, open_stream
from scml_gym.jit.separate import separate
from scml_gym.simulator.compiled.generation import UNLIMITED, Distribution, draw_world
from scml_gym.simulator.world_spec import MOST_DAYS
from scml_gym.standard.view import MAX_FACTORIES, MAX_LEVELS, MAX_PER_LEVEL, MIN_LEVELS
from scml_gym.standard.worlds.spec import WorldSpec
from scml_gym.standard.worlds.spec_record import DAILY_DTYPE, SPEC_DTYPE, read_spec

LEAGUE = Distribution(
    most_exogenous=UNLIMITED,
    predictability=(0.0, 0.7),
    supply=(0.2, 1.0),
    leftover=(0.01, 0.05),
    leftover_deviation=(0.0, 0.0),
)
"""The league's Standard worlds; the costs of items left over are those of storage."""


@jittable
def generate(
    seed: int,
    days_low: int,
    days_high: int,
    factories_low: int,
    factories_high: int,
    levels_low: int,
    levels_high: int,
    spec: Any,
    daily: Any,
) -> None:
    """Draw a world; a pure function of its arguments, equal in Python and compiled.

    Args:
        seed: 0 to 2**64 - 1.
        days_low: Of the range that simulated days are drawn from, both ends included, at least 1.
        days_high: The other end, at most the rows of ``daily``.
        factories_low: Of the range for each level, at least 1.
        factories_high: The other end, at most ``MAX_PER_LEVEL``.
        levels_low: Of the range of levels, at least ``MIN_LEVELS``.
        levels_high: The other end, at most ``MAX_LEVELS``.
        spec: One record of ``SPEC_DTYPE``, overwritten.
        daily: ``DAILY_DTYPE`` of shape (days or more, MAX_FACTORIES), overwritten: rows [day, factory], all 0 for days
            and factories that the world does not have. ``profit`` and ``stock`` are 0.

    scml generates no world with as many levels as days; here catalog prices come from the last day then.
    """
    stream = scratch_bits(1)
    open_stream(stream, seed)
    days = days_low + below(stream, days_high - days_low + 1)
    sizes = np.zeros(levels_low + below(stream, levels_high - levels_low + 1), dtype=np.int64)
    for f in range(MAX_FACTORIES):
        spec["level"][f] = 0
    n = 0
    for level in range(MAX_LEVELS):
        spec["sizes"][level] = 0
        if level < len(sizes):
            sizes[level] = spec["sizes"][level] = factories_low + below(stream, factories_high - factories_low + 1)
            for f in range(n, n + sizes[level]):
                spec["level"][f] = level
            n += sizes[level]
    spec["n_levels"], spec["n_factories"] = len(sizes), n
    spec["n_days"], spec["rounds"] = days, LEAGUE.rounds
    draw_world(stream, LEAGUE, sizes, days, spec, daily, daily["storage_cost"])


compiled_generate = separate(generate)
"""`generate`, for compiled code."""


@compiled
def _generate(
    seed: Any,
    days_low: int,
    days_high: int,
    factories_low: int,
    factories_high: int,
    levels_low: int,
    levels_high: int,
    spec: Any,
    daily: Any,
) -> None:
    compiled_generate(seed, days_low, days_high, factories_low, factories_high, levels_low, levels_high, spec, daily)


def compiled_spec(
    seed: int, days: Range = (50, 200), factories_per_level: Range = (4, 8), n_levels: Range = (2, 4)
) -> WorldSpec:
    """A world with the distribution of `league_spec`, more than a hundred times faster.

    Args:
        seed: Any integer; the same one gives the same spec in every process.
        days: Simulated days, at least 1 (in the league more than levels, see `generate`).
        factories_per_level: Drawn for each level of its own; 1 to ``MAX_PER_LEVEL``.
        n_levels: Levels of factories, each number equally likely; ``MIN_LEVELS`` to ``MAX_LEVELS``.

    Raises:
        InputError: if a range is empty or outside what a world can hold.
    """
    days_low, days_high = whole_range("days", days, 1, MOST_DAYS)
    low, high = whole_range("factories_per_level", factories_per_level, 1, MAX_PER_LEVEL)
    fewest, most = whole_range("n_levels", n_levels, MIN_LEVELS, MAX_LEVELS)
    record, daily = np.zeros(1, SPEC_DTYPE)[0], np.zeros((days_high, MAX_FACTORIES), DAILY_DTYPE)
    bits = np.uint64(seed & 0xFFFFFFFFFFFFFFFF)
    _generate(bits, days_low, days_high, low, high, fewest, most, record, daily)
    return read_spec(record, daily)
