"""Player tables: the players that may be drawn for the worlds of a batch, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.copying import replace_numbers
from scml_gym.core.errors import InputError
from scml_gym.game import calls
from scml_gym.game.strategy import Strategy, StrategyInterface, StrategyPolicy, check_interface
from scml_gym.jit.compile import jittable
from scml_gym.simulator.compiled.layout import ASYNCHRONOUS, EXTERNAL, SYNCHRONOUS

PLAYER_DTYPE = np.dtype([("kind", np.int64), *calls.PLAYER_DTYPE.descr, ("mate", np.float64)], align=True)
"""A player: how it is asked, how it is called, and the weight of its rewards in those of a learner."""


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


def make_player_table(makers: Sequence[Any], interface: StrategyInterface) -> PlayerTable:
    """The table of players that are made from a world's seed.

    Args:
        makers: ``(seed) -> player``, a strategy of the game.
        interface: What the game's strategies read and write.

    Raises:
        InputError: if one of them is no strategy of the game, does not compile, or depends on the seed in another way
            than through its draws.
    """
    players = np.zeros(len(makers), dtype=PLAYER_DTYPE)
    made: list[StrategyPolicy] = [make(1) for make in makers]
    for row, player, make in zip(players, made, makers, strict=True):
        other = make(2)
        if player.seed != 1 or other.seed != 2 or not np.array_equal(player.parameters, other.parameters):
            raise InputError(
                f"opponents: {player.strategy.name!r} is made anew for each seed, which a batch cannot do", "opponents"
            )
        check_interface(player.strategy, interface)
        row["kind"] = SYNCHRONOUS if player.synchronous else ASYNCHRONOUS
        calls.fill_player(row, player)
    return PlayerTable(players, tuple(player.parameters for player in made), tuple(player.strategy for player in made))


def in_play(player_table: PlayerTable, params: np.ndarray) -> PlayerTable:
    """The part of a player table whose parameters are still pointed to, by the addresses in an array."""
    kept = np.flatnonzero(np.isin(player_table.players["params"], params)).tolist()
    return PlayerTable(
        player_table.players[kept],
        tuple(player_table.params[i] for i in kept),
        tuple(player_table.strategies[i] for i in kept),
    )


ADDRESSES = ("decide", "learn", "params")
"""Fields that point to what belongs to a player table."""


def readdress(player_table: PlayerTable) -> dict[int, int]:
    """Point the players of a copied player table to its own functions and parameters.

    Returns:
        What their addresses were -> what they are.
    """
    moved = {}
    for row, params, strategy in zip(player_table.players, player_table.params, player_table.strategies, strict=True):
        for name, address in zip(ADDRESSES, (*calls.strategy_addresses(strategy), params.ctypes.data), strict=True):
            moved[int(row[name])] = address
            row[name] = address
    return moved


def move_addresses(records: np.ndarray, moved: dict[int, int]) -> None:
    """Change the addresses of records of players, an array of any shape, as `readdress` says."""
    for name in ADDRESSES:
        records[name] = replace_numbers(records[name], moved)


@jittable
def place_players(
    world: np.void, n: int, players: np.ndarray, choices: np.ndarray, learner: int, seed: int, state: np.ndarray
) -> None:
    """Put the players that were drawn into a world, and an external one in the place of the learner's.

    Args:
        world: A record with ``players``.
        n: Its factories.
        players: Of the table.
        choices: int64, the player of each factory.
        learner: The external factory; -1 for none.
        seed: Of the strategies' draws.
        state: float64, shape ``(n or more, state size)``: what the strategies remember; is cleared.
    """
    size = state.shape[1]
    state[:] = 0.0
    for factory in range(n):
        record, player = world["players"][factory], players[choices[factory]]
        record["kind"] = EXTERNAL if factory == learner else player["kind"]
        record["decide"] = player["decide"]
        record["learn"] = 0 if factory == learner else player["learn"]
        record["n_draws"], record["partner_draws"] = player["n_draws"], player["partner_draws"]
        record["params"], record["n_params"] = player["params"], player["n_params"]
        record["state"], record["n_state"] = state.ctypes.data + factory * size * state.itemsize, player["n_state"]
        record["seed"] = np.uint64(seed)
        record["mate"] = 0.0 if factory == learner else player["mate"]
