"""A world of the real league simulation with a named line-up, and what became of every factory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.oneshot.players import Player
from scml_gym.oneshot.settlement import negotiation_counts, settle_world
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld

ENTRY_POINTS = (
    "init",
    "before_step",
    "step",
    "first_proposals",
    "counter_all",
    "propose",
    "respond",
    "on_negotiation_success",
    "on_negotiation_failure",
    "on_negotiation_end",
    "on_preferences_changed",
)
"""Where the simulation enters an agent."""

PARTS = ("profit", "revenue", "supplies", "production", "disposal", "shortfall")


def try_player(player: Player, name: str) -> None:
    """Make an agent that is thrown away.

    Raises:
        InputError: if it is no player of a factory.
    """
    checked = check_player(player, name)
    if isinstance(checked, tuple):
        agent_class, parameters = checked
        agent_class(**parameters)


def check_player(player: Any, name: str) -> Player:
    """The player itself.

    Raises:
        InputError: if it is none.
    """
    is_class = isinstance(player, tuple) and len(player) == 2 and isinstance(player[0], type)
    if not is_class and not all(hasattr(player, part) for part in ("synchronous", "begin", "act", "end_day")):
        raise InputError(f"{name!r} makes a {type(player).__name__}, which is no player of a factory")
    return player


def play_line_up(
    players: Sequence[Player], seed: int, days: int, watch: Callable[[Any, int, Sequence[str]], None]
) -> list[dict[str, Any]]:
    """Play one world to its end.

    Args:
        players: Of every factory: sellers, then as many buyers.
        seed: Of the world's parameters and of the simulation.
        days: Simulated days.
        watch: Called with every agent, its factory and `ENTRY_POINTS`.

    Returns:
        For each factory: level, score, initial_balance, profit and its parts (revenue, supplies, production, disposal,
        shortfall, in money over the whole world), agreements, negotiations, bankrupt (0 or 1).
    """
    return _played(_world(players, seed, days), watch)


def play_line_up_on(
    players: Sequence[Player], seed: int, days: int, watch: Callable[[Any, int, Sequence[str]], None]
) -> list[dict[str, Any]]:
    """`play_line_up`, but a negotiation in which an agent raises ends, and the world goes on."""
    world = _world(players, seed, days)
    world.world.ignore_negotiation_exceptions = True
    return _played(world, watch)


def _world(players: Sequence[Player], seed: int, days: int) -> ReferenceWorld:
    return ReferenceWorld(league_spec(seed, days=days, factories_per_level=len(players) // 2), players, seed)


def _played(world: ReferenceWorld, watch: Callable[[Any, int, Sequence[str]], None]) -> list[dict[str, Any]]:
    spec = world.spec
    for factory, agent in enumerate(world.agents):
        watch(agent, factory, ENTRY_POINTS)
    world.run()
    contracts = world.contracts
    table = settle_world(spec, contracts, world.trading_prices)
    agreements = np.bincount(np.append(contracts["seller"], contracts["buyer"]), minlength=spec.n_factories)
    negotiations = negotiation_counts(spec, table["bankrupt"])
    return [
        {
            "level": "seller" if spec.level[i] == 0 else "buyer",
            "score": float(world.scores[i]),
            "initial_balance": int(spec.initial_balance[i]),
            **{part: float(sum(table[part][i].tolist())) for part in PARTS},
            "agreements": int(agreements[i]),
            "negotiations": int(negotiations[i]),
            "bankrupt": int(world.bankrupt[i]),
        }
        for i in range(spec.n_factories)
    ]
