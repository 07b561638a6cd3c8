"""Do executors heed alpha? Acceptances, ends and offered prices at alpha -1 to 1 in held-out worlds.

Run folders of one setting, with different seeds, are averaged. Intervals are over worlds (Student's t, 95 %);
differences to alpha 0 are paired by world. Goals are told, returns are not.

    python train.py executor --seed 0 --out runs/executor-0
    python train.py executor --seed 0 --set agent.data=runs/executor-0/negotiations.parquet \
        --set agent.alpha.dropped=1 --out runs/unheeding-0
    python benchmarks/executor_alpha.py runs/executor-0/negotiations.parquet --heeding runs/executor-0 \
        --unheeding runs/unheeding-0 --out docs/results/hrl_xf
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from scml_gym.agents.hrl_xf.heeding import MEASURES, Heeded, heeded
from scml_gym.agents.hrl_xf.measuring import CONDITIONS, PARTS, by_network, held_out
from scml_gym.agents.hrl_xf.negotiations import Negotiations, read
from scml_gym.core.cli import run_main
from scml_gym.evaluation.statistics import compare
from scml_gym.policies.run_folders import load_agent

ALPHAS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def mean_of(runs: Sequence[str], table: Negotiations, alpha: float) -> Heeded:
    """The mean of some run folders."""
    found = []
    for run in runs:
        learner = load_agent(run)
        _, episodes = held_out(table, learner.hyperparameters.held_out)
        found.append(heeded(learner, table, episodes, alpha))
    return Heeded(*(np.mean(part, axis=0) for part in zip(*found, strict=True)))


def cell(own: np.ndarray, reference: np.ndarray) -> str:
    """A mean with its interval, and its difference to a reference with its own."""
    mean = compare(own, np.zeros(len(own)))
    told = f"{mean.difference:.3f} ± {mean.high - mean.difference:.3f}"
    if own is reference:
        return told
    less = compare(own, reference)
    return f"{told} ({less.low:+.3f} to {less.high:+.3f})"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a file of negotiations")
    parser.add_argument("--heeding", nargs="+", required=True, help="run folders")
    parser.add_argument("--unheeding", nargs="+", default=[], help="run folders with agent.alpha.dropped=1, for losses")
    parser.add_argument("--out", type=Path, required=True, help="folder of alpha.csv")
    given = parser.parse_args()
    table = read(given.data)
    _, episodes = held_out(table, load_agent(given.heeding[0]).hyperparameters.held_out)
    worlds = list(dict.fromkeys(table.worlds[episodes].tolist()))
    found = {alpha: mean_of(given.heeding, table, alpha) for alpha in ALPHAS}
    rows = [
        {"alpha": alpha, "world": world, **{name: getattr(told, name)[i] for name in MEASURES}}
        for alpha, told in found.items()
        for i, world in enumerate(worlds)
    ]
    given.out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(given.out / "alpha.csv", index=False, float_format="%.5f")
    print(f"| alpha | {' | '.join(MEASURES)} |\n| --- | {' | '.join(['---'] * len(MEASURES))} |")
    for alpha, told in found.items():
        cells = [cell(getattr(told, name), getattr(found[0.0], name)) for name in MEASURES]
        print(f"| {alpha:+.1f} | {' | '.join(cells)} |")
    print(f"\n| loss at alpha 0 | {' | '.join(PARTS)} |\n| --- | {' | '.join(['---'] * len(PARTS))} |")
    for condition in CONDITIONS:
        for name, runs in (("heeding", given.heeding), ("unheeding", given.unheeding)):
            if not runs:
                continue
            losses = [by_network(load_agent(run), table, episodes, condition).loss for run in runs]
            loss = np.mean(losses, axis=0)
            print(f"| {name}, {condition} told | {' | '.join(f'{part.mean():.3f}' for part in loss)} |")


if __name__ == "__main__":
    run_main(main)
