"""Environment and deployment are one: a trained run played through the environment and deployed as an scml agent.

In each world the run's policy first answers through the environment that it was trained in, then the same world is
played again in scml's simulation with the run deployed as an scml agent at that factory. Contracts and scores must be
identical; the script exits 1 at the first difference.

    python benchmarks/deployment_parity.py runs/maskable_ppo --worlds 100
"""

from __future__ import annotations

import argparse
import sys

import gymnasium

from scml_gym.experiments.make_env import env_arguments
from scml_gym.policies.parity import compare_deployment
from scml_gym.policies.run_folders import load_agent


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
        mine, same = compare_deployment(options.run, seed, agent, env)
        contracts += mine
        if not same:
            print(f"seed {seed}: the deployed agent made other contracts or scores than the environment")
            sys.exit(1)
    print(f"{options.worlds} worlds, {contracts} contracts of the learner: identical contracts and scores")


if __name__ == "__main__":
    main()
