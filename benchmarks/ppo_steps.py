"""What the environments cost in which PPO learns: CPU time of their steps, by decision and by day of a world.

Trained policies play in the environments that they were trained in, by turns, with one thing changed at a time: the
opponents, or the number of factories. Only the steps of the environments are timed. An episode is a day.

    python benchmarks/ppo_steps.py runs/fast-planner-0 runs/fast-flat-0 --out docs/results/fast_ppo/steps.csv
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import gymnasium
import pandas as pd

from scml_gym.agents import AGENTS
from scml_gym.core.cli import run_main
from scml_gym.core.files import replace_file
from scml_gym.core.process import limit_threads
from scml_gym.experiments.run_folder import Run

STRATEGIES = ("best-subset", "subset-population", "greedy", "greedy-sync", "boulware", "do-nothing")
CHANGES: dict[str, dict[str, Any]] = {
    "as trained": {},
    "4 factories a level": {"factories_per_level": 4},
    "8 factories a level": {"factories_per_level": 8},
    **{f"{name} as all opponents": {"opponents": [name]} for name in STRATEGIES},
}


class Played:
    """Environments of a run, of which something is changed, and its policy in them."""

    def __init__(self, run: Run, change: dict[str, Any], n: int):
        self._agent = AGENTS.get(run.config["agent"]["name"]).load(run.latest_checkpoint())
        env = {key: value for key, value in run.config["env"].items() if key not in ("name", "id", "strict")} | change
        self._envs: Any = gymnasium.make_vec(
            run.config["env"]["id"], n, "vector_entry_point", autoreset_mode="SameStep", **env
        )
        self._observations, _ = self._envs.reset(seed=5)
        self.seconds, self.decisions, self.days = 0.0, 0, 0

    def play(self, steps: int) -> None:
        """Add so many steps."""
        for _ in range(steps):
            actions, _ = self._agent.predict(self._observations, None, self._envs.action_masks())
            before = time.process_time()
            self._observations, _, done, _, _ = self._envs.step(actions)
            self.seconds += time.process_time() - before
            self.decisions, self.days = self.decisions + len(done), self.days + int(done.sum())


def main() -> int:
    """Time, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="trained run folders with env.episode=day")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--steps", type=int, default=100, help="of a turn")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--out", type=Path, help="CSV file for the table")
    options = parser.parse_args()
    limit_threads(1)
    rows = []
    for folder in options.runs:
        played = {name: Played(Run.open(folder), change, options.rows) for name, change in CHANGES.items()}
        for one in played.values():
            one.play(5)  # which may compile
            one.seconds, one.decisions, one.days = 0.0, 0, 0
        for _ in range(options.turns):
            for one in played.values():
                one.play(options.steps)
        for name, one in played.items():
            micro = 1e6 * one.seconds
            costs = {"of a decision": micro / one.decisions, "of a day": micro / one.days}
            rows.append({"run": folder.name, "change": name, "decisions a day": one.decisions / one.days} | costs)
    table = pd.DataFrame(rows)
    print(table.to_string(index=False, float_format="{:.2f}".format))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        replace_file(options.out, table.to_csv(index=False, float_format="%.3f").encode())
    return 0


if __name__ == "__main__":
    run_main(main)
