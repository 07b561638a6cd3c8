"""Named line-ups in a real simulation, as far as the tracks agree: trying players out, watching agents, counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.simulator.players import Player

ENTRY_POINTS = (
    "init",
    "before_step",
    "step",
    "first_proposals",
    "counter_all",
    "propose",
    "respond",
    "take_turn",
    "on_negotiation_success",
    "on_negotiation_failure",
    "on_negotiation_end",
    "on_preferences_changed",
)
"""Where the simulation enters an agent; ``take_turn`` is that of `scml_gym.simulator.adapters.AsyncAdapter`."""


def try_player(player: Player, name: str) -> None:
    """Make an agent that is thrown away.

    Raises:
        InputError: if it is no player of a factory.
    """
    checked = check_player(player, name)
    if isinstance(checked, tuple):
        agent_class, parameters = checked
        agent_class(**parameters)


def check_player(player: Any, name: str) -> Player:
    """The player itself.

    Raises:
        InputError: if it is none.
    """
    is_class = isinstance(player, tuple) and len(player) == 2 and isinstance(player[0], type)
    if not is_class and not all(hasattr(player, part) for part in ("synchronous", "begin", "act", "end_day")):
        raise InputError(f"{name!r} makes a {type(player).__name__}, which is no player of a factory")
    return player


def negotiation_counts(level: np.ndarray, bankrupt: np.ndarray) -> np.ndarray:
    """How many negotiations each factory had: one a day with each factory of the levels beside its own, bankrupt ones
    left out.

    Args:
        level: Of each factory, shape ``(n_factories,)``.
        bankrupt: Whether a factory was bankrupt at the end of each day, shape ``(n_factories, n_days)``.

    Returns:
        int64, shape ``(n_factories,)``.
    """
    active = np.ones(bankrupt.shape, dtype=np.int64)
    active[:, 1:] -= bankrupt[:, :-1]
    beside = np.abs(level[:, None] - level[None]) == 1
    return (active * (beside.astype(np.int64) @ active)).sum(axis=1)


def breach_rate(days: np.ndarray) -> float:
    """Items that were sold and not delivered, of all that were sold; 0 where nothing was.

    Args:
        days: Of a factory, settled; has fields ``produced``, what was sold and delivered, and ``missing``, what was
            not.
    """
    missing, produced = int(days["missing"].sum()), int(days["produced"].sum())
    return missing / (missing + produced) if missing else 0.0
