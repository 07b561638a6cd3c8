"""Players of OneShot by name: what ``opponents``, ``--background`` and the competitors of ``evaluate.py`` may say.

- ``best-subset``: a strategy of the registry, ``best-subset?tolerance=0.2`` with a parameter replaced;
- ``scml:GreedyOneShotAgent``: one of scml's built-in agents;
- ``scml-agents:2025/CostAverseAgent``: an agent of the league, where the optional package ``scml-agents`` is installed;
- ``module:Name``: an own scml ``OneShotAgent`` class, an own `Strategy`, or a callable ``(seed) -> FactoryPolicy``;
- a folder: a run of ``train.py`` (see `scml_gym.policies.run_folders`), its learner or, in the compiled world, its
  policy file;
- ``folder/name.npz``: a policy file (see `scml_gym.oneshot.policy_files`), such as self-play leaves in its run folder.
"""

from __future__ import annotations

import importlib
from typing import Any

from scml_gym.core.errors import InputError, nearest
from scml_gym.core.registry import load_object
from scml_gym.game.players import own_maker, strategy_maker
from scml_gym.game.run_folders import RUN_FOLDERS, is_folder
from scml_gym.game.world import FactoryPolicy, PlayerMaker
from scml_gym.oneshot.policy_files import PolicyFile
from scml_gym.oneshot.strategies import STRATEGIES

Player = FactoryPolicy | tuple[type, dict[str, Any]] | None
"""Who plays a factory: a policy, an scml agent class with its keyword arguments, or None where it is external."""


def player_maker(name: str, run_folders: str = "learner") -> PlayerMaker:
    """What makes the players of that name.

    Args:
        name: See the module's head.
        run_folders: What of a run folder plays: ``"learner"`` or ``"policy file"``, see
            `scml_gym.game.run_folders.RUN_FOLDERS`.

    Raises:
        InputError: if nothing of that name exists; the message names the nearest valid one.
    """
    prefix, _, rest = name.partition(":")
    if prefix == "scml" and rest:
        return _scml_builtin(name, rest)
    if prefix == "scml-agents" and rest:
        return _league_agent(name, rest)
    if name.endswith(".npz"):
        return PolicyFile.load(name).player
    if is_folder(name):
        return RUN_FOLDERS.get(run_folders)(name)
    if ":" in name:
        return _own(name)
    return strategy_maker(STRATEGIES, name)


def _scml_builtin(name: str, class_name: str) -> PlayerMaker:
    import scml.oneshot.agents as builtin
    from scml.oneshot.agent import OneShotAgent

    classes = {k: v for k, v in vars(builtin).items() if isinstance(v, type) and issubclass(v, OneShotAgent)}
    if class_name not in classes:
        raise InputError(f"{name!r}: scml has no OneShot agent {class_name!r}{nearest(class_name, classes)}")
    return lambda seed: (classes[class_name], {})


def _league_agent(name: str, path: str) -> PlayerMaker:
    year, _, class_name = path.partition("/")
    if not (year.isdigit() and class_name):
        raise InputError(f"{name!r} is not of the form 'scml-agents:YEAR/Name'")
    try:
        scml_agents = importlib.import_module("scml_agents")
    except ModuleNotFoundError as error:
        raise InputError(f"{name!r} needs the optional package: pip install scml-agents") from error
    try:  # names first: importing all agents of a year would need whatever each of them needs
        found = scml_agents.get_agents(int(year), track="oneshot", as_class=False)
    except ValueError as error:
        raise InputError(f"{name!r}: scml-agents has no agents of {year} ({error})") from error
    paths = {p.rpartition(".")[2]: p for p in found}
    if not paths:
        raise InputError(f"{name!r}: scml-agents has no OneShot agents of {year}")
    if class_name not in paths:
        raise InputError(f"{name!r}: there is no OneShot agent {class_name!r} of {year}{nearest(class_name, paths)}")
    module, _, attribute = paths[class_name].rpartition(".")
    agent = load_object(f"{module}:{attribute}")
    return lambda seed: (agent, {})


def _own(name: str) -> PlayerMaker:
    from scml.oneshot.agent import OneShotAgent

    target = load_object(name)
    if isinstance(target, type) and issubclass(target, OneShotAgent):
        return lambda seed: (target, {})
    return own_maker(name, target, "a OneShotAgent class, ")
