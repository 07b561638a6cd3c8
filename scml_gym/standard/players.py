"""Players of the Standard track by name: what ``opponents`` and the competitors of ``evaluate.py`` may say.

- ``just-in-time``: a strategy of the registry, ``greedy?slack=0.2`` with a parameter replaced;
- ``scml:GreedyStdAgent``: one of scml's built-in agents of the track;
- ``scml-agents:2024/PenguinAgent``: an agent of the league, where the optional package ``scml-agents`` is installed;
- ``module:Name``: an own scml ``StdAgent`` class, an own `Strategy`, or a callable ``(seed) -> FactoryPolicy``;
- ``shielded?of=NAME&bound=covered``: any of these, with answers made safe, see `scml_gym.standard.safety.players`;
- a folder: a run of ``train.py`` (see `scml_gym.policies.run_folders`), its learner or, in the compiled world, its
  policy file;
- ``folder/name.npz``: a policy file (see `scml_gym.game.policy_files`), such as self-play leaves in its run folder.
"""

from __future__ import annotations

from functools import partial

from scml_gym.core.errors import InputError
from scml_gym.game.policy_files import PolicyFile
from scml_gym.game.run_folders import is_file
from scml_gym.game.world import PlayerMaker
from scml_gym.simulator.players import STANDARD, Player, named_player
from scml_gym.standard.policy_files import NETWORKS
from scml_gym.standard.safety.players import PREFIX, shielded_maker
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.strategies.base import STANDARD_INTERFACE

__all__ = ["Player", "player_maker"]


def player_maker(name: str, run_folders: str = "learner") -> PlayerMaker:
    """What makes the players of that name.

    Args:
        name: See the module's head.
        run_folders: What of a run folder plays: ``"learner"`` or ``"policy file"``, see
            `scml_gym.game.run_folders.RUN_FOLDERS`.

    Raises:
        InputError: if nothing of that name exists, or it plays another game or track; the message names the nearest
            valid one.
    """
    if isinstance(name, str) and name.startswith(PREFIX):
        return shielded_maker(name, partial(player_maker, run_folders=run_folders))
    if isinstance(name, str) and is_file(name):
        return PolicyFile.load(name, NETWORKS).player
    if isinstance(name, str) and name.startswith("clone:"):
        raise InputError(f"{name!r}: clones play OneShot only; valid here: scml-agents:YEAR/Name of the Standard track")
    return named_player(name, STANDARD, STRATEGIES, STANDARD_INTERFACE, run_folders)
