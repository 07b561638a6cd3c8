"""The table of environments: the ids of all games."""

from __future__ import annotations

from collections.abc import Mapping

from scml_gym.game.definition import EntryPoints, Game
from scml_gym.games import DEFAULT_GAME, GAMES

_GAMES = [GAMES.get(name) for name in sorted(GAMES, key=lambda name: name != DEFAULT_GAME)]

ENVIRONMENTS: dict[str, EntryPoints] = {
    name: entry_points for game in _GAMES for name, entry_points in game.environments.items()
}
"""Gymnasium id -> entry points; nothing is imported before an environment is made."""

PARALLEL_ENVIRONMENTS: dict[str, str] = {
    name: module for game in _GAMES for name, module in game.parallel_environments.items()
}
"""Name of a PettingZoo environment -> its module, which has ``parallel_env`` and ``vector_env``."""


def register_environments(environments: Mapping[str, EntryPoints] = ENVIRONMENTS) -> None:
    """Make environments known to Gymnasium: all of the table, or those of a game of your own."""
    import gymnasium

    for name, entry_points in environments.items():
        if name not in gymnasium.registry:
            single, vector, arguments = entry_points
            kwargs = dict(arguments or {})
            gymnasium.register(id=name, entry_point=single, vector_entry_point=vector, kwargs=kwargs)


def register_game(game: Game) -> None:
    """Add a game of your own: its name in `GAMES`, its ids in Gymnasium.

    Called by the module of the game, so that every process that names it as ``module:NAME`` knows its environments.

    Raises:
        InputError: if the name is taken.
    """
    GAMES.register(game.name, game)
    register_environments(game.environments)
