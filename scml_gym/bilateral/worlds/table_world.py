"""The compiled table world behind the protocol of bilateral worlds: utilities in tables, strategies by address."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.bilateral.view import VIEW_DTYPE, BilateralView
from scml_gym.bilateral.worlds.compiled.game import answer_one, begin_one, play_seeds
from scml_gym.bilateral.worlds.compiled.layout import GAME_DTYPE, check_game, fill_game, point_game
from scml_gym.bilateral.worlds.protocol import Bidder, Negotiation, check_response
from scml_gym.core.copying import Independent
from scml_gym.core.errors import InputError


class TableWorld(Independent):
    """A negotiation in machine code; see `scml_gym.bilateral.worlds.protocol.BilateralWorld`.

    A copy plays on by itself.

    Raises:
        InputError: if the opponent is no `TableStrategy`, or a strategy does not compile.
    """

    backend = "compiled"

    def __init__(self, negotiation: Negotiation):
        check_opponent(negotiation)
        self._negotiation = negotiation
        self._games = np.zeros(1, dtype=GAME_DTYPE)
        self._memory = fill_game(self._games[0], negotiation)
        self.view: BilateralView = self._games["view"][0]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "view"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.view = self._games["view"][0]
        point_game(self._games[0], self._negotiation, self._memory)

    def start(self, seed: int) -> None:
        """Begin anew and run to the learner's first turn.

        Raises:
            InputError: if a strategy fails or offers what is no outcome.
        """
        begin_one(self._games, 0, seed)
        check_game(self._games[0], self._negotiation)

    def answer(self, response: int) -> None:
        """Give the learner's response and run to its next turn or the end.

        Raises:
            InputError: if the negotiation has ended, or the response is neither one nor an outcome; as `start`.
        """
        check_response(self.view, response)
        answer_one(self._games, 0, response)
        check_game(self._games[0], self._negotiation)

    def close(self) -> None:
        """End a running negotiation."""
        self.view["running"] = 0


def check_opponent(negotiation: Negotiation) -> None:
    """Refuse an opponent that cannot be compiled.

    Raises:
        InputError: if it is a negmas negotiator.
    """
    if not isinstance(negotiation.opponent, Bidder):
        name = getattr(negotiation.opponent, "__name__", negotiation.opponent)
        raise InputError(f"opponent: {name!r} is a negmas negotiator: play it with backend='reference'")


def play(negotiation: Negotiation, seeds: Any) -> np.ndarray:
    """Play a negotiation of two strategies once with each seed, in compiled code.

    Args:
        negotiation: Both its ``bids`` and its ``opponent`` are strategies; the first accepts for itself too.
        seeds: Integers from 0 to 2**63 - 1, shape ``(n,)``.

    Returns:
        The last views of the first side, ``VIEW_DTYPE``, shape ``(n,)``.

    Raises:
        InputError: if a side is no strategy, or a strategy does not compile or fails.
    """
    check_opponent(negotiation)
    if negotiation.bids is None:
        raise InputError("bids: nobody plays the first side")
    games = np.zeros(1, dtype=GAME_DTYPE)
    memory = fill_game(games[0], negotiation)
    seeds = np.asarray(seeds, dtype=np.int64)
    results = np.zeros(len(seeds), dtype=VIEW_DTYPE)
    play_seeds(games, seeds, results)
    del memory  # lived until here, as the record points to it
    check_game(games[0], negotiation)
    return results
