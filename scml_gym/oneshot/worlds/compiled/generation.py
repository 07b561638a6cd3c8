"""Worlds drawn by the rules of scml's generator in compiled code.

The distribution is that of `scml_gym.oneshot.worlds.generation.league_spec`, the random numbers are not: the same seed
gives another world.

Source: scml/oneshot/world.py, ``SCMLBaseWorld.generate`` with the defaults of ``SCML2024OneShotWorld``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.core.arguments import Range, whole_range
from scml_gym.jit.arrays import scratch_bits
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.random import below, open_stream
from scml_gym.jit.separate import separate
from scml_gym.oneshot.view import MAX_PARTNERS
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES, WorldSpec
from scml_gym.oneshot.worlds.spec_record import DAILY_DTYPE, SPEC_DTYPE, read_spec
from scml_gym.simulator.compiled.generation import Distribution, draw_world
from scml_gym.simulator.world_spec import MOST_DAYS

LEAGUE = Distribution()
"""The league's OneShot worlds; the costs of items left over are those of disposal."""


@jittable
def generate(
    seed: int, days_low: int, days_high: int, factories_low: int, factories_high: int, spec: Any, daily: Any
) -> None:
    """Draw a world; a pure function of its arguments, equal in Python and compiled.

    Args:
        seed: 0 to 2**64 - 1.
        days_low: Of the range that simulated days are drawn from, both ends included, at least 1.
        days_high: The other end, at most the rows of ``daily``.
        factories_low: Of the range for each level, at least 1.
        factories_high: The other end, at most ``MAX_PARTNERS``.
        spec: One record of ``SPEC_DTYPE``, overwritten.
        daily: ``DAILY_DTYPE`` of shape (days or more, MAX_FACTORIES), overwritten: rows [day, factory], all 0 for days
            and factories that the world does not have. ``profit`` is 0.

    scml generates no world of one or two days; here their catalog prices come from the last day.
    """
    stream = scratch_bits(1)
    open_stream(stream, seed)
    days = days_low + below(stream, days_high - days_low + 1)
    sizes = np.zeros(2, dtype=np.int64)
    for level in range(2):
        sizes[level] = factories_low + below(stream, factories_high - factories_low + 1)
    spec["n_sellers"], spec["n_buyers"], spec["n_days"], spec["rounds"] = sizes[0], sizes[1], days, LEAGUE.rounds
    draw_world(stream, LEAGUE, sizes, days, spec, daily, daily["disposal_cost"])


compiled_generate = separate(generate)
"""`generate`, for compiled code."""


@compiled
def _generate(
    seed: Any, days_low: int, days_high: int, factories_low: int, factories_high: int, spec: Any, daily: Any
) -> None:
    compiled_generate(seed, days_low, days_high, factories_low, factories_high, spec, daily)


def compiled_spec(seed: int, days: Range = (50, 200), factories_per_level: Range = (4, 8)) -> WorldSpec:
    """A world with the distribution of `league_spec`, about a hundred times faster.

    Args:
        seed: Any integer; the same one gives the same spec in every process.
        days: Simulated days, at least 1 (from 3 as in the league, see `generate`).
        factories_per_level: Drawn for each level of its own; 1 to ``MAX_PARTNERS``.

    Raises:
        InputError: if a range is empty or outside what a world can hold.
    """
    days_low, days_high = whole_range("days", days, 1, MOST_DAYS)
    low, high = whole_range("factories_per_level", factories_per_level, 1, MAX_PARTNERS)
    record, daily = np.zeros(1, SPEC_DTYPE)[0], np.zeros((days_high, MAX_FACTORIES), DAILY_DTYPE)
    _generate(np.uint64(seed & 0xFFFFFFFFFFFFFFFF), days_low, days_high, low, high, record, daily)
    return read_spec(record, daily)
