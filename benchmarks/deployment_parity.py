"""Environment and deployment are one: a trained run played through the environment and deployed as an scml agent.

In each world the run's policy first answers through ``scml_gym/OneShotConcurrent-v0``, then the same world is played
again with `scml_gym.deployed.DeployedAgent` at that factory. Contracts and scores must be identical; the script exits 1
at the first difference.

    python benchmarks/deployment_parity.py runs/maskable_ppo --worlds 100
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils.seeding import np_random

import scml_gym  # noqa: F401  (registers the environments)
from scml_gym.deployed import DeployedAgent
from scml_gym.experiments.make_env import env_arguments
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.policies.run_folders import load_agent


def compare(run: str, seed: int, agent: Any, env: Any) -> tuple[int, bool]:
    """(contracts made by the factory, whether both plays of that seed's world are identical)."""
    inner = env.unwrapped
    observation, info = env.reset(seed=seed)
    state, done = None, False
    while not done:
        action, state = agent.predict(observation, state, env.get_wrapper_attr("action_masks")())
        observation, _, done, _, info = env.step(action)
    played = inner.world
    rng, _ = np_random(seed)
    cast = inner.setting.cast(int(rng.integers(2**62)))
    cast.players[cast.factories[0]] = (DeployedAgent, {"run": run})
    deployed = ReferenceWorld(cast.spec, cast.players, seed=cast.seed, timing=inner.setting.timing)
    deployed.run()
    side = "seller" if cast.spec.level[cast.factories[0]] == 0 else "buyer"
    mine = int(np.sum(played.contracts[side] == cast.factories[0]))
    same = np.array_equal(played.contracts, deployed.contracts) and np.array_equal(played.scores, deployed.scores)
    return mine, same


def main() -> None:
    """Compare world after world."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a run folder of a learner of the joint environment")
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    agent = load_agent(options.run)
    name, arguments = env_arguments(agent.env)
    env = gymnasium.make(name, **arguments)
    contracts = 0
    for seed in range(options.seed, options.seed + options.worlds):
        mine, same = compare(options.run, seed, agent, env)
        contracts += mine
        if not same:
            print(f"seed {seed}: the deployed agent made other contracts or scores than the environment")
            sys.exit(1)
    print(f"{options.worlds} worlds, {contracts} contracts of the learner: identical contracts and scores")


if __name__ == "__main__":
    main()
