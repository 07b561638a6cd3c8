"""Rosters: the players that may be cast in a batch of worlds, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.copying import replace_numbers
from scml_gym.core.errors import InputError
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.strategies.base import Strategy, StrategyPolicy
from scml_gym.oneshot.worlds.compiled.layout import ASYNCHRONOUS, EXTERNAL, SYNCHRONOUS, World
from scml_gym.oneshot.worlds.compiled.strategy_calls import strategy_addresses

PLAYER_DTYPE = np.dtype(
    [(n, np.int64) for n in ("kind", "decide", "learn", "n_draws", "params", "n_params", "n_state")], align=True
)
"""A strategy: how it is asked, addresses of its functions and parameters, and how much it draws and remembers."""


class PlayerTable(NamedTuple):
    """The possible players of a batch.

    Attributes:
        players: ``PLAYER_DTYPE``, shape ``(n,)``.
        params: Of each of them its parameters, float64; must live as long as worlds in which it plays.
        strategies: Of each of them.
    """

    players: np.ndarray
    params: tuple[np.ndarray, ...]
    strategies: tuple[Strategy, ...]

    @property
    def state_size(self) -> int:
        """Numbers that a factory's player may need to remember."""
        return max(1, int(self.players["n_state"].max(initial=0)))


def make_player_table(makers: Sequence[Any]) -> PlayerTable:
    """The player_table of players that are made from a world's seed.

    Raises:
        InputError: if one of them is no strategy, or depends on the seed in another way than through its draws.
    """
    players = np.zeros(len(makers), dtype=PLAYER_DTYPE)
    made: list[StrategyPolicy] = [make(1) for make in makers]
    for row, player, make in zip(players, made, makers, strict=True):
        other = make(2)
        if player.seed != 1 or other.seed != 2 or not np.array_equal(player.parameters, other.parameters):
            raise InputError(
                f"opponents: {player.strategy.name!r} is made anew for each seed, which a batch cannot do", "opponents"
            )
        row["kind"] = SYNCHRONOUS if player.synchronous else ASYNCHRONOUS
        row["decide"], row["learn"] = strategy_addresses(player.strategy)
        row["n_draws"] = player.strategy.n_draws
        row["params"], row["n_params"] = player.parameters.ctypes.data, len(player.parameters)
        row["n_state"] = player.strategy.state_size
    return PlayerTable(players, tuple(player.parameters for player in made), tuple(player.strategy for player in made))


def in_play(player_table: PlayerTable, params: np.ndarray) -> PlayerTable:
    """The part of a player_table whose parameters are still pointed to, by the addresses in an array."""
    kept = np.flatnonzero(np.isin(player_table.players["params"], params)).tolist()
    return PlayerTable(
        player_table.players[kept],
        tuple(player_table.params[i] for i in kept),
        tuple(player_table.strategies[i] for i in kept),
    )


ADDRESSES = ("decide", "learn", "params")
"""Fields that point to what belongs to a player_table."""


def readdress(player_table: PlayerTable) -> dict[int, int]:
    """Point the players of a copied player_table to its own functions and parameters.

    Returns:
        What their addresses were -> what they are.
    """
    moved = {}
    for row, params, strategy in zip(player_table.players, player_table.params, player_table.strategies, strict=True):
        for name, address in zip(ADDRESSES, (*strategy_addresses(strategy), params.ctypes.data), strict=True):
            moved[int(row[name])] = address
            row[name] = address
    return moved


def move_addresses(records: np.ndarray, moved: dict[int, int]) -> None:
    """Change the addresses of records of players, an array of any shape, as `readdress` says."""
    for name in ADDRESSES:
        records[name] = replace_numbers(records[name], moved)


@jittable
def place_players(
    world: World, players: np.ndarray, choices: np.ndarray, learner: int, seed: int, state: np.ndarray
) -> None:
    """Put the players that were drawn into a world, and an external one in the place of the learner's.

    Args:
        world: Its number of factories is set.
        players: Of the player_table.
        choices: int64, the player of each factory.
        learner: The external factory; -1 for none.
        seed: Of the strategies' draws.
        state: float64, shape ``(MAX_FACTORIES, state size)``: what the strategies remember; is cleared.
    """
    size = state.shape[1]
    state[:] = 0.0
    for factory in range(world["spec"]["n_sellers"] + world["spec"]["n_buyers"]):
        seat, player = world["players"][factory], players[choices[factory]]
        seat["kind"] = EXTERNAL if factory == learner else player["kind"]
        seat["decide"] = player["decide"]
        seat["learn"] = 0 if factory == learner else player["learn"]
        seat["n_draws"] = player["n_draws"]
        seat["params"], seat["n_params"] = player["params"], player["n_params"]
        seat["state"], seat["n_state"] = state.ctypes.data + factory * size * state.itemsize, player["n_state"]
        seat["seed"] = np.uint64(seed)
