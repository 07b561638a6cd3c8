"""Environment and deployment are one: a trained run played through the environment and deployed as an scml agent."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.utils.seeding import np_random

from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.policies.run_folders import deploy


def compare_deployment(run: str, seed: int, agent: Any, env: Any) -> tuple[int, bool]:
    """Play a world through an environment, and again with the run deployed as an scml agent at the same factory.

    Args:
        run: A run folder of a learner of the joint environment.
        seed: Of the world.
        agent: The run's learner.
        env: ``scml_gym/OneShotConcurrent-v0`` as the run was trained in.

    Returns:
        The contracts made by the factory; whether all contracts and scores of both plays are identical.
    """
    inner = env.unwrapped
    observation, _ = env.reset(seed=seed)
    state, done = None, False
    while not done:
        action, state = agent.predict(observation, state, env.get_wrapper_attr("action_masks")())
        observation, _, done, _, _ = env.step(action)
    played = inner.world
    rng, _ = np_random(seed)
    sample = inner.config.sample(int(rng.integers(2**62)))
    kind, parameters = deploy(run)
    sample.players[sample.factories[0]] = (kind, parameters["controller_params"])
    deployed = ReferenceWorld(sample.spec, sample.players, seed=sample.seed, timing=inner.config.timing)
    deployed.run()
    side = "seller" if sample.spec.level[sample.factories[0]] == 0 else "buyer"
    mine = int(np.sum(played.contracts[side] == sample.factories[0]))
    same = np.array_equal(played.contracts, deployed.contracts) and np.array_equal(played.scores, deployed.scores)
    return mine, same
