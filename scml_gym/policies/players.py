"""Players by name: what ``opponents=[...]``, ``--field`` and the competitors of ``evaluate.py`` may say.

- ``best-subset``: a strategy of the registry, ``best-subset?tolerance=0.2`` with a parameter replaced;
- ``scml:GreedyOneShotAgent``: one of scml's built-in agents;
- ``scml-agents:2025/CostAverseAgent``: an agent of the league, where the optional package ``scml-agents`` is installed;
- ``module:Name``: an own scml ``OneShotAgent`` class, an own `Strategy`, or a callable ``(seed) -> FactoryPolicy``;
- a folder: a run of ``train.py``, deployed (see `scml_gym.policies.deployment`) or, in the compiled world, as a
snapshot;
- ``folder/name.npz``: a snapshot (see `scml_gym.oneshot.policy_files`), such as a league leaves in its run folder.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from scml_gym.core.errors import InputError, nearest
from scml_gym.core.registry import load_object
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import Strategy, StrategyPolicy
from scml_gym.oneshot.worlds.protocol import FactoryPolicy

if TYPE_CHECKING:
    from scml_gym.oneshot.worlds.reference import Player

PlayerMaker = Callable[[int], "Player"]
"""``make(seed) -> Player``: a fresh player for one factory of one world with that seed."""


def deployed(run: str) -> PlayerMaker:
    """What makes the players of a run folder: its learner, as it was trained."""
    from scml_gym.policies.deployment import run_policy_maker

    return run_policy_maker(run)


def player_maker(name: str, run_folder: Callable[[str], PlayerMaker] = deployed) -> PlayerMaker:
    """What makes the players of that name.

    Args:
        name: See the module's head.
        run_folder: What makes the players of a run folder.

    Raises:
        InputError: if nothing of that name exists; the message names the nearest valid one.
    """
    prefix, _, rest = name.partition(":")
    if prefix == "scml" and rest:
        return _scml_builtin(name, rest)
    if prefix == "scml-agents" and rest:
        return _league_agent(name, rest)
    if name.endswith(".npz"):
        from scml_gym.oneshot.policy_files import PolicyFile

        return PolicyFile.load(name).player
    if os.sep in name or os.path.isdir(name):  # unlike Path, it takes names that are too long for a file
        return run_folder(name)
    if ":" in name:
        return _own(name)
    strategy_name, _, query = name.partition("?")
    strategy = STRATEGIES.get(strategy_name)
    overrides = parse_parameters(name, query)
    strategy.parameter_array(overrides)  # refuse a misspelt parameter now, not in the first world
    return functools.partial(StrategyPolicy, strategy, parameters=overrides)


def parse_parameters(name: str, query: str) -> dict[str, float]:
    """The parameters in ``"name?first=0.2&second=1"``, of which ``query`` is what follows the question mark.

    Raises:
        InputError: if a part is not of that form; the message begins with the whole name.
    """
    overrides = {}
    for part in filter(None, query.split("&")):
        key, equals, value = part.partition("=")
        if key in overrides:
            raise InputError(f"{name!r}: parameter {key!r} is given twice")
        try:
            overrides[key] = float(value)
        except ValueError as error:
            raise InputError(f"{name!r}: {part!r} is not of the form parameter=number") from error
        if not equals:
            raise InputError(f"{name!r}: {part!r} is not of the form parameter=number")
    return overrides


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
    if isinstance(target, Strategy):
        return functools.partial(StrategyPolicy, target)
    wrong = InputError(f"{name!r} is neither a OneShotAgent class, a Strategy nor a callable (seed) -> FactoryPolicy")
    if not _may_make_players(target):
        raise wrong

    def make(seed: int) -> FactoryPolicy:
        player: Any = target(seed)
        if not isinstance(player, FactoryPolicy):
            raise wrong
        return player

    return make


def _may_make_players(target: Any) -> bool:
    """Whether a call with a seed could give a player, as far as can be told without one."""
    if not callable(target) or inspect.isbuiltin(target):
        return False
    if isinstance(target, type) and not all(hasattr(target, part) for part in ("begin", "act", "end_day")):
        return False
    try:
        inspect.signature(target).bind(0)
    except TypeError:
        return False
    except ValueError:  # it has no signature
        return True
    return True
