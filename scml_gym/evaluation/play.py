"""One world of a tournament: play it and measure every factory. Runs in a worker process."""

from __future__ import annotations

import random
import sys
import traceback
from collections.abc import Callable, MutableSequence, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.oneshot.settlement import negotiation_counts, settle_world
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.policies.players import PlayerMaker, player_maker

NOBODY = -1
"""In the mark: no player is at work."""

Mark = MutableSequence[int]
"""One element: the index of the player at work, readable from outside when this process is dead."""

_ENTRY_POINTS = (
    "init",
    "before_step",
    "step",
    "first_proposals",
    "counter_all",
    "propose",
    "respond",
    "on_negotiation_success",
    "on_negotiation_failure",
    "on_negotiation_end",
    "on_preferences_changed",
)
"""Where the simulation enters a player."""

load_maker: Callable[[str], PlayerMaker] = lru_cache(maxsize=None)(player_maker)
"""`player_maker`, once a process."""


class PlayerError(BaseException):
    """A player raised; no ``except Exception`` of the simulation may swallow that."""


def check(names: Sequence[str], seed: int, mark: Mark) -> None:
    """Load every player once and make one that is thrown away.

    Raises:
        InputError: if a name stands for nothing.
        Exception: whatever a player raises; ``mark`` then holds its index in ``names``.
    """
    for index, name in enumerate(names):
        mark[0] = index
        _seed_globals(seed)
        player = _made(name, seed)
        if isinstance(player, tuple):
            player[0](**player[1])
        mark[0] = NOBODY


def play(names: Sequence[str], seed: int, days: int, mark: Mark) -> list[dict[str, Any]]:
    """Play one world to its end.

    Args:
        names: Of the player of every factory: sellers, then as many buyers.
        seed: Of the world's parameters, the simulation and the players.
        days: Simulated days.
        mark: Written: who is at work.

    Returns:
        For each factory: level, score, initial_balance, profit and its parts (revenue, supplies, production, disposal,
        shortfall, in money over the whole world), agreements, negotiations, bankrupt (0 or 1).

    Raises:
        PlayerError: if a player raised; ``mark`` then holds its factory.
    """
    _seed_globals(seed)
    spec = league_spec(seed, days=days, factories_per_level=len(names) // 2)
    players = []
    for factory, name in enumerate(names):
        mark[0] = factory
        players.append(_made(name, seed))
    mark[0] = NOBODY
    world = ReferenceWorld(spec, players, seed)
    for factory, agent in enumerate(world.agents):
        _watch(agent, factory, mark)
    world.run()
    contracts = world.contracts
    table = settle_world(spec, contracts, world.trading_prices)
    agreements = np.bincount(np.append(contracts["seller"], contracts["buyer"]), minlength=spec.n_factories)
    negotiations = negotiation_counts(spec, table["bankrupt"])
    return [
        {
            "level": "seller" if spec.level[i] == 0 else "buyer",
            "score": float(world.scores[i]),
            "initial_balance": int(spec.initial_balance[i]),
            **{
                part: float(sum(table[part][i].tolist()))
                for part in ("profit", "revenue", "supplies", "production", "disposal", "shortfall")
            },
            "agreements": int(agreements[i]),
            "negotiations": int(negotiations[i]),
            "bankrupt": int(world.bankrupt[i]),
        }
        for i in range(spec.n_factories)
    ]


def describe(error: BaseException) -> str:
    """An exception in one line: type, text, and where it was raised."""
    cause = error.__cause__ if isinstance(error, PlayerError) and error.__cause__ else error
    frames = traceback.extract_tb(cause.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return " ".join(f"{type(cause).__name__}: {cause}".split()) + where


def _seed_globals(seed: int) -> None:
    """A player that draws from a global generator while it is made repeats too."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _made(name: str, seed: int) -> Any:
    player = load_maker(name)(seed)
    is_class = isinstance(player, tuple) and len(player) == 2 and isinstance(player[0], type)
    if not is_class and not all(hasattr(player, part) for part in ("synchronous", "begin", "act", "end_day")):
        raise InputError(f"{name!r} makes a {type(player).__name__}, which is no player of a factory")
    return player


def _watch(agent: Any, factory: int, mark: Mark) -> None:
    """Mark the player at work whenever the simulation enters it, and let none of its exceptions be swallowed."""

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            outer = mark[0]
            mark[0] = factory
            try:
                result = method(*args, **kwargs)
            except Exception as error:
                if outer == factory:
                    raise  # on its way through the player's own code, which may handle it
                raise PlayerError from error
            mark[0] = outer
            return result

        return call

    for name in _ENTRY_POINTS:
        method = getattr(agent, name, None)
        if method is not None:
            setattr(agent, name, watched(method))
