"""From the ``env`` section of a configuration to an environment, with errors that name the wrong key."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import gymnasium
from gymnasium.envs.registration import load_env_creator

import scml_gym  # noqa: F401 (registers the environments)
from scml_gym.core.arguments import UnknownArgumentError
from scml_gym.core.config import CONFIGS, ConfigError, read_yaml
from scml_gym.core.errors import InputError, nearest


def env_arguments(env: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The id and the keyword arguments of ``gymnasium.make`` that an ``env`` section stands for.

    Raises:
        ConfigError: if there is no id.
    """
    if "id" not in env:
        raise ConfigError(("env", "id"), "missing")
    return env["id"], {key: value for key, value in env.items() if key not in ("name", "id")}


def make_env(env: Mapping[str, Any]) -> gymnasium.Env:
    """One environment of an ``env`` section.

    Args:
        env: ``id``, keyword arguments of ``gymnasium.make``, and possibly ``name``, which is passed over.

    Raises:
        ConfigError: if the id or a keyword argument is unknown, or a value is refused by the environment.
    """
    env_id, arguments = env_arguments(env)
    try:
        return gymnasium.make(env_id, **arguments)
    except gymnasium.error.Error as error:
        hint = nearest(env_id, (name for name in gymnasium.registry if name.startswith("scml_gym/")))
        raise ConfigError(("env", "id"), f"there is no environment {env_id!r}{hint}") from error
    except TypeError as error:
        unknown = re.search(r"unexpected keyword argument '(\w+)'", str(error))
        if unknown is None:
            raise
        name = unknown[1]
        raise ConfigError(("env", name), f"unknown key{nearest(name, _valid_arguments(env_id))}") from error
    except ConfigError:
        raise
    except UnknownArgumentError as error:
        raise ConfigError(("env", error.name), f"unknown key{error.hint}") from error
    except InputError as error:
        subject = re.match(r"(\w+)\b", str(error))
        key = (subject[1],) if subject and subject[1] in arguments else ()
        raise ConfigError(("env", *key), str(error)) from error


def _valid_arguments(env_id: str) -> set[str]:
    """Names in the environment's own signature and in the configuration files for it."""
    names: set[str] = set()
    entry_point = gymnasium.spec(env_id).entry_point
    if isinstance(entry_point, str):
        entry_point = load_env_creator(entry_point)
    if entry_point is not None:
        parameters = inspect.signature(entry_point).parameters.values()
        names |= {p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    for file in (CONFIGS / "env").glob("*.yaml"):
        data = read_yaml(file)
        if data.get("id") == env_id:
            names |= data.keys() - {"id", "name"}
    return names
