"""Running compiled worlds: on to the next decision from outside, or to the end of the day."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scml_gym.jit.compile import compiled
from scml_gym.jit.separate import separate
from scml_gym.simulator.compiled.layout import NEW_DAY
from scml_gym.simulator.compiled.negotiations import Negotiations

OVER, DECISION, DAY = 0, 1, 2
"""Why a world stopped: its last day is settled; external factories must decide; a day was settled."""


class Days(NamedTuple):
    """What a track's days begin with and how they are settled, as jittable functions.

    Attributes:
        begin_world: ``(world, prices)``: before the first day.
        begin_day: ``(world, daily)``: a new day, whose negotiations stand at their start.
        close_day: ``(world, daily, prices)``: all negotiations are over, and the day is settled.
    """

    begin_world: Callable[..., None]
    begin_day: Callable[..., None]
    close_day: Callable[..., None]


def compile_advance(days: Days, negotiations: Negotiations) -> Callable[..., int]:
    """What runs one world of a track until it stops: ``advance(world, daily, prices) -> int``, jittable.

    It is to be called again, after the pending factories' answers where there are any. Its arguments are the world's
    record, its table of days, ``(days, factories)``, and its trading prices at the start of each day, float64 ``(days +
    1, products)``. It returns ``OVER``, ``DECISION`` or ``DAY``; after ``DAY`` the views still show how the day ended.
    """
    begin_day, close_day = days.begin_day, days.close_day
    run_pass, look = negotiations.run_pass, negotiations.look

    @separate
    def advance(world: np.void, daily: np.ndarray, prices: np.ndarray) -> int:
        if world["phase"] == NEW_DAY:
            if world["day"] >= world["spec"]["n_days"]:
                return OVER
            begin_day(world, daily)
            if world["moves"] != 0 and look(world):
                return DECISION
        while world["running"] > 0:
            if not run_pass(world):
                return DECISION
            if world["moves"] != 0 and world["running"] > 0 and look(world):
                return DECISION
        close_day(world, daily, prices)
        return DAY

    return advance


class Rows(NamedTuple):
    """What runs one row of a batch of worlds, from Python; see `compile_rows`.

    Attributes:
        begin: ``(worlds, prices, row)``: `Days.begin_world`.
        advance: ``(worlds, daily, prices, row) -> int``: see `compile_advance`.
        answer: ``(worlds, row, factory, actions)``: a pending factory's answers, one to each of its partners.
    """

    begin: Callable[..., None]
    advance: Callable[..., int]
    answer: Callable[..., None]


def compile_rows(begin_world: Callable[..., None], advance: Callable[..., int], answer: Callable[..., None]) -> Rows:
    """What runs one row of a batch of worlds, compiled at its first call.

    Args:
        begin_world: See `Days`.
        advance: See `compile_advance`.
        answer: See `scml_gym.simulator.compiled.players.Players`.
    """

    @compiled
    def begin_one(worlds: np.ndarray, prices: np.ndarray, row: int) -> None:
        begin_world(worlds[row], prices[row])

    @compiled
    def advance_one(worlds: np.ndarray, daily: np.ndarray, prices: np.ndarray, row: int) -> int:
        return advance(worlds[row], daily[row], prices[row])

    @compiled
    def answer_one(worlds: np.ndarray, row: int, factory: int, actions: np.ndarray) -> None:
        world = worlds[row]
        for k in range(len(world["actions"])):
            world["actions"][k] = actions[k]
        answer(world, factory)

    return Rows(begin_one, advance_one, answer_one)
