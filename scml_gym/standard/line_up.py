"""A world of the real league simulation with a named line-up, and what became of every factory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scml_gym.game.definition import Setting
from scml_gym.simulator.line_up import ENTRY_POINTS, negotiation_counts
from scml_gym.simulator.recording.log import WorldLog
from scml_gym.standard.players import Player
from scml_gym.standard.safety.audit import audit_agents
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


def play_line_up(
    players: Sequence[Player],
    seed: int,
    setting: Setting,
    watch: Callable[[Any, int, Sequence[str]], None],
    log: WorldLog | None = None,
) -> list[dict[str, Any]]:
    """Play one world to its end.

    Args:
        players: Of every factory, level by level, as many on each.
        seed: Of the world's parameters and of the simulation.
        setting: Days, levels and the stock rule.
        watch: Called with every agent, its factory and `ENTRY_POINTS`.
        log: Receives what happens, where the world is recorded.

    Returns:
        For each factory: level (first, middle or last), score, initial_balance, profit and its parts (revenue,
        supplies, production, storage, shortfall, in money over the whole world), bought, produced and missing (items),
        stock (items at the end), agreements, negotiations, bankrupt (0 or 1), executed (agreements that were
        delivered), and the columns of the audit, see
        `scml_gym.standard.game.AUDIT_COLUMNS`.
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
    stock: Any = setting.stock
    spec = league_spec(seed, setting.days, len(players) // setting.levels, setting.levels)
    return ReferenceWorld(spec, players, seed, stock, log=log)


def _played(world: ReferenceWorld, watch: Callable[[Any, int, Sequence[str]], None]) -> list[dict[str, Any]]:
    for factory, agent in enumerate(world.agents):
        watch(agent, factory, ENTRY_POINTS)
    tallies = audit_agents(world.agents, world.log)  # after `watch`: what a player raises is judged as its own
    world.run()
    rows, days = measure(world)
    return [row | tallies[i].columns(days[i]) for i, row in enumerate(rows)]


def measure(world: Any) -> tuple[list[dict[str, Any]], np.ndarray]:
    """What became of every factory of a world that is over.

    Args:
        world: A `ReferenceWorld`, or a `scml_gym.standard.worlds.compiled.world.CompiledWorld`.

    Returns:
        For each factory the columns that `play_line_up` tells, but for those of the audit; its days, settled:
        ``SETTLEMENT_DTYPE`` of `scml_gym.standard.settlement`, shape ``(n_factories, n_days)``.
    """
    spec, contracts = world.spec, world.contracts
    settled = settle_world(spec, contracts, world.stock_rule)

    def count(of: np.ndarray) -> np.ndarray:
        return np.bincount(np.append(of["seller"], of["buyer"]), minlength=spec.n_factories)

    negotiations = negotiation_counts(spec.level, settled.bankrupt)
    delivered = contracts[~settled.nullified]
    agreements, executed = count(contracts), count(delivered)
    bought = np.bincount(delivered["buyer"], delivered["quantity"], minlength=spec.n_factories)
    rows = [
        {
            "level": place_of(int(spec.level[i]), spec.n_levels),
            "score": float(world.scores[i]),
            "initial_balance": int(spec.initial_balance[i]),
            **{part: float(sum(settled.table[part][i].tolist())) for part in PARTS},
            "bought": int(bought[i]),
            **{item: int(settled.table[item][i].sum()) for item in ITEMS},
            "stock": int(world.stock[i, -1]),
            "agreements": int(agreements[i]),
            "negotiations": int(negotiations[i]),
            "bankrupt": int(world.bankrupt[i]),
            "executed": int(executed[i]),
        }
        for i in range(spec.n_factories)
    ]
    return rows, settled.table
