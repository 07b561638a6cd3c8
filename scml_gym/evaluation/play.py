"""One world of a tournament: play it and measure every player. Runs in a worker process."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.core.registry import load
from scml_gym.evaluation.config import competition_of
from scml_gym.evaluation.exceptions import ERRORS, NOBODY, STRICT, ErrorRule, Mark, describe, watch
from scml_gym.evaluation.recording import world_log
from scml_gym.game.definition import Setting
from scml_gym.game.world import PlayerMaker
from scml_gym.games import GAMES

Watching = Callable[[Any, int, Sequence[str]], None]
"""``(agent, position, entry_points)``: the world watches an object that it calls from now on."""

CHANGED: list[str] = []
"""What the modules of players changed in this process, in words."""


@cache
def load_maker(game: str, name: str) -> PlayerMaker:
    """`scml_gym.game.definition.Game.player_maker`, once a process."""
    return GAMES.get(game).player_maker(name)


def prepare(game: str, recorded: bool = False) -> None:
    """Load the simulation, and what audits and records, before worlds are forked: that takes longer than a short
    world."""
    load(competition_of(game).play)
    line_up: Any = load(competition_of(game).line_up)
    if line_up is not None:
        line_up.prepare()
    if recorded:
        load("pyarrow.parquet:write_table")
        GAMES.get(game).load("record")


def load_players(game: str, names: Sequence[str]) -> None:
    """Load players likewise, and see whether their modules change the simulation's."""
    from scml_gym.simulator.guard import functions_of_packages

    before = functions_of_packages()
    for name in names:
        with contextlib.suppress(Exception):  # comes again in the process that plays it
            load_maker(game, name)
    now = functions_of_packages()
    if any(now.get(name) is not function for name, function in before.items()):
        CHANGED.append("a module of a player changed the simulation when it was loaded")


def check(game: str, names: Sequence[str], seed: int, mark: Mark) -> None:
    """Load every player once and make one that is thrown away.

    Raises:
        InputError: if a name stands for nothing.
        Exception: whatever a player raises; ``mark`` then holds its index in ``names``.
    """
    try_player = load(competition_of(game).try_player)
    for index, name in enumerate(names):
        mark[0] = index
        seed_globals(seed)
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
    return play_with(make_players(game, names, seed, mark), game, seed, setting, mark, errors, record)


def play_with(
    players: Sequence[Any],
    game: str,
    seed: int,
    setting: Sequence[Any],
    mark: Mark,
    errors: str = STRICT,
    record: Mapping[str, Any] | None = None,
    watching: Callable[[Watching], Watching] = lambda watch: watch,
) -> list[dict[str, Any]]:
    """`play` with players that are made; ``watching`` changes what begins to watch them."""
    rule: ErrorRule = ERRORS.get(errors)()
    playing = load(getattr(competition_of(game), rule.played_by))
    log = {} if record is None else {"log": world_log(game, record)}
    rows = playing(players, seed, Setting(*setting), watching(partial(watch, rule, mark)), **log)
    return [row | {"raised": rule.raised[i]} if i in rule.raised else row for i, row in enumerate(rows)]


def hand_over(
    game: str,
    names: Sequence[str],
    seed: int,
    setting: Sequence[Any],
    spec: Any,
    mark: Mark,
    errors: str = STRICT,
    record: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Play one world as `play` does, of given parameters.

    Returns:
        The fields of `scml_gym.simulator.line_up.Played`, and ``raised`` by position.
    """
    line_up: Any = load(competition_of(game).line_up)
    players = make_players(game, names, seed, mark)
    rule: ErrorRule = ERRORS.get(errors)()
    log = None if record is None else world_log(game, record)
    world = line_up.make(spec, players, seed, Setting(*setting), log)
    line_up.begin(world, rule.played_by)
    played = line_up.hand_over(world, partial(watch, rule, mark))
    changed = CHANGED[0] if CHANGED else played.changed
    return {**played._asdict(), "changed": changed, "raised": rule.raised}


def make_players(game: str, names: Sequence[str], seed: int, mark: Mark) -> list[Any]:
    """The players of a world, by name, one after the other; ``mark`` holds whose turn it is."""
    seed_globals(seed)
    players = []
    for position, name in enumerate(names):
        mark[0] = position
        players.append(load_maker(game, name)(seed))
    mark[0] = NOBODY
    return players


def in_a_world(task: dict[str, Any]) -> dict[str, Any]:
    """In the process of a world: what comes of a task to play, see `scml_gym.evaluation.worker`."""
    if "spec" in task:
        return _done(hand_over, task)
    answering = competition_of(task["game"]).entry_points
    return _done(load("scml_gym.evaluation.isolation.answers:hand_over") if answering else play, task)


def in_a_trial(task: dict[str, Any]) -> dict[str, Any]:
    """In the process of a trial: what comes of a task to check."""
    return _done(check, task)


def _done(function: Callable[..., Any], task: dict[str, Any]) -> dict[str, Any]:
    mark = [NOBODY]
    try:
        return {"value": function(**task, mark=mark)}
    except InputError as error:
        return {"failure": "input", "message": str(error), "player": mark[0]}
    except BaseException as error:  # SystemExit and KeyboardInterrupt of a player too
        return {"failure": "exception", "message": describe(error), "player": mark[0]}


def seed_globals(seed: int) -> None:
    """A player that draws from a global generator while it is made repeats too."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
