"""Records of the compiled table world: a seat for each side, and the negotiation."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from scml_gym.bilateral.negotiators.base import outside_error
from scml_gym.bilateral.view import LEARNER, OPPONENT, VIEW_DTYPE
from scml_gym.bilateral.worlds.compiled.calls import OUTSIDE, SEAT_DTYPE, turn_address
from scml_gym.bilateral.worlds.protocol import Bidder, Negotiation
from scml_gym.core.errors import InputError

GAME_DTYPE = np.dtype([("view", VIEW_DTYPE), ("seats", SEAT_DTYPE, (2,))], align=True)
"""One negotiation; the seats are the learner's and the opponent's."""

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
        _fill_seat(game["seats"][LEARNER], LEARNER, negotiation, negotiation.bids),
        _fill_seat(game["seats"][OPPONENT], OPPONENT, negotiation, negotiation.opponent),
    ]


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
    arrays: dict[str, np.ndarray] = table._asdict()
    seat["turn"] = 0
    seat["side"], seat["n_outcomes"], seat["n_steps"] = side, len(table.utilities), negotiation.rounds
    seat["n_issues"] = len(table.shape)
    if bidder is not None:
        strategy = bidder.strategy
        seat["turn"] = turn_address(strategy)
        arrays["params"] = strategy.parameter_array(bidder.parameters)
        arrays["state"] = np.zeros(strategy.state_length(len(table.utilities), negotiation.rounds))
        arrays["draws"] = np.zeros(strategy.n_draws)
        for name in ("params", "state", "draws"):
            seat[f"n_{name}"] = len(arrays[name])
    for name, array in arrays.items():
        seat[name] = array.ctypes.data
    return list(arrays.values())
