"""Speed of whole trainings of PPO, by turns: Stable-Baselines3's and the learner of `agents/fast_ppo`.

Each training is a process of its own, ``train.py`` from its start to its end, with the settings of an experiment and
another ``agent.name``. Its CPU time counts the start of Python and of the compiled code; two threads are timed by the
clock. Trainings take turns, so that other load on the machine meets them alike. Short ones come before, which may
compile and do not count.

    python benchmarks/ppo_speed.py --turns 3 --out docs/results/fast_ppo/speed.csv
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from scml_gym.core.cli import run_main
from scml_gym.core.files import replace_file

ROOT = Path(__file__).resolve().parents[1]


class Training(NamedTuple):
    """What is timed."""

    experiment: str
    learner: str
    threads: int


TRAININGS = (
    Training("flat", "maskable-ppo", 1),
    Training("flat", "fast-maskable-ppo", 1),
    Training("flat", "fast-maskable-ppo", 2),
    Training("planner", "ppo", 1),
    Training("planner", "fast-ppo", 1),
    Training("planner", "fast-ppo", 2),
)


def timed(training: Training, steps: int, seed: int) -> dict[str, Any]:
    """Train in a process of its own; CPU and clock seconds of the whole of it."""
    with tempfile.TemporaryDirectory() as folder:
        changes = {"agent.name": training.learner, "agent.total_steps": steps, "agent.workers": training.threads}
        options = [part for key, value in changes.items() for part in ("--set", f"{key}={value}")]
        command = [sys.executable, str(ROOT / "train.py"), training.experiment, *options]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            [*command, "--seed", str(seed), "--out", f"{folder}/run"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    decisions = int(done.stdout.split("trained ")[1].split()[0])
    return {**training._asdict(), "decisions": decisions, "cpu_seconds": cpu, "clock_seconds": seconds}


def summary(rows: pd.DataFrame) -> str:
    """Medians over turns: decisions a second, and how many times those of the slower one, with least and most."""
    lines = []
    for experiment, of in rows.groupby("experiment"):
        slow, fast, two = (of[(of.learner.str.startswith("fast") == quick) & (of.threads == n)] for quick, n in PARTS)
        speeds = [(part.decisions / part.cpu_seconds).median() for part in (slow, fast)]
        lines.append(f"{experiment}: {speeds[0]:,.0f} and {speeds[1]:,.0f} decisions in a second of CPU time")
        for what, one, other in (("learners", slow, fast), *([("threads", fast, two)] if len(two) else [])):
            column = "cpu_seconds" if what == "learners" else "clock_seconds"
            times = np.array(one[column]) / np.array(other[column])
            lines.append(f"  {what}: {np.median(times):.2f} times ({times.min():.2f} to {times.max():.2f})")
    return "\n".join(lines)


PARTS = ((False, 1), (True, 1), (True, 2))
"""Whether the fast learner, and its threads."""


def main() -> int:
    """Time, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", nargs="+", default=["flat", "planner"], choices=["flat", "planner"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], choices=[1, 2], help="of the fast learner")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1_000_000, help="decisions of a training")
    parser.add_argument("--warm", type=int, default=20_000, help="decisions of the trainings before the first turn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="CSV file for the table")
    options = parser.parse_args()
    rows = []
    chosen = [part for part in TRAININGS if part.experiment in options.experiments and part.threads in options.threads]
    for training in chosen:
        timed(training, options.warm, options.seed)
    for turn in range(options.turns):
        for training in chosen:
            rows.append({"turn": turn, **timed(training, options.steps, options.seed)})
            print(rows[-1], flush=True)
            if options.out:
                options.out.parent.mkdir(parents=True, exist_ok=True)
                replace_file(options.out, pd.DataFrame(rows).to_csv(index=False, float_format="%.2f").encode())
    print(summary(pd.DataFrame(rows)))
    return 0


if __name__ == "__main__":
    run_main(main)
