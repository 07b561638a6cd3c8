"""OneShot worlds of the real league simulation with named line-ups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scml_gym.game.definition import Setting
from scml_gym.oneshot.losses import LOSSES_DTYPE, losses
from scml_gym.oneshot.players import Player
from scml_gym.oneshot.safety.audit import audit_world, prepare_audit
from scml_gym.oneshot.settlement import settle_world, trading_prices
from scml_gym.oneshot.worlds.adapters import agent_class
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import CONTRACT_DTYPE, ReferenceWorld
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.line_up import LineUp, Outcome
from scml_gym.simulator.recording.log import AUDITED, WorldLog

LOSSES = LOSSES_DTYPE.names or ()
PARTS = ("profit", "revenue", "supplies", "production", "disposal", "shortfall")


def _spec(seed: int, setting: Setting, factories: int) -> WorldSpec:
    return league_spec(seed, days=setting.days, factories_per_level=factories // 2)


def _make(spec: Any, players: Sequence[Player], seed: int, setting: Setting, log: WorldLog | None) -> ReferenceWorld:
    return ReferenceWorld(spec, players, seed, log=log)


def _settle(spec: WorldSpec, contracts: np.ndarray, stock: str) -> Outcome:
    prices = trading_prices(spec, contracts)
    table = settle_world(spec, contracts, prices)
    lost = losses(spec, table, prices)
    columns = [{name: float(sum(lost[name][i].tolist())) for name in LOSSES} for i in range(spec.n_factories)]
    levels = ["buyer" if level else "seller" for level in spec.level]
    return Outcome(table, table["bankrupt"], levels, columns)


def _agent(player: Player) -> tuple[type, dict[str, Any]]:
    return agent_class(player, "rounds")


LINE_UP = LineUp(_spec, _make, _settle, audit_world, _agent, PARTS, CONTRACT_DTYPE, AUDITED, prepare_audit)
"""Sellers come first, then as many buyers; a factory's level is ``"seller"`` or ``"buyer"``, and the columns are those
of `scml_gym.oneshot.game.COMPETITION`."""

play_line_up, play_line_up_on = LINE_UP.play, LINE_UP.play_on
