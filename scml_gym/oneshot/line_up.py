"""OneShot worlds of the real league simulation with named line-ups."""

from __future__ import annotations

from collections.abc import Sequence

from scml_gym.game.definition import Setting
from scml_gym.oneshot.players import Player
from scml_gym.oneshot.safety.audit import audit_world
from scml_gym.oneshot.settlement import settle_world
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.line_up import LineUp, Outcome
from scml_gym.simulator.recording.log import WorldLog

PARTS = ("profit", "revenue", "supplies", "production", "disposal", "shortfall")


def _make(players: Sequence[Player], seed: int, setting: Setting, log: WorldLog | None) -> ReferenceWorld:
    spec = league_spec(seed, days=setting.days, factories_per_level=len(players) // 2)
    return ReferenceWorld(spec, players, seed, log=log)


def _settle(world: ReferenceWorld) -> Outcome:
    table = settle_world(world.spec, world.contracts, world.trading_prices)
    levels = ["buyer" if level else "seller" for level in world.spec.level]
    return Outcome(table, table["bankrupt"], levels, [{}] * len(levels))


LINE_UP = LineUp(_make, _settle, audit_world, PARTS)
"""Sellers come first, then as many buyers; a factory's level is ``"seller"`` or ``"buyer"``, and the columns are those
of `scml_gym.oneshot.game.COMPETITION`."""

play_line_up, play_line_up_on = LINE_UP.play, LINE_UP.play_on
