"""How compiled code takes a strategy's turn: one function over the record of a player, called by its address."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types
from numba.np.numpy_support import carray

from scml_gym.bilateral.negotiators.base import NO_OFFER, Table, TableStrategy, outside
from scml_gym.jit.callbacks import (
    callback,
    caller_by_address,
    floats_at,
    integers_at,
    number_callback,
    refuse_uncompiled,
)
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import fill_draws

PLAYER_STATE_DTYPE = np.dtype(
    [
        ("seed", np.uint64),  # of the draws
        *((n, np.int64) for n in ("side", "n_outcomes", "n_issues", "n_steps", "turn")),
        *((n, np.int64) for n in Table._fields),  # addresses, as are those of the next line
        *((n, np.int64) for n in ("params", "state", "draws", "n_params", "n_state", "n_draws")),
        *((n, np.int64) for n in ("step", "offer", "bid", "accepts", "failed")),  # what a turn reads, and brings
    ],
    align=True,
)
"""One side: its table, its strategy (``turn`` is 0 where there is none) and the turn that it takes; ``failed`` is one
of the following."""

OUTSIDE, RAISED = 1, 2
"""The bid is no outcome; a function of the strategy raised."""

_TURN = types.intp(types.CPointer(numba.from_dtype(PLAYER_STATE_DTYPE)))

call_turn = caller_by_address(1)
"""``call_turn(player["turn"], (address of the record,))`` returns what ``failed`` is then."""


def turn_address(strategy: TableStrategy) -> int:
    """Address of a strategy's compiled turn.

    Raises:
        InputError: if it does not compile.
    """
    with refuse_uncompiled(
        f"negotiator {strategy.name!r}",
        "; mark its helpers with scml_gym.jit.compile.jittable, or play it with backend='reference'",
    ):
        return callback(_turn, _TURN, strategy.receive, strategy.propose, strategy.accepts).address


def _turn(receive: Any, propose: Any, accepts: Any) -> Any:
    """A turn as a C function; see `scml_gym.bilateral.negotiators.base.TablePlayer.turn`."""

    def turn(pointer: Any) -> int:
        player = carray(pointer, 1)[0]
        table, offer, step, n_steps = table_of(player), player["offer"], player["step"], player["n_steps"]
        state, params = floats_at(player["state"], player["n_state"]), floats_at(player["params"], player["n_params"])
        draws = floats_at(player["draws"], player["n_draws"])
        fill_draws(player["seed"], player["side"], step, 0, player["n_draws"], draws)
        try:  # an exception that leaves a C callback is printed and lost; told this way, it is raised again in Python
            if offer != NO_OFFER:
                receive(table, offer, step, n_steps, state, params, draws)
            bid = int(propose(table, step, n_steps, state, params, draws))
            player["bid"] = bid
            if outside(table, bid):
                player["failed"] = OUTSIDE
            else:
                player["accepts"] = offer != NO_OFFER and accepts(
                    table, offer, bid, step, n_steps, state, params, draws
                )
        except Exception:  # noted, and raised in Python; it would be lost here, and Numba compiles no narrower clause
            player["failed"] = RAISED
        return player["failed"]

    return turn


def reward_address(function: Any) -> int:
    """Address of a compiled part of a reward; see `scml_gym.jit.callbacks.number_callback`.

    Raises:
        InputError: if it does not compile.
    """
    with refuse_uncompiled(f"reward {getattr(function, '__name__', function)!r}", ": use vectorization_mode='sync'"):
        return number_callback(function).address


@jittable
def table_of(player: np.void) -> Table:
    """A player's table; in compiled code only."""
    n = player["n_outcomes"]
    utilities, ranked = floats_at(player["utilities"], n), floats_at(player["sorted"], n)
    return Table(utilities, integers_at(player["order"], n), ranked, integers_at(player["shape"], player["n_issues"]))
