"""How compiled code calls strategies by address, whatever their game: it need not know them, and compiles once."""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba import types

from scml_gym.game.strategy import Strategy, StrategyPolicy
from scml_gym.jit.arrays import array_at
from scml_gym.jit.callbacks import callback, caller_by_address, refuse_uncompiled
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import N_DRAWS

PLAYER_DTYPE = np.dtype(
    [(n, np.int64) for n in ("decide", "learn", "n_draws", "partner_draws", "params", "n_params", "n_state")],
    align=True,
)
"""How a player is called: addresses of its strategy's compiled functions (0 for none) and of its parameters, and how
much it draws and remembers. A record of a game may have these fields among others; what is here takes it too."""

_FLOATS = types.CPointer(types.float64)


def strategy_addresses(strategy: Strategy) -> tuple[int, int]:
    """Addresses of a strategy's compiled ``decide`` and ``learn``, 0 where it learns nothing.

    Raises:
        InputError: if they do not compile.
    """
    interface = strategy.interface
    view, action = (types.CPointer(numba.from_dtype(dtype)) for dtype in (interface.view, interface.action))
    shown = (view, _FLOATS, types.intp, _FLOATS, types.intp)
    with refuse_uncompiled(
        f"strategy {strategy.name!r}",
        f"; mark its helpers with scml_gym.jit.compile.jittable{interface.advice}",
    ):
        signature = types.void(*shown, _FLOATS, action)
        decide = callback(decide_caller(interface.n_answers), signature, strategy.decide).address
        if strategy.learn is None:
            return decide, 0
        return decide, callback(_learn_caller, types.void(*shown), strategy.learn).address


def fill_player(record: Any, player: StrategyPolicy) -> None:
    """Write into the fields of `PLAYER_DTYPE` how a player is called, who must live as long as the record is played.

    Raises:
        InputError: if its strategy does not compile.
    """
    strategy = player.strategy
    record["decide"], record["learn"] = strategy_addresses(strategy)
    record["n_draws"], record["partner_draws"] = strategy.n_draws, strategy.partner_draws
    record["n_state"] = strategy.state_size
    record["params"], record["n_params"] = player.parameters.ctypes.data, len(player.parameters)


_call_7, _call_5 = caller_by_address(7), caller_by_address(5)


@jittable
def call_decide(player: Any, view: int, state: int, draws: int, actions: int) -> None:
    """Have a player decide; in compiled code only.

    Args:
        player: A record with the fields of `PLAYER_DTYPE`.
        view: Address of what it sees.
        state: Of what it remembers.
        draws: Of its uniform numbers (see `scml_gym.jit.random.fill_draws`), with room for ``N_DRAWS``.
        actions: Of its answers, no-ops before.
    """
    _call_7(player["decide"], (view, state, player["n_state"], player["params"], player["n_params"], draws, actions))


@jittable
def call_learn(player: Any, view: int, state: int) -> None:
    """Let a player learn, if its strategy does; see `call_decide`."""
    if player["learn"] != 0:
        _call_5(player["learn"], (view, state, player["n_state"], player["params"], player["n_params"]))


@functools.cache
def decide_caller(n_answers: int) -> Any:
    """What makes a C callback of a ``decide`` that gives so many answers to a view."""

    def caller(decide: Any) -> Any:
        def call(view: Any, state: Any, n_state: int, params: Any, n_params: int, draws: Any, actions: Any) -> None:
            decide(
                array_at(view, 1)[0],
                array_at(state, n_state),
                array_at(params, n_params),
                array_at(draws, N_DRAWS),
                array_at(actions, n_answers),
            )

        return call

    return caller


def _learn_caller(learn: Any) -> Any:
    def call(view: Any, state: Any, n_state: int, params: Any, n_params: int) -> None:
        learn(array_at(view, 1)[0], array_at(state, n_state), array_at(params, n_params))

    return call
