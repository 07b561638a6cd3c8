"""Strategies of a compiled world whose answers are looked at before the world has them.

Only worlds that are played one at a time can be looked at: in place of a strategy's ``decide``, its player's record
holds the address of a function that calls ``decide`` and then Python.
"""

from __future__ import annotations

import ctypes
from typing import Any

from scml_gym.game.calls import DONE, RAISED
from scml_gym.game.strategy import StrategyError
from scml_gym.simulator.pending import Look

_DECIDE = ctypes.CFUNCTYPE(ctypes.c_ssize_t, *[ctypes.c_ssize_t] * 7)
"""See `scml_gym.game.calls.call_decide`."""


def look_at(record: Any, factory: int, look: Look, failures: list[BaseException]) -> object:
    """Show a function every decision of a strategy that plays a factory.

    Args:
        record: Of the world; its players are filled in.
        factory: Which of them.
        look: Sees what the strategy answers to a view, and may change it.
        failures: Receives what it raises, such as an interrupt: an exception that left it would be lost. The strategy
            then counts as one that raised.

    Returns:
        What must live as long as the world is played.
    """
    player, view, actions = record["players"][factory], record["views"][factory], record["actions"]
    address = int(player["decide"])
    ask = _DECIDE(address)

    def decide(*arguments: int) -> int:
        try:
            status = ask(*arguments)
            if status == DONE:
                look(view, actions)
        except BaseException as error:
            failures.append(error)
            return RAISED
        return status

    function = _DECIDE(decide)
    looked_at = ctypes.cast(function, ctypes.c_void_p).value
    assert looked_at is not None, "a callback has an address"
    player["decide"], StrategyError.names[looked_at] = looked_at, StrategyError.names[address]
    return function
