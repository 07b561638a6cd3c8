"""Records of the compiled table world: the player of each side, and the negotiation."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from scml_gym.bilateral.negotiators.base import Table, outside_error
from scml_gym.bilateral.view import LEARNER, OPPONENT, VIEW_DTYPE
from scml_gym.bilateral.worlds.compiled.calls import OUTSIDE, PLAYER_STATE_DTYPE, turn_address
from scml_gym.bilateral.worlds.protocol import Bidder, Negotiation
from scml_gym.core.errors import InputError

GAME_DTYPE = np.dtype([("view", VIEW_DTYPE), ("players", PLAYER_STATE_DTYPE, (2,))], align=True)
"""One negotiation; the players are the learner's and the opponent's."""

Game: TypeAlias = Any
"""One record of ``GAME_DTYPE``."""


def fill_game(game: Game, negotiation: Negotiation) -> list[Any]:
    """Fill a record with both sides of a negotiation.

    Returns:
        What the record points to; it must live as long as the record is played.

    Raises:
        InputError: if a strategy does not compile.
    """
    game["view"] = negotiation.new_view()
    return [
        _fill_player(game["players"][LEARNER], LEARNER, negotiation, negotiation.bids),
        _fill_player(game["players"][OPPONENT], OPPONENT, negotiation, negotiation.opponent),
    ]


def point_game(game: Game, negotiation: Negotiation, memory: list[Any]) -> None:
    """Point a copied record that `fill_game` filled to a copy of what that returned."""
    for player, bidder, arrays in zip(game["players"], (negotiation.bids, negotiation.opponent), memory, strict=True):
        player["turn"] = 0 if bidder is None else turn_address(bidder.strategy)
        _point(player, arrays)


def check_game(game: Game, negotiation: Negotiation) -> None:
    """Say what a strategy did wrong.

    Raises:
        InputError: if one failed.
    """
    for player, bidder in zip(game["players"], (negotiation.bids, negotiation.opponent), strict=True):
        if bidder is None or not player["failed"]:
            continue
        if player["failed"] == OUTSIDE:
            raise outside_error(bidder.strategy, int(player["bid"]), int(player["n_outcomes"]))
        raise InputError(
            f"negotiator {bidder.strategy.name!r} fails in round {int(player['step']) + 1}: a function of it raised;"
            " backend='reference' tells what"
        )


def _fill_player(player: Any, side: int, negotiation: Negotiation, bidder: Bidder | None) -> list[np.ndarray]:
    table = negotiation.tables[side]
    arrays = list(table)
    player["turn"] = 0
    player["side"], player["n_outcomes"], player["n_steps"] = side, len(table.utilities), negotiation.rounds
    player["n_issues"] = len(table.shape)
    if bidder is not None:
        strategy = bidder.strategy
        player["turn"] = turn_address(strategy)
        own = (
            strategy.parameter_array(bidder.parameters),
            np.zeros(strategy.state_length(len(table.utilities), negotiation.rounds)),
            np.zeros(strategy.n_draws),
        )
        for name, array in zip(OWN, own, strict=True):
            player[f"n_{name}"] = len(array)
        arrays += own
    _point(player, arrays)
    return arrays


OWN = ("params", "state", "draws")
"""What a strategy has for itself."""


def _point(player: Any, arrays: list[np.ndarray]) -> None:
    """Tell a player where its table is, and what its strategy has for itself, if it has one."""
    for name, array in zip((*Table._fields, *OWN), arrays, strict=False):
        player[name] = array.ctypes.data
