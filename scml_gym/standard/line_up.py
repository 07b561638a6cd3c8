"""Worlds of the Standard track in the real league simulation with named line-ups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scml_gym.game.definition import Setting
from scml_gym.simulator.line_up import LineUp, Outcome
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.standard.players import Player
from scml_gym.standard.safety.audit import audit_world
from scml_gym.standard.settlement import settle_world
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld

PARTS = ("profit", "revenue", "supplies", "production", "storage", "shortfall")
ITEMS = ("produced", "missing")


def place_of(level: int, n_levels: int) -> str:
    """Where in the chain a level is: first, middle or last."""
    if level == 0:
        return "first"
    return "last" if level == n_levels - 1 else "middle"


def _make(players: Sequence[Player], seed: int, setting: Setting, log: WorldLog | None) -> ReferenceWorld:
    stock: Any = setting.stock
    spec = league_spec(seed, setting.days, len(players) // setting.levels, setting.levels)
    return ReferenceWorld(spec, players, seed, stock, log=log)


def _settle(world: Any) -> Outcome:
    spec, contracts = world.spec, world.contracts
    settled = settle_world(spec, contracts, world.stock_rule)
    delivered = contracts[~settled.nullified]
    executed = np.bincount(np.append(delivered["seller"], delivered["buyer"]), minlength=spec.n_factories)
    bought = np.bincount(delivered["buyer"], delivered["quantity"], minlength=spec.n_factories)
    levels = [place_of(level, spec.n_levels) for level in spec.level.tolist()]
    columns = [
        {
            "bought": int(bought[i]),
            **{item: int(settled.table[item][i].sum()) for item in ITEMS},
            "stock": int(world.stock[i, -1]),
            "executed": int(executed[i]),
        }
        for i in range(spec.n_factories)
    ]
    return Outcome(settled.table, settled.bankrupt, levels, columns)


LINE_UP = LineUp(_make, _settle, audit_world, PARTS)
"""Factories come level by level; a factory's level is ``"first"``, ``"middle"`` or ``"last"``, and the columns are
those of `scml_gym.standard.game.COMPETITION`."""

play_line_up, play_line_up_on = LINE_UP.play, LINE_UP.play_on
