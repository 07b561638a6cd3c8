"""Worlds of the Standard track in the real league simulation with named line-ups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scml_gym.game.definition import Setting
from scml_gym.simulator.line_up import LineUp, Outcome
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.standard.players import Player
from scml_gym.standard.safety.audit import COUNTS, audit_world, prepare_audit
from scml_gym.standard.settlement import settle_world
from scml_gym.standard.worlds.adapters import agent_class
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.protocol import CONTRACT_DTYPE
from scml_gym.standard.worlds.reference import ReferenceWorld
from scml_gym.standard.worlds.spec import WorldSpec

PARTS = ("profit", "revenue", "supplies", "production", "storage", "shortfall")
ITEMS = ("produced", "missing")


def place_of(level: int, n_levels: int) -> str:
    """Where in the chain a level is: first, middle or last."""
    if level == 0:
        return "first"
    return "last" if level == n_levels - 1 else "middle"


def _spec(seed: int, setting: Setting, factories: int) -> WorldSpec:
    return league_spec(seed, setting.days, factories // setting.levels, setting.levels)


def _make(spec: Any, players: Sequence[Player], seed: int, setting: Setting, log: WorldLog | None) -> ReferenceWorld:
    stock: Any = setting.stock
    return ReferenceWorld(spec, players, seed, stock, log=log)


def _settle(spec: WorldSpec, contracts: np.ndarray, stock: str) -> Outcome:
    settled = settle_world(spec, contracts, stock)
    delivered = contracts[~settled.nullified]
    executed = np.bincount(np.append(delivered["seller"], delivered["buyer"]), minlength=spec.n_factories)
    bought = np.bincount(delivered["buyer"], delivered["quantity"], minlength=spec.n_factories)
    levels = [place_of(level, spec.n_levels) for level in spec.level.tolist()]
    columns = [
        {
            "bought": int(bought[i]),
            **{item: int(settled.table[item][i].sum()) for item in ITEMS},
            "stock": int(settled.stock[i, -1]),
            "executed": int(executed[i]),
        }
        for i in range(spec.n_factories)
    ]
    return Outcome(settled.table, settled.bankrupt, levels, columns)


LINE_UP = LineUp(_spec, _make, _settle, audit_world, agent_class, PARTS, CONTRACT_DTYPE, COUNTS, prepare_audit)
"""Factories come level by level; a factory's level is ``"first"``, ``"middle"`` or ``"last"``, and the columns are
those of `scml_gym.standard.game.COMPETITION`."""

play_line_up, play_line_up_on = LINE_UP.play, LINE_UP.play_on
