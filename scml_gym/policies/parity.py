"""Environment and deployment are one: a trained run played through the environment and deployed as an scml agent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils.seeding import np_random

from scml_gym.experiments.make_env import env_arguments
from scml_gym.game.daily import DailyWorld
from scml_gym.policies.run_folders import deploy


def reference_config(env: Mapping[str, Any]) -> Any:
    """The worlds of an environment in scml's own simulation, see `scml_gym.game.world_config.WorldConfig`.

    Args:
        env: The ``env`` section of a run.
    """
    name, arguments = env_arguments(env)
    arguments["backend"] = "reference"
    single: Any = gymnasium.make(name, **arguments).unwrapped
    return single.config


def compare_deployment(run: str, seed: int, agent: Any, env: Any) -> tuple[int, bool]:
    """Play a world through an environment, and again with the run deployed as an scml agent at the same factory.

    Args:
        run: A run folder of a learner of an environment in which a factory answers all its partners.
        seed: Of the world.
        agent: The run's learner.
        env: The environment that the run was trained in, in either backend.

    Returns:
        The contracts made by the factory; whether all contracts and scores of both plays are identical.
    """
    inner = env.unwrapped
    observation, _ = env.reset(seed=seed)
    state, done = None, False
    while not done:
        action, state = agent.predict(observation, state, env.get_wrapper_attr("action_masks")())
        observation, _, done, _, _ = env.step(action)
    played: Any = inner.world.world if isinstance(inner.world, DailyWorld) else inner.world
    rng, _ = np_random(seed)
    config = reference_config(agent.env)
    sample = config.sample(int(rng.integers(2**62)))
    (factory,) = sample.factories
    kind, parameters = deploy(run)
    sample.players[factory] = (kind, parameters["controller_params"])
    deployed = config.new_world(sample)
    deployed.run()
    mine = int(np.sum((played.contracts["seller"] == factory) | (played.contracts["buyer"] == factory)))
    same = np.array_equal(played.contracts, deployed.contracts) and np.array_equal(played.scores, deployed.scores)
    return mine, same
