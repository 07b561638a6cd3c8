"""How far MAPPO and IPPO come in simple_spread of mpe2, between random agents and such as go to their own landmark.

    python train.py examples/peers/simple_spread.yaml --seed 0 --out runs/spread/mappo-0
    python benchmarks/simple_spread.py runs/spread/mappo-0 --trust runs/spread

Each is judged in the same episodes, by the return of an agent (the mean of all): with the likeliest actions, and with
drawn ones. The share is 0 for random agents and 1 for the hand-written ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from scml_gym.core.cli import run_main
from scml_gym.core.trust import trust
from scml_gym.experiments.make_parallel import make_parallel
from scml_gym.policies.run_folders import load_agent

ENV = {"id": "mpe2.simple_spread_v3:raw_env", "N": 3, "max_cycles": 25}
NOTHING, LEFT, RIGHT, DOWN, UP = range(5)
REACH = 0.3
"""How far an agent still goes with its velocity, in a time unit: each step of .1 keeps three quarters of it."""


def own_landmark(agent: int, seen: np.ndarray) -> int:
    """Go to the landmark with the agent's own number, and stay there."""
    left = seen[4 + 2 * agent : 6 + 2 * agent] - REACH * seen[:2]
    axis = int(np.argmax(np.abs(left)))
    if abs(left[axis]) < 0.08:
        return NOTHING
    return ((LEFT, RIGHT), (DOWN, UP))[axis][int(left[axis] > 0)]


def returns_of(act: Callable[[int, np.ndarray], Any], episodes: int, seed: int) -> np.ndarray:
    """The mean return of the agents in each episode; the ``i``-th is that of ``seed + i``."""
    env: Any = make_parallel(ENV)
    totals = np.zeros(episodes)
    for i in range(episodes):
        observations, _ = env.reset(seed=seed + i)
        while env.agents:
            chosen = {agent: act(k, observations[agent]) for k, agent in enumerate(env.possible_agents)}
            observations, rewards, *_ = env.step(chosen)
            totals[i] += np.mean(list(rewards.values()))
    return totals


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", help="run folders")
    parser.add_argument("--trust", action="append", default=[], metavar="FOLDER", help="that may name modules")
    parser.add_argument("--episodes", type=int, default=400)
    parser.add_argument("--seed", type=int, default=90_000, help="of the first episode")
    options = parser.parse_args()
    trust(*options.trust)
    rng = np.random.default_rng(options.seed)
    judged = {
        "random": returns_of(lambda agent, seen: int(rng.integers(5)), options.episodes, options.seed),
        "own landmark": returns_of(own_landmark, options.episodes, options.seed),
    }
    for run in options.runs:
        learner = load_agent(run)
        for name, best in (("likeliest", True), ("drawn", False)):

            def act(agent: int, seen: np.ndarray, learner: Any = learner, best: bool = best) -> int:
                return learner.predict((agent, seen), None, None, best)[0]

            judged[f"{run}, {name}"] = returns_of(act, options.episodes, options.seed)
    low, high = judged["random"].mean(), judged["own landmark"].mean()
    print("| agents | return | share of the way |\n|---|---|---|")
    for name, returns in judged.items():
        error = 1.96 * returns.std(ddof=1) / np.sqrt(len(returns))
        print(f"| {name} | {returns.mean():.2f} ± {error:.2f} | {(returns.mean() - low) / (high - low):.2f} |")


if __name__ == "__main__":
    run_main(main)
