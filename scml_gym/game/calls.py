"""How compiled code calls strategies by address, whatever their game: it need not know them, and compiles once."""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba import types

from scml_gym.game.strategy import Strategy, StrategyError, StrategyPolicy
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


@functools.cache
def _pointer(dtype: np.dtype) -> Any:
    """Numba's type of an address of such a record; made once, as it takes longer than a short world."""
    return types.CPointer(numba.from_dtype(dtype))


def strategy_addresses(strategy: Strategy) -> tuple[int, int]:
    """Addresses of a strategy's compiled ``decide`` and ``learn``, 0 where it learns nothing.

    Raises:
        InputError: if they do not compile.
    """
    interface = strategy.interface
    view, action = _pointer(interface.view), _pointer(interface.action)
    shown = (view, _FLOATS, types.intp, _FLOATS, types.intp)
    with refuse_uncompiled(
        f"strategy {strategy.name!r}",
        f"; mark its helpers with scml_gym.jit.compile.jittable{interface.advice}",
    ):
        signature = types.intp(*shown, _FLOATS, action)
        decide = callback(decide_caller(interface.n_answers), signature, strategy.decide).address
        StrategyError.names.setdefault(decide, {})[strategy.name] = None
        if strategy.learn is None:
            return decide, 0
        return decide, callback(_learn_caller, types.intp(*shown), strategy.learn).address


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

DONE, RAISED = 0, 1
"""What a call brings: an exception that leaves a C callback would be printed and lost."""


@jittable
def call_decide(player: Any, view: int, state: int, draws: int, actions: int) -> None:
    """Have a player decide; in compiled code only.

    Args:
        player: A record with the fields of `PLAYER_DTYPE`.
        view: Address of what it sees.
        state: Of what it remembers.
        draws: Of its uniform numbers (see `scml_gym.jit.random.fill_draws`), with room for ``N_DRAWS``.
        actions: Of its answers, no-ops before.

    Raises:
        StrategyError: if its strategy raised.
    """
    shown = view, state, player["n_state"], player["params"], player["n_params"]
    if _call_7(player["decide"], (*shown, draws, actions)) != DONE:
        raise StrategyError(player["decide"])


@jittable
def call_learn(player: Any, view: int, state: int) -> None:
    """Let a player learn, if its strategy does; see `call_decide`."""
    if player["learn"] != 0:
        if _call_5(player["learn"], (view, state, player["n_state"], player["params"], player["n_params"])) != DONE:
            raise StrategyError(player["decide"])


@functools.cache
def decide_caller(n_answers: int) -> Any:
    """What makes a C callback of a ``decide`` that gives so many answers to a view."""

    def caller(decide: Any) -> Any:
        def call(view: Any, state: Any, n_state: int, params: Any, n_params: int, draws: Any, actions: Any) -> int:
            # only the call of what may raise stands in the `try`: the arrays in it would cost a fiftieth of the speed
            seen, memory, numbers = array_at(view, 1)[0], array_at(state, n_state), array_at(params, n_params)
            uniforms, answers = array_at(draws, N_DRAWS), array_at(actions, n_answers)
            try:
                decide(seen, memory, numbers, uniforms, answers)
            except Exception:
                return RAISED
            return DONE

        return call

    return caller


def _learn_caller(learn: Any) -> Any:
    def call(view: Any, state: Any, n_state: int, params: Any, n_params: int) -> int:
        seen, memory, numbers = array_at(view, 1)[0], array_at(state, n_state), array_at(params, n_params)
        try:
            learn(seen, memory, numbers)
        except Exception:
            return RAISED
        return DONE

    return call
