"""One world of a tournament: play it and measure every player. Runs in a worker process."""

from __future__ import annotations

import contextlib
import random
import sys
import traceback
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from scml_gym.core.registry import load
from scml_gym.evaluation.config import competition_of
from scml_gym.evaluation.recording import world_log
from scml_gym.game.definition import Setting
from scml_gym.game.world import PlayerMaker
from scml_gym.games import GAMES

NOBODY = -1
"""In the mark: no player is at work."""

Mark = MutableSequence[int]
"""One element: the index of the player at work, readable from outside when this process is dead."""


@cache
def load_maker(game: str, name: str) -> PlayerMaker:
    """`scml_gym.game.definition.Game.player_maker`, once a process."""
    return GAMES.get(game).player_maker(name)


def prepare(game: str, names: Sequence[str], recorded: bool = False) -> None:
    """Load the simulation, the players and what records, before worlds are forked: that takes longer than a short
    world."""
    load(competition_of(game).play)
    if recorded:
        load("pyarrow.parquet:write_table")
        GAMES.get(game).load("record")
    for name in names:
        with contextlib.suppress(Exception):  # comes again in the child that plays it, who is then to blame
            load_maker(game, name)


class PlayerError(BaseException):
    """A player raised; no ``except Exception`` of the simulation may swallow that."""


def check(game: str, names: Sequence[str], seed: int, mark: Mark) -> None:
    """Load every player once and make one that is thrown away.

    Raises:
        InputError: if a name stands for nothing.
        Exception: whatever a player raises; ``mark`` then holds its index in ``names``.
    """
    try_player = load(competition_of(game).try_player)
    for index, name in enumerate(names):
        mark[0] = index
        _seed_globals(seed)
        try_player(load_maker(game, name)(seed), name)
        mark[0] = NOBODY


def play(
    game: str,
    names: Sequence[str],
    seed: int,
    setting: Sequence[Any],
    mark: Mark,
    record: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Play one world to its end.

    Args:
        game: Name of the game.
        names: Of the player of every position: those of the first level, then as many of each next one.
        seed: Of the world's parameters, the simulation and the players.
        setting: The values of a `scml_gym.game.definition.Setting`.
        mark: Written: who is at work.
        record: Where the world is recorded, see `scml_gym.evaluation.recording.Recorder`; None where it is not.

    Returns:
        For each position: level, score, and the columns of the game's `scml_gym.game.definition.Competition`.

    Raises:
        PlayerError: if a player raised; ``mark`` then holds its position.
    """
    _seed_globals(seed)
    players = []
    for position, name in enumerate(names):
        mark[0] = position
        players.append(load_maker(game, name)(seed))
    mark[0] = NOBODY
    watch, played = partial(_watch, mark), load(competition_of(game).play)
    log = {} if record is None else {"log": world_log(game, record)}
    return played(players, seed, Setting(*setting), watch, **log)


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


def _watch(mark: Mark, agent: Any, position: int, entry_points: Sequence[str]) -> None:
    """Mark the player at work whenever the simulation enters it, and let none of its exceptions be swallowed."""

    def watched(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            outer = mark[0]
            mark[0] = position
            try:
                result = method(*args, **kwargs)
            except Exception as error:
                if outer == position:
                    raise  # on its way through the player's own code, which may handle it
                raise PlayerError from error
            mark[0] = outer
            return result

        return call

    for name in entry_points:
        method = getattr(agent, name, None)
        if method is not None:
            setattr(agent, name, watched(method))
