"""Games of mixed interests, small enough to be understood: by name, as native batches and as PettingZoo environments.

``make_game("prisoners-dilemma")`` is a native batch (`scml_gym.commitment.base.MarkovGame`),
``parallel_env("prisoners-dilemma")`` the same game as a PettingZoo parallel environment, and ``commitment_env(env,
mega_step=1)`` makes a Markov commitment game of any PettingZoo parallel environment with discrete actions.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scml_gym.core.errors import InputError, nearest
from scml_gym.core.registry import Registry

if TYPE_CHECKING:
    from scml_gym.commitment.base import MarkovGame
    from scml_gym.commitment.envs.commitment_v0 import CommitmentEnv
    from scml_gym.commitment.envs.game_v0 import GameEnv

NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)

MARKOV_GAMES = Registry("game")
MARKOV_GAMES.register("prisoners-dilemma", "scml_gym.commitment.matrix:prisoners_dilemma")
MARKOV_GAMES.register("stag-hunt", "scml_gym.commitment.matrix:stag_hunt")
MARKOV_GAMES.register("purely-conflicting", "scml_gym.commitment.matrix:purely_conflicting")
MARKOV_GAMES.register("public-goods", "scml_gym.commitment.matrix:public_goods")
MARKOV_GAMES.register("matrix", "scml_gym.commitment.matrix:MatrixGame")
MARKOV_GAMES.register("shared-needs", "scml_gym.commitment.needs:SharedNeeds")
MARKOV_GAMES.register("grid", "scml_gym.commitment.grid:GridGame")


def make_game(game: str | MarkovGame, mega_step: int = 1, **arguments: Any) -> MarkovGame:
    """A game by name, as a native batch.

    Args:
        game: A name in `MARKOV_GAMES`, ``module:Name``, or a game.
        mega_step: Steps of the game that are chosen at once; see `scml_gym.commitment.mega.MegaGame`.
        arguments: Of the game.

    Raises:
        InputError: for an unknown name or argument, what is no game, or a value that the game refuses.
    """
    from scml_gym.commitment.base import check_game
    from scml_gym.commitment.mega import MegaGame, check_mega_step
    from scml_gym.core.arguments import brief

    if isinstance(game, str):
        made = check_game(_call(MARKOV_GAMES.get(game), game, arguments), repr(game))
    else:
        made = check_game(game, brief(game))
        if arguments:
            raise InputError(f"a game that is made already takes no arguments: {', '.join(arguments)}")
    steps = check_mega_step(mega_step, made.horizon, made.actions)
    return made if steps == 1 else MegaGame(made, steps)


def parallel_env(game: str | MarkovGame = "prisoners-dilemma", mega_step: int = 1, **arguments: Any) -> GameEnv:
    """A game as a PettingZoo parallel environment; arguments as in `make_game`."""
    from scml_gym.commitment.envs.game_v0 import GameEnv

    return GameEnv(make_game(game, mega_step, **arguments))


def commitment_env(env: Any, mega_step: int = 1) -> CommitmentEnv:
    """The Markov commitment game of a PettingZoo parallel environment:
    `scml_gym.commitment.envs.commitment_v0.CommitmentEnv`."""
    from scml_gym.commitment.envs.commitment_v0 import CommitmentEnv

    return CommitmentEnv(env, mega_step)


def commitment_game(
    game: str | MarkovGame = "prisoners-dilemma", mega_step: int = 1, **arguments: Any
) -> CommitmentEnv:
    """The Markov commitment game of a game by name; arguments as in `make_game`, ``mega_step`` of the wrapper."""
    return commitment_env(parallel_env(game, **arguments), mega_step)


def _call(make: Any, name: str, arguments: Mapping[str, Any]) -> MarkovGame:
    try:
        parameters = inspect.signature(make).parameters
    except (TypeError, ValueError) as error:
        raise InputError(f"game: {name!r} is no class or function that makes a game", "game") from error
    known = {key: value for key, value in parameters.items() if value.kind in NAMED}
    for argument in arguments:
        if argument not in known:
            raise InputError(f"{argument}: the game {name!r} has no such argument{nearest(argument, known)}", argument)
    for argument, parameter in known.items():
        if parameter.default is parameter.empty and argument not in arguments:
            raise InputError(f"{argument}: the game {name!r} needs it", argument)
    return make(**arguments)
