"""Players by name, as far as that is the same in every game: strategies, run folders, and objects of the user's own."""

from __future__ import annotations

import functools
import inspect
from typing import Any

from scml_gym.core.arguments import brief
from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry, load_object, parse_parameters
from scml_gym.game.run_folders import RUN_FOLDERS, is_folder
from scml_gym.game.strategy import Strategy, StrategyInterface, StrategyPolicy, check_interface
from scml_gym.game.world import FactoryPolicy, PlayerMaker


def player_maker(strategies: Registry, name: str) -> PlayerMaker:
    """What makes the players of a name.

    Args:
        strategies: Of the game.
        name: A strategy of the registry, such as ``boulware``, or ``boulware?exponent=3`` with a parameter replaced;
            ``module:Name``, an own `Strategy`, possibly with parameters too, or a callable ``(seed) ->
            FactoryPolicy``; or the folder of a run.

    Raises:
        InputError: if nothing of that name exists; the message names the nearest one.
    """
    if not isinstance(name, str):
        raise InputError(f"player {brief(name)}; valid: a name")
    if is_folder(name):
        return RUN_FOLDERS.get("learner")(name)
    if ":" in name:
        return own_maker(name, load_object(name.partition("?")[0]))
    return strategy_maker(strategies, name)


def strategy_maker(strategies: Registry, name: str) -> PlayerMaker:
    """What makes the players of a strategy's name, possibly with parameters replaced: ``name?first=0.2&second=1``.

    Raises:
        InputError: if there is no such strategy or parameter.
    """
    return _with_parameters(name, strategies.get(name.partition("?")[0]))


def own_maker(name: str, target: Any, others: str = "", interface: StrategyInterface | None = None) -> PlayerMaker:
    """What makes the players that ``module:Name`` stands for, or ``module:Name?first=0.2&second=1``.

    Args:
        name: That text.
        target: What it stands for, without parameters.
        others: What it could also have been, for the message.
        interface: Of the strategies that may play; None for those of any game.

    Raises:
        InputError: if it is neither a `Strategy` nor a callable, or a strategy of another game; if parameters are
            given to what has none; later, if the callable makes no player.
    """
    if isinstance(target, Strategy):
        if interface is not None:
            check_interface(target, interface)
        return _with_parameters(name, target)
    refuse_parameters(name)
    wrong = f"{name!r} is neither {others}a Strategy nor a callable (seed) -> FactoryPolicy"
    if not _may_make_players(target):
        raise InputError(wrong)
    return functools.partial(_make_own, target, wrong)


def refuse_parameters(name: str) -> None:
    """Refuse parameters in the name of what is no strategy.

    Raises:
        InputError: if there are some.
    """
    own, mark, _ = name.partition("?")
    if mark:
        raise InputError(f"{name!r}: only strategies have parameters; valid: {own!r}")


def _with_parameters(name: str, strategy: Strategy) -> PlayerMaker:
    """What makes the players of a strategy, with the parameters that its name replaces."""
    overrides = parse_parameters(name, name.partition("?")[2])
    strategy.parameter_array(overrides)  # refuse a misspelt parameter now, not in the first world
    return functools.partial(StrategyPolicy, strategy, parameters=overrides)


def _make_own(target: Any, wrong: str, seed: int) -> FactoryPolicy:
    player: Any = target(seed)
    if not isinstance(player, FactoryPolicy):
        raise InputError(wrong)
    return player


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
