"""From the ``env`` section of a configuration to a PettingZoo parallel environment, or to many of them in a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gymnasium.vector import AutoresetMode
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils.conversions import aec_to_parallel

from scml_gym.core.arguments import brief
from scml_gym.core.config import ConfigError, arguments_of
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.registry import load_object
from scml_gym.experiments.make_env import env_arguments
from scml_gym.registration import PARALLEL_ENVIRONMENTS

GAME_ENVIRONMENTS = {
    "game_v0": "scml_gym.commitment:parallel_env",
    "commitment_v0": "scml_gym.commitment:commitment_game",
}
"""Environments of the games of mixed interests: what makes them, of ``game`` and the game's own arguments."""


def make_parallel(env: Mapping[str, Any]) -> ParallelEnv:
    """One environment of an ``env`` section.

    Args:
        env: ``id``: a name in `scml_gym.registration.PARALLEL_ENVIRONMENTS` or `GAME_ENVIRONMENTS`, or ``module:Name``
            of what makes one, or makes an AEC environment that can be converted; and its keyword arguments.

    Raises:
        ConfigError: if there is no such environment, or an argument is unknown or refused.
    """
    name, arguments = env_arguments(env)
    with arguments_of("env", arguments, "game" if name in GAME_ENVIRONMENTS else ""):
        try:
            made = _maker(name)(**arguments)
        except TypeError as error:  # an argument that somebody else's does not have
            raise InputError(" ".join(str(error).split())) from error
    if isinstance(made, AECEnv):
        made = aec_to_parallel(made)
    if not isinstance(made, ParallelEnv):
        told = f"{name!r} makes {brief(made)}, which is no PettingZoo parallel environment"
        raise ConfigError(("env", "id"), told)
    return made


def make_parallel_batch(env: Mapping[str, Any], num_worlds: int, threads: int) -> Any:
    """So many of them as a native batch, with autoreset in the same step; None where there is none for this section.

    Raises:
        InputError: for an argument that the batch refuses.
    """
    name, arguments = env_arguments(env)
    plays_natively = arguments.get("backend", "compiled") == "compiled" and not arguments.pop("strict", False)
    if name not in PARALLEL_ENVIRONMENTS or not plays_natively:
        return None
    with arguments_of("env", arguments):
        make = load_object(f"{PARALLEL_ENVIRONMENTS[name]}:vector_env")
        return make(num_worlds, autoreset_mode=AutoresetMode.SAME_STEP, threads=threads, **arguments)


def _maker(name: str) -> Any:
    if name in PARALLEL_ENVIRONMENTS:
        return load_object(f"{PARALLEL_ENVIRONMENTS[name]}:parallel_env")
    if name in GAME_ENVIRONMENTS:
        return load_object(GAME_ENVIRONMENTS[name])
    try:
        if ":" in name:
            return load_object(name)
    except InputError as error:
        raise ConfigError(("env", "id"), str(error)) from error
    hint = nearest(name, (*PARALLEL_ENVIRONMENTS, *GAME_ENVIRONMENTS))
    raise ConfigError(("env", "id"), f"there is no parallel environment {name!r}{hint}; or give module:Name")
