"""A world of the real league simulation with a named line-up, and what became of every factory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scml_gym.game.definition import Setting
from scml_gym.oneshot.players import Player
from scml_gym.oneshot.safety.audit import audit_world
from scml_gym.oneshot.settlement import settle_world
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.line_up import ENTRY_POINTS, negotiation_counts
from scml_gym.simulator.recording.log import WorldLog

PARTS = ("profit", "revenue", "supplies", "production", "disposal", "shortfall")


def play_line_up(
    players: Sequence[Player],
    seed: int,
    setting: Setting,
    watch: Callable[[Any, int, Sequence[str]], None],
    log: WorldLog | None = None,
) -> list[dict[str, Any]]:
    """Play one world to its end.

    Args:
        players: Of every factory: sellers, then as many buyers.
        seed: Of the world's parameters and of the simulation.
        setting: Has the simulated days.
        watch: Called with every agent, its factory and `ENTRY_POINTS`.
        log: Receives what happens, where the world is recorded.

    Returns:
        For each factory: level, score, initial_balance, profit and its parts (revenue, supplies, production, disposal,
        shortfall, in money over the whole world), agreements, negotiations, bankrupt (0 or 1), and the
        columns of the audit, see `scml_gym.oneshot.game.AUDIT_COLUMNS`.
    """
    return _played(_world(players, seed, setting, log), watch)


def play_line_up_on(
    players: Sequence[Player],
    seed: int,
    setting: Setting,
    watch: Callable[[Any, int, Sequence[str]], None],
    log: WorldLog | None = None,
) -> list[dict[str, Any]]:
    """`play_line_up`, but a negotiation in which an agent raises ends, and the world goes on."""
    world = _world(players, seed, setting, log)
    world.world.ignore_negotiation_exceptions = True
    return _played(world, watch)


def _world(players: Sequence[Player], seed: int, setting: Setting, log: WorldLog | None) -> ReferenceWorld:
    spec = league_spec(seed, days=setting.days, factories_per_level=len(players) // 2)
    return ReferenceWorld(spec, players, seed, log=log)


def _played(world: ReferenceWorld, watch: Callable[[Any, int, Sequence[str]], None]) -> list[dict[str, Any]]:
    spec = world.spec
    for factory, agent in enumerate(world.agents):
        watch(agent, factory, ENTRY_POINTS)
    tallies = audit_world(world, world.log)  # after `watch`: what a player raises is judged as its own
    world.run()
    contracts = world.contracts
    table = settle_world(spec, contracts, world.trading_prices)
    agreements = np.bincount(np.append(contracts["seller"], contracts["buyer"]), minlength=spec.n_factories)
    negotiations = negotiation_counts(spec.level, table["bankrupt"])
    return [
        {
            "level": "seller" if spec.level[i] == 0 else "buyer",
            "score": float(world.scores[i]),
            "initial_balance": int(spec.initial_balance[i]),
            **{part: float(sum(table[part][i].tolist())) for part in PARTS},
            "agreements": int(agreements[i]),
            "negotiations": int(negotiations[i]),
            "bankrupt": int(world.bankrupt[i]),
            **tallies[i].columns(table[i]),
        }
        for i in range(spec.n_factories)
    ]
