"""The table of games: a name for each; nothing of a game is loaded before it is asked for."""

from __future__ import annotations

from scml_gym.core.registry import Registry
from scml_gym.game.definition import Game

GAMES = Registry("game")
"""Name -> `scml_gym.game.definition.Game`."""
GAMES.register("oneshot", "scml_gym.oneshot.game:ONESHOT")
GAMES.register("standard", "scml_gym.standard.game:STANDARD")
GAMES.register("bilateral", "scml_gym.bilateral.game:BILATERAL")
GAMES.register("commitment", "scml_gym.commitment.game:COMMITMENT")

DEFAULT_GAME = "oneshot"


def game_of(env_id: str) -> Game | None:
    """The game that an environment, of Gymnasium or of PettingZoo, belongs to; None where it is none of ours."""
    known = ((game, {*game.environments, *game.parallel_environments}) for game in map(GAMES.get, GAMES))
    return next((game for game, names in known if env_id in names), None)
