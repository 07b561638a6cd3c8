"""Where the time goes in the environments of `planner`: CPU time of a step, with one thing changed at a time.

A trained policy plays, and only the steps of the environments are timed, by turns. Rows of the table differ from the
first one in the changes that they name, so their differences say what a part costs.

    python benchmarks/planner_steps.py runs/fast-planner-0 --turns 5
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from agents import AGENTS
from scml_gym.core.cli import run_main
from scml_gym.core.process import limit_threads
from scml_gym.experiments.run_folder import Run

OPPONENTS = ("best-subset", "best-subset-even", "subset-population", "subset-strong", "greedy", "greedy-sync", "boulware")
CHANGES: dict[str, dict[str, Any]] = {
    "as trained": {},
    "reward daily-profit": {"reward": "daily-profit"},
    "worlds as episodes": {"episode": "world"},
    "flat observation": {"observation": "flat"},
    "4 factories a level": {"factories_per_level": 4},
    "8 factories a level": {"factories_per_level": 8},
    **{f"opponents {name}": {"opponents": [name]} for name in OPPONENTS},
}


class Played:
    """Environments in which a policy plays, or the likeliest of its actions at random where it cannot see them."""

    def __init__(self, run: Run, change: dict[str, Any], n: int):
        self._agent = AGENTS.get(run.config["agent"]["name"]).load(run.latest_checkpoint())
        env = {key: value for key, value in run.config["env"].items() if key not in ("name", "id", "strict")} | change
        self._envs: Any = gymnasium.make_vec(
            run.config["env"]["id"], n, "vector_entry_point", autoreset_mode="SameStep", **env
        )
        self._observations, _ = self._envs.reset(seed=5)
        self._seen = self._observations.shape[1:] == self._agent.observation_space.shape
        self._rng = np.random.default_rng(1)

    def seconds(self, steps: int) -> float:
        """CPU seconds of so many steps."""
        spent = 0.0
        for _ in range(steps):
            actions = self._actions()
            before = time.process_time()
            self._observations, *_ = self._envs.step(actions)
            spent += time.process_time() - before
        return spent

    def _actions(self) -> np.ndarray:
        if self._seen:
            self._last, _ = self._agent.predict(self._observations, None, self._envs.action_masks())
        else:
            self._last = self._envs.action_space.sample()
        return self._last


def main() -> int:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="a trained run folder")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--steps", type=int, default=100, help="of a turn")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    limit_threads(1)
    run = Run.open(options.run)
    played = {name: Played(run, change, options.rows) for name, change in CHANGES.items()}
    for one in played.values():
        one.seconds(options.steps)
    spent = np.array([[one.seconds(options.steps) for one in played.values()] for _ in range(options.turns)])
    micro = spent / (options.rows * options.steps) * 1e6
    for name, median, least in zip(played, np.median(micro, axis=0), micro.min(axis=0), strict=True):
        print(f"{name:28} {median:6.2f} microseconds a decision (least {least:.2f})")
    return 0


if __name__ == "__main__":
    run_main(main)
