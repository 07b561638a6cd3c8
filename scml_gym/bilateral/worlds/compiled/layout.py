"""Records of the compiled table world: a seat for each side, and the negotiation."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from scml_gym.bilateral.negotiators.base import Table, outside_error
from scml_gym.bilateral.view import LEARNER, OPPONENT, VIEW_DTYPE
from scml_gym.bilateral.worlds.compiled.calls import OUTSIDE, SEAT_DTYPE, turn_address
from scml_gym.bilateral.worlds.protocol import Bidder, Negotiation
from scml_gym.core.errors import InputError

GAME_DTYPE = np.dtype([("view", VIEW_DTYPE), ("seats", SEAT_DTYPE, (2,))], align=True)
"""One negotiation; the seats are the learner's and the opponent's."""

Game: TypeAlias = Any
"""One record of ``GAME_DTYPE``."""


def fill_game(game: Game, negotiation: Negotiation) -> list[Any]:
    """Adapter both sides of a negotiation in a record.

    Returns:
        What the record points to; it must live as long as the record is played.

    Raises:
        InputError: if a strategy does not compile.
    """
    game["view"] = negotiation.new_view()
    return [
        _fill_seat(game["seats"][LEARNER], LEARNER, negotiation, negotiation.bids),
        _fill_seat(game["seats"][OPPONENT], OPPONENT, negotiation, negotiation.opponent),
    ]


def point_game(game: Game, negotiation: Negotiation, memory: list[Any]) -> None:
    """Point a copied record, seated by `fill_game`, to a copy of what that returned."""
    for seat, bidder, arrays in zip(game["seats"], (negotiation.bids, negotiation.opponent), memory, strict=True):
        seat["turn"] = 0 if bidder is None else turn_address(bidder.strategy)
        _point(seat, arrays)


def check_game(game: Game, negotiation: Negotiation) -> None:
    """Say what a strategy did wrong.

    Raises:
        InputError: if one failed.
    """
    for seat, bidder in zip(game["seats"], (negotiation.bids, negotiation.opponent), strict=True):
        if bidder is None or not seat["failed"]:
            continue
        if seat["failed"] == OUTSIDE:
            raise outside_error(bidder.strategy, int(seat["bid"]), int(seat["n_outcomes"]))
        raise InputError(
            f"negotiator {bidder.strategy.name!r} fails in round {int(seat['step']) + 1}: a function of it raised;"
            " backend='reference' tells what"
        )


def _fill_seat(seat: Any, side: int, negotiation: Negotiation, bidder: Bidder | None) -> list[np.ndarray]:
    table = negotiation.tables[side]
    arrays = list(table)
    seat["turn"] = 0
    seat["side"], seat["n_outcomes"], seat["n_steps"] = side, len(table.utilities), negotiation.rounds
    seat["n_issues"] = len(table.shape)
    if bidder is not None:
        strategy = bidder.strategy
        seat["turn"] = turn_address(strategy)
        own = (
            strategy.parameter_array(bidder.parameters),
            np.zeros(strategy.state_length(len(table.utilities), negotiation.rounds)),
            np.zeros(strategy.n_draws),
        )
        for name, array in zip(OWN, own, strict=True):
            seat[f"n_{name}"] = len(array)
        arrays += own
    _point(seat, arrays)
    return arrays


OWN = ("params", "state", "draws")
"""What a strategy has for itself."""


def _point(seat: Any, arrays: list[np.ndarray]) -> None:
    """Tell a seat where its table is, and what its strategy has for itself, if it has one."""
    for name, array in zip((*Table._fields, *OWN), arrays, strict=False):
        seat[name] = array.ctypes.data
