"""Whether the fast PPO learns what Stable-Baselines3's does: several seeds of both, judged in the same compiled worlds.

Trainings that stand in the folder of runs are not made again, so an interrupted comparison goes on. The likeliest
actions are played, in worlds that nobody was trained in, among the opponents of the training and among four others.

    python benchmarks/ppo_learning.py flat planner --seeds 5 --out docs/results/fast_ppo/learning.csv
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pandas as pd
from scipy import stats

from scml_gym.agents import AGENTS
from scml_gym.agents.training import resume, start
from scml_gym.core.cli import run_main
from scml_gym.core.files import replace_file
from scml_gym.core.process import limit_threads
from scml_gym.experiments.run_folder import Run

LEARNERS = {"flat": ("maskable-ppo", "fast-maskable-ppo"), "planner": ("ppo", "fast-ppo")}
FOUR = ["best-subset", "best-subset-even", "greedy", "greedy-sync"]
FIRST_WORLD = 10**6


def trained(experiment: str, learner: str, seed: int, folder: Path, options: list[str]) -> Run:
    """The finished run of a learner, trained now where it is not yet."""
    path = folder / f"{experiment}-{learner}-{seed}"
    if path.exists():
        return resume(path)
    return start(experiment, [f"agent.name={learner}", *options], seed, path)


def scores(run: Run, opponents: list[str], worlds: int) -> np.ndarray:
    """What the learner of a run scores in worlds, float64 ``(worlds,)``; the same ones for all."""
    agent = AGENTS.get(run.config["agent"]["name"]).load(run.latest_checkpoint())
    env = {key: value for key, value in run.config["env"].items() if key not in ("name", "id", "strict")}
    env |= {"opponents": opponents, "episode": "world"}
    envs: Any = gymnasium.make_vec(run.config["env"]["id"], worlds, "vector_entry_point", **env)
    observations, _ = envs.reset(seed=FIRST_WORLD)
    found = np.full(worlds, np.nan)
    while np.isnan(found).any():
        actions, _ = agent.predict(observations, None, envs.action_masks())
        observations, _, done, _, info = envs.step(actions)
        first = done & np.isnan(found)
        if first.any():
            found[first] = info["score"][first]
    envs.close()
    return found


def compared(rows: pd.DataFrame) -> str:
    """The difference of both learners' means over seeds, with its 95 % interval by Welch's test."""
    lines = []
    for experiment, mix in rows[["experiment", "opponents"]].drop_duplicates().itertuples(index=False):
        of = rows[(rows.experiment == experiment) & (rows.opponents == mix)]
        slow, fast = (np.array(of.loc[of.learner == name, "score"]) for name in LEARNERS[experiment])
        interval = stats.ttest_ind(fast, slow, equal_var=False).confidence_interval()
        difference, low, high = fast.mean() - slow.mean(), float(interval.low), float(interval.high)
        lines.append(
            f"{experiment}, {mix}: {slow.mean():.4f} and {fast.mean():.4f}, {difference:+.4f} ({low:+.4f}, {high:+.4f})"
        )
    return "\n".join(lines)


def main() -> int:
    """Train, judge, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", choices=list(LEARNERS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--worlds", type=int, default=512)
    parser.add_argument("--runs", type=Path, default=Path("runs/ppo_learning"), help="folder of the run folders")
    parser.add_argument("--set", action="append", default=[], dest="options", help="as train.py, for all trainings")
    parser.add_argument("--out", type=Path, help="CSV file for the table")
    options = parser.parse_args()
    limit_threads(1)
    rows = []
    for seed in range(options.seeds):
        for experiment in options.experiments:
            for learner in LEARNERS[experiment]:
                run = trained(experiment, learner, seed, options.runs, options.options)
                for mix, opponents in (("the training's", run.config["env"]["opponents"]), ("four", FOUR)):
                    own = scores(run, opponents, options.worlds)
                    facts = {"experiment": experiment, "learner": learner, "seed": seed, "opponents": mix}
                    error = own.std(ddof=1) / np.sqrt(len(own))
                    rows.append(
                        facts | {"worlds": len(own), "score": float(own.mean()), "standard_error": float(error)}
                    )
                    print(rows[-1], flush=True)
        table = pd.DataFrame(rows)
        if options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            replace_file(options.out, table.to_csv(index=False, float_format="%.6f").encode())
        if seed:
            print(compared(table), flush=True)
    return 0


if __name__ == "__main__":
    run_main(main)
