"""Worlds of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from scml_gym.agents.mappo.native import GameWorlds, NativeWorlds
from scml_gym.agents.mappo.stepped import SteppedWorlds
from scml_gym.agents.mappo.worlds import Worlds
from scml_gym.core.config import ConfigError
from scml_gym.experiments.make_parallel import make_parallel, make_parallel_batch


def make_worlds(env: Mapping[str, Any], n: int, threads: int, identity: str) -> Worlds:
    """Worlds of an ``env`` section: a native batch where there is one.

    Raises:
        InputError: for an environment or arguments that are refused, or that a learner of choices cannot play.
    """
    envs = make_parallel_batch(env, n, threads)
    if envs is not None:
        return NativeWorlds(envs, identity)
    if env.get("id") == "game_v0" and threads == 1:
        return GameWorlds(cast(Any, make_parallel(env)).game, n, identity)
    if threads != 1:
        told = f"{threads}; this environment is stepped one by one; valid: 1"
        raise ConfigError(("agent", "workers"), told)
    return SteppedWorlds([make_parallel(env) for _ in range(n)], identity)
