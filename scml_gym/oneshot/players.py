"""Players of OneShot by name: what ``opponents``, ``--background`` and the competitors of ``evaluate.py`` may say.

- ``best-subset``: a strategy of the registry, ``best-subset?tolerance=0.2`` with a parameter replaced;
- ``scml:GreedyOneShotAgent``: one of scml's built-in agents;
- ``scml-agents:2025/CostAverseAgent``: an agent of the league, where the optional package ``scml-agents`` is installed;
- ``module:Name``: an own scml ``OneShotAgent`` class, an own `Strategy`, or a callable ``(seed) -> FactoryPolicy``;
- a folder: a run of ``train.py`` (see `scml_gym.policies.run_folders`), its learner or, in the compiled world, its
  policy file;
- ``clone:2025/CostAverseAgent``: a model of an agent that comes with the package (see `scml_gym.oneshot.clones`);
- ``folder/name.npz``: a policy file (see `scml_gym.game.policy_files`), such as self-play leaves in its run folder, or
  the file of a clone.
"""

from __future__ import annotations

from scml_gym.game.policy_files import PolicyFile
from scml_gym.game.run_folders import is_file
from scml_gym.game.world import PlayerMaker
from scml_gym.oneshot.clones.files import PREFIX, CloneFile, is_clone, named_clone
from scml_gym.oneshot.policy_files import NETWORKS
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import ONESHOT_INTERFACE
from scml_gym.simulator.players import ONESHOT, Player, named_player

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
    if name.startswith(PREFIX):
        return named_clone(name).player
    if is_file(name):
        return CloneFile.load(name).player if is_clone(name) else PolicyFile.load(name, NETWORKS).player
    return named_player(name, ONESHOT, STRATEGIES, ONESHOT_INTERFACE, run_folders)
