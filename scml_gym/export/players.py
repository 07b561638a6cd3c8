"""What is exported: players by name, as data of how they are made without this package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scml_gym.core.calls import Array, Call, Given, Name, call
from scml_gym.core.errors import InputError
from scml_gym.core.registry import load_object, parse_parameters
from scml_gym.experiments.checkpoints import run_of
from scml_gym.game.definition import Game
from scml_gym.game.policy_files import PolicyFile
from scml_gym.game.run_folders import is_file, is_folder
from scml_gym.game.strategy import Strategy
from scml_gym.games import DEFAULT_GAME, GAMES
from scml_gym.oneshot.clones.files import PREFIX, CloneFile, is_clone, named_clone
from scml_gym.policies.run_folders import LEARNERS, check_game, game_of_file, game_of_run, load_agent

STRATEGY_POLICY = "scml_gym.game.strategy:StrategyPolicy"


@dataclass(frozen=True, eq=False)
class Exported:
    """A player that can be handed in.

    Attributes:
        game: Whose factories it plays.
        made: How it is made of ``seed``; see `scml_gym.core.calls`.
        synchronous: Whether it answers all partners together; else each negotiation by itself.
        of: What it is, for people.
    """

    game: Game
    made: Call
    synchronous: bool
    of: str


def exported_player(name: str, game: str = "") -> Exported:
    """What of a player's name is exported.

    Args:
        name: A strategy (``best-subset``, ``greedy?own_needs=1``), a run folder, ``zoo:NAME``, a policy file or a clone
            (``.npz``), ``clone:YEAR/Name``, or ``module:Name``, an own `Strategy` or a callable ``(seed) ->
            FactoryPolicy``.
        game: Of a strategy or a callable; OneShot by default. A run folder or a policy file plays the game it was
            trained in.

    Raises:
        InputError: if nothing of that name exists, or it cannot be exported; the message says which part.
    """
    if is_file(name):
        return _of_clone(CloneFile.load(name), name, game) if is_clone(name) else _of_policy_file(name, game)
    if name.startswith(PREFIX):
        return _of_clone(named_clone(name), name, game)
    if is_folder(name):
        return _of_run(name, game)
    of_game = GAMES.get(game or DEFAULT_GAME)
    if not of_game.adapters:
        raise InputError(f"game={game!r} has no factories of the league")
    player = of_game.player_maker(name)(0)
    if isinstance(player, tuple):
        raise InputError(f"{name!r} is an scml agent already: hand in its own file")
    short, _, query = name.partition("?")
    strategies = of_game.registry("strategies")
    if ":" not in short and short not in strategies:
        raise InputError(f"{name!r} cannot be exported: what {short!r} puts around a player is not; export the player")
    if ":" in short and not isinstance(load_object(short), Strategy):
        return Exported(of_game, call(name, Given("seed")), player.synchronous, name)
    strategy = Name(strategies.path(short))
    made = call(STRATEGY_POLICY, strategy, Given("seed"), parse_parameters(name, query))
    return Exported(of_game, made, player.synchronous, f"the strategy {name}")


def _of_policy_file(name: str, game: str) -> Exported:
    of_game = game_of_file(name, game)
    policy = PolicyFile.load(name, of_game.load("networks"))
    make = policy.strategy.forms.strategy
    strategy = call(f"{make.__module__}:{make.__name__}", *policy.strategy.form)
    made = call(STRATEGY_POLICY, strategy, Given("seed"), Array("network", policy.network))
    return Exported(of_game, made, True, f"the policy file {Path(name).name}")


def _of_clone(clone: CloneFile, name: str, game: str) -> Exported:
    if game not in ("", "oneshot"):
        raise InputError(f"{name!r} plays the game 'oneshot' and does not play {game!r}")
    return Exported(GAMES.get("oneshot"), clone.made(), True, f"a clone of {clone.agent}")


def _of_run(name: str, game: str) -> Exported:
    trained_in, learner = game_of_run(name), run_of(Path(name)).info["agent"]
    check_game(name, game)
    if not trained_in.adapters or not hasattr(load_object(LEARNERS).get(learner), "exported"):
        raise InputError(f"{name!r} cannot be exported: what {learner!r} learns plays no factory of the league")
    agent = load_agent(name)
    return Exported(
        trained_in, agent.exported(), agent.policy(0).synchronous, f"{learner} of the run {Path(name).name}"
    )
