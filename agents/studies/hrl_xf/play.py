"""A player in the learner's seat of a world, and what is measured of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from scml_gym.game.sampling import begin_sampling
from scml_gym.game.strategy import StrategyPolicy
from scml_gym.game.world import PlayerMaker
from scml_gym.jit.compile import compiled
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.line_up import LINE_UP
from scml_gym.standard.safety.audit import N_NUMBERS, audit, audit_columns
from scml_gym.standard.settlement import settle_world
from scml_gym.standard.view import ActionArray, StandardView
from scml_gym.standard.worlds.reference import ReferenceWorld
from scml_gym.standard.worlds.surge import RISE, surge_of

MEASURED = (
    *("level", "score", "initial_balance", "shortfall", "storage", "bought", "produced", "missing", "agreements"),
    *("bankrupt", "acts", "unsafe_covered", "unsafe_possible", "breach_rate", "stock_moves", "cash_moves"),
    *("early", "risen"),
)
"""Columns of a row. ``stock_moves`` and ``cash_moves``: standard deviations of what stock (in lines) and balance (in
initial balances) change by from day to day. ``early`` and ``risen``: inputs in stock, in lines, on the morning of the
first day of a price surge, and half way up; or where there is none of the days on which it would begin and rise."""

_audit = compiled(audit)


def _count(acts: np.ndarray, view: StandardView, actions: ActionArray) -> None:
    _audit(view, actions, acts)


def _nothing(view: StandardView, actions: ActionArray) -> None:
    """Nobody looks."""


def play_seat(make: PlayerMaker, config: StandardConfig, seed: int) -> dict[str, Any]:
    """What becomes of a player in the learner's seat of the world of a seed: `MEASURED`.

    Args:
        make: Makes the player.
        config: Of the worlds; agents of the league play with ``backend="reference"`` alone.
        seed: Of the world.
    """
    sample = config.sample(seed)
    (seat,) = sample.factories
    player, acts = make(sample.seed), np.zeros(N_NUMBERS)
    from_outside = not isinstance(player, StrategyPolicy) and config.backend == "compiled"
    players = [None if from_outside and i == seat else player if i == seat else p for i, p in enumerate(sample.players)]
    world = config.new_world(replace(sample, players=players))
    if isinstance(world, ReferenceWorld):
        LINE_UP.begin(world, "play_on")  # where an agent of the league fails, its negotiation ends
    world.look([partial(_count, acts) if i == seat else _nothing for i in range(len(players))])
    world.start()
    if from_outside:
        _play_from_outside(world, player, seat)
    rows, table = LINE_UP.measure(world)
    told = rows[seat] | audit_columns(acts, table[seat])
    stock = settle_world(sample.spec, world.contracts, config.stock).stock[seat] / int(sample.spec.lines[seat])
    told["stock_moves"] = float(np.diff(stock).std())
    told["cash_moves"] = float((table[seat]["profit"] / told["initial_balance"]).std())
    begin = surge_of(int(begin_sampling(np.zeros(1, np.uint64), seed)), sample.spec.n_days).begin
    told["early"], told["risen"] = (float(stock[min(day, len(stock) - 1)]) for day in (begin, begin + RISE // 2))
    return {name: told[name] for name in MEASURED}


def _play_from_outside(world: Any, player: Any, seat: int) -> None:
    player.begin(world.view(seat))
    while world.pending:
        for last in world.closed_days(seat):
            player.end_day(last)
        world.step({seat: player.act(world.view(seat))})
