"""What a run folder learnt plays: in our worlds, and in scml's own tournaments.

Nothing stands in for a policy that cannot be loaded or fails: the error is raised.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scml_gym.core.arguments import check_names
from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.core.registry import load_object
from scml_gym.core.trained import run_path
from scml_gym.experiments.checkpoints import checkpoint_of, playable, run_of
from scml_gym.experiments.run_folder import find_policy_file
from scml_gym.game.definition import Game
from scml_gym.game.policy_files import game_of_policy_file
from scml_gym.game.run_folders import is_file, is_folder
from scml_gym.game.world import PlayerMaker
from scml_gym.games import DEFAULT_GAME, GAMES, game_of
from scml_gym.oneshot.clones.files import is_clone

if TYPE_CHECKING:
    from scml.oneshot.agent import OneShotAgent

LEARNERS = "scml_gym.agents:AGENTS"
"""The registry of learners, found by name: learners are above this package."""


def load_agent(run: str | os.PathLike[str]) -> Any:
    """The learner (`scml_gym.agents.base.Agent`) that a run folder holds, from its last checkpoint.

    Raises:
        InputError: if the folder is missing or corrupt, names what is no learner, has no checkpoint yet, or names a
            module of its own and is not trusted (`scml_gym.core.trust`).
    """
    opened, checkpoint = playable(Path(run))
    name = opened.info["agent"]
    learner = load_object(LEARNERS).get(name)
    if not hasattr(learner, "load"):
        raise InputError(f"{run}: its agent {name!r} is no learner")
    with content_of(run, "a run folder"):
        return learner.load(checkpoint)


def latest_checkpoint(run: str | os.PathLike[str]) -> Path:
    """The folder of a run folder's last checkpoint; of its best one, where ``run`` is ``RUN/best``.

    Raises:
        InputError: as `load_agent`.
    """
    return checkpoint_of(Path(run))[1]


def game_of_run(run: str | os.PathLike[str]) -> Game:
    """The game in which a run folder was trained: that of its environment, else OneShot.

    Raises:
        InputError: if the folder is missing or corrupt.
    """
    return game_of(str(run_of(Path(run)).config["env"].get("id"))) or GAMES.get(DEFAULT_GAME)


def game_of_file(name: str, game: str = "") -> Game:
    """The game that a policy file or a clone plays, or the one that it is to play.

    Raises:
        InputError: if there is no such game, or the file is missing or no policy file.
    """
    if game:
        return GAMES.get(game)
    return GAMES.known("oneshot" if is_clone(name) else game_of_policy_file(name))


def learner_maker(run: str | os.PathLike[str], game: str = "") -> PlayerMaker:
    """What makes the players of a run folder: its learner, as it was trained.

    Args:
        run: The run folder.
        game: Name of the game that it is to play; any by default.

    Raises:
        InputError: as `load_agent`, or if it was trained in another game.
    """
    check_game(run, game)
    return load_agent(run).policy


def policy_file_maker(run: str | os.PathLike[str], game: str = "") -> PlayerMaker:
    """What makes the players of a run folder's last checkpoint, as a strategy, which compiled worlds play too.

    Args:
        run: The run folder.
        game: Name of the game that it is to play; any by default.

    Raises:
        InputError: if the folder is missing or corrupt, its learner is none that a policy file can stand for, or it was
            trained in another game.
    """
    check_game(run, game)
    file = find_policy_file(latest_checkpoint(run))
    if file is not None:
        return game_of_run(run).player_maker(str(file))
    export = getattr(load_agent(run), "policy_file", None)
    reason = "its learner makes no policy files"
    if export is not None:
        try:
            return export().player
        except InputError as error:
            reason = str(error)
    raise InputError(f"opponents: {str(run)!r} plays in the real simulation only ({reason}): use backend='reference'")


def check_game(run: str | os.PathLike[str], game: str) -> None:
    """Refuse a run folder that was trained in another game.

    Raises:
        InputError: if it was, or the folder is missing or corrupt.
    """
    trained_in = game_of(str(run_of(Path(run)).config["env"].get("id")))
    if game and trained_in is not None and trained_in.name != game:
        raise InputError(f"{str(run)!r} was trained in the game {trained_in.name!r} and does not play {game!r}")


def deploy(
    player: str | os.PathLike[str], game: str = "", **parameters: Any
) -> tuple[type[OneShotAgent], dict[str, Any]]:
    """The scml agent class, and its entry of ``competitor_params``, with which a player is in scml's own tournaments.

    The class can be imported by name, so tournaments may run in parallel processes.

    Args:
        player: A run folder, ``zoo:NAME``, or a player's name: a strategy (``best-subset``, ``greedy?own_needs=1``), a
            policy file (``.npz``), or ``module:Name``, an own `Strategy` or a callable ``(seed) -> FactoryPolicy``.
        game: That a name plays; OneShot by default. A run folder or a policy file plays the game that it was trained
            in.
        parameters: Further parameters of `scml_gym.deployed.DeployedAgent`: ``seed``, ``counts`` and ``name``.

    Raises:
        InputError: if it cannot be deployed; it is tried here, so that no tournament starts in vain.

    Example::

        competitor, parameters = deploy("runs/ppo")
        anac2024_oneshot(competitors=[competitor, SyncRandomOneShotAgent], competitor_params=[parameters, {}])

    Players of the Standard track are in ``anac2024_std`` likewise.
    """
    check_names(parameters, ("seed", "counts", "name"))
    name = os.fspath(player)
    if isinstance(player, os.PathLike) or is_folder(name) or is_file(name):
        name = str(run_path(Path(name)).resolve())
    of_game, make = deployed_maker(name, game)
    made = make(0)
    if isinstance(made, tuple):
        raise InputError(f"{name!r} is an scml agent already: give its class to the tournament")
    kind = of_game.agent_class(made)
    return kind, {"controller_params": {"player": name, "game": of_game.name, **parameters}}


def deployed_maker(name: str, game: str) -> tuple[Game, PlayerMaker]:
    """The game that a player's name is deployed in, and what makes the players.

    Args:
        name: See `deploy`.
        game: Likewise.

    Raises:
        InputError: if there is no such player, or it was trained in another game.
    """
    if is_file(name):
        of_game = game_of_file(name, game)
        return of_game, of_game.player_maker(name)
    if is_folder(name):
        return game_of_run(name), learner_maker(name, game)
    of_game = GAMES.get(game or DEFAULT_GAME)
    return of_game, of_game.player_maker(name)


def write_count(folder: Path, name: str, counts: Mapping[str, int]) -> None:
    """Write one agent's counts of a world as JSON, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / f"{name}.json", json.dumps(dict(counts)))
