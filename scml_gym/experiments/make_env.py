"""From the ``env`` section of a configuration to an environment, with errors that name the wrong key."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium
from gymnasium.envs.registration import load_env_creator

from scml_gym.core.config import ConfigError, arguments_of
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.registry import load_object
from scml_gym.games import game_of

WRAPPERS = "wrappers"
"""Key of the ``env`` section."""


def env_arguments(env: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The id and the keyword arguments of ``gymnasium.make`` that an ``env`` section stands for.

    Raises:
        ConfigError: if there is no id.
    """
    if "id" not in env:
        raise ConfigError(("env", "id"), "missing")
    return env["id"], {key: value for key, value in env.items() if key not in ("name", "id", WRAPPERS)}


def make_env(env: Mapping[str, Any]) -> gymnasium.Env:
    """One environment of an ``env`` section.

    Args:
        env: ``id``, keyword arguments of ``gymnasium.make``; possibly ``wrappers`` (see `wrapped`), and ``name``, which
            is passed over.

    Raises:
        ConfigError: if the id or a keyword argument is unknown, or a value is refused by the environment.
    """
    env_id, arguments = env_arguments(env)
    try:
        valid = _valid_arguments(env_id)
        unknown = next((name for name in arguments if valid is not None and name not in valid), None)
        if unknown is not None:
            raise ConfigError(("env", unknown), f"unknown key{nearest(unknown, valid or ())}")
        with arguments_of("env", arguments):
            made = gymnasium.make(env_id, **arguments)
        return wrapped(made, env.get(WRAPPERS) or [])
    except gymnasium.error.Error as error:
        hint = nearest(env_id, (name for name in gymnasium.registry if name.startswith("scml_gym/")))
        raise ConfigError(("env", "id"), f"there is no environment {env_id!r}{hint}") from error


def wrapped(env: gymnasium.Env, names: Sequence[str]) -> gymnasium.Env:
    """An environment in a user's own wrappers.

    Args:
        env: The environment.
        names: ``module:Name`` each, of what makes an environment of the one before, the innermost first.

    Raises:
        ConfigError: if there is none of that name, or it makes none.
    """
    for wrapper in wrappers_of({WRAPPERS: names}):
        inner, env = env, wrapper(env)
        if not isinstance(env, gymnasium.Env):
            inner.close()
            raise ConfigError(("env", WRAPPERS), f"{wrapper!r} makes a {type(env).__name__}, which is no environment")
    return env


def wrappers_of(env: Mapping[str, Any]) -> list[Callable[[gymnasium.Env], gymnasium.Env]]:
    """The wrappers of an ``env`` section, the innermost first.

    Raises:
        ConfigError: if they are no list of ``module:Name``, or there is none of that name.
    """
    names = env.get(WRAPPERS) or []
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ConfigError(("env", WRAPPERS), f"{names!r} is not a list of module:Name")
    try:
        return [load_object(name) for name in names]
    except InputError as error:
        raise ConfigError(("env", WRAPPERS), str(error)) from error


def wrappers_change_play(env: Mapping[str, Any]) -> bool:
    """Whether an ``env`` section has wrappers that may change observations or actions: all but those of rewards."""
    return not all(isinstance(w, type) and issubclass(w, gymnasium.RewardWrapper) for w in wrappers_of(env))


def can_batch(env: Mapping[str, Any]) -> bool:
    """Whether an ``env`` section is of this package and has a native vector environment for its backend.

    Raises:
        ConfigError: if the section has no id.
    """
    env_id, arguments = env_arguments(env)
    game = game_of(env_id)
    single = None if game is None else game.environments.get(env_id)
    native = single is not None and single.vector is not None
    plays_natively = arguments.get("backend", "compiled") == "compiled" and not arguments.get("strict", False)
    return native and plays_natively and not env.get(WRAPPERS)


_OF_MAKE = {"max_episode_steps", "disable_env_checker"}
"""Arguments of ``gymnasium.make`` itself."""


def _valid_arguments(env_id: str) -> set[str] | None:
    """The arguments that an environment takes; None for one that takes any."""
    entry_point: Any = gymnasium.spec(env_id).entry_point
    if isinstance(entry_point, str):
        entry_point = load_env_creator(entry_point)
    checked = getattr(entry_point.__init__, "arguments", None)  # see `scml_gym.core.arguments.named_arguments`
    if checked is not None:
        return {*checked, *_OF_MAKE}
    parameters = inspect.signature(entry_point).parameters.values()
    return None if any(p.kind is p.VAR_KEYWORD for p in parameters) else {*(p.name for p in parameters), *_OF_MAKE}
