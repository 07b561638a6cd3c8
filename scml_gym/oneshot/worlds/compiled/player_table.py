"""Player tables: the players that may be drawn for the worlds of a batch, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.game import calls
from scml_gym.game.strategy import StrategyPolicy
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.worlds.compiled.layout import ASYNCHRONOUS, EXTERNAL, SYNCHRONOUS, World

PLAYER_DTYPE = np.dtype([("kind", np.int64), *calls.PLAYER_DTYPE.descr], align=True)
"""A player: how it is asked, and how it is called."""


class PlayerTable(NamedTuple):
    """The possible players of a batch.

    Attributes:
        players: ``PLAYER_DTYPE``, shape ``(n,)``.
        params: Of each of them its parameters, float64; must live as long as worlds in which it plays.
    """

    players: np.ndarray
    params: tuple[np.ndarray, ...]

    @property
    def state_size(self) -> int:
        """Numbers that a factory's player may need to remember."""
        return max(1, int(self.players["n_state"].max(initial=0)))


def make_player_table(makers: Sequence[Any]) -> PlayerTable:
    """The table of players that are made from a world's seed.

    Raises:
        InputError: if one of them is no strategy, or depends on the seed in another way than through its draws.
    """
    players = np.zeros(len(makers), dtype=PLAYER_DTYPE)
    made: list[StrategyPolicy] = [make(1) for make in makers]
    for row, player, make in zip(players, made, makers, strict=True):
        other = make(2)
        if player.seed != 1 or other.seed != 2 or not np.array_equal(player.parameters, other.parameters):
            raise InputError(f"opponents: {player.strategy.name!r} is made anew for each seed, which a batch cannot do")
        row["kind"] = SYNCHRONOUS if player.synchronous else ASYNCHRONOUS
        calls.fill_player(row, player)
    return PlayerTable(players, tuple(player.parameters for player in made))


@jittable
def place_players(
    world: World, players: np.ndarray, choices: np.ndarray, learner: int, seed: int, state: np.ndarray
) -> None:
    """Put the players that were drawn into the seats of a world, and an external one into the learner's.

    Args:
        world: Its number of factories is set.
        players: Of the table.
        choices: int64, the player of each factory.
        learner: The external factory; -1 for none.
        seed: Of the strategies' draws.
        state: float64, shape ``(MAX_FACTORIES, state size)``: what the strategies remember; is cleared.
    """
    size = state.shape[1]
    state[:] = 0.0
    for factory in range(world["spec"]["n_sellers"] + world["spec"]["n_buyers"]):
        seat, player = world["seats"][factory], players[choices[factory]]
        seat["kind"] = EXTERNAL if factory == learner else player["kind"]
        seat["decide"] = player["decide"]
        seat["learn"] = 0 if factory == learner else player["learn"]
        seat["n_draws"] = player["n_draws"]
        seat["params"], seat["n_params"] = player["params"], player["n_params"]
        seat["state"], seat["n_state"] = state.ctypes.data + factory * size * state.itemsize, player["n_state"]
        seat["seed"] = np.uint64(seed)
