"""One world of a tournament: play it and measure every player. Runs in a worker process."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from scml_gym.core.registry import load
from scml_gym.evaluation.config import competition_of
from scml_gym.evaluation.exceptions import ERRORS, NOBODY, STRICT, ErrorRule, Mark, watch
from scml_gym.evaluation.recording import world_log
from scml_gym.game.definition import Setting
from scml_gym.game.world import PlayerMaker
from scml_gym.games import GAMES


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
    errors: str = STRICT,
    record: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Play one world to its end.

    Args:
        game: Name of the game.
        names: Of the player of every position: those of the first level, then as many of each next one.
        seed: Of the world's parameters, the simulation and the players.
        setting: The values of a `scml_gym.game.definition.Setting`.
        mark: Written: who is at work.
        errors: What exceptions of players cost, a name in `scml_gym.evaluation.exceptions.ERRORS`.
        record: Where the world is recorded, see `scml_gym.evaluation.recording.Recorder`; None where it is not.

    Returns:
        For each position: level, score, and the columns of the game's `scml_gym.game.definition.Competition`; where its
        player raised and the world went on, also ``raised``, see `scml_gym.evaluation.exceptions.Raised`.

    Raises:
        PlayerError: if a player raised and that ends the world; ``mark`` then holds its position.
    """
    _seed_globals(seed)
    players = []
    for position, name in enumerate(names):
        mark[0] = position
        players.append(load_maker(game, name)(seed))
    mark[0] = NOBODY
    rule: ErrorRule = ERRORS.get(errors)()
    playing = load(getattr(competition_of(game), rule.played_by))
    log = {} if record is None else {"log": world_log(game, record)}
    rows = playing(players, seed, Setting(*setting), partial(watch, rule, mark), **log)
    return [row | {"raised": rule.raised[i]} if i in rule.raised else row for i, row in enumerate(rows)]


def _seed_globals(seed: int) -> None:
    """A player that draws from a global generator while it is made repeats too."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
