"""Executors of HRL-XF in the negotiations of held-out worlds, beside the base rate and a network without history.

Run folders of one setting, with different seeds, are averaged. Intervals are over worlds (Student's t, 95 %).

    python train.py executor --seed 0 --out runs/executor-0
    python train.py executor --seed 0 --set agent.data=runs/executor-0/negotiations.parquet --set agent.context=1 \
        --out runs/plain-0
    python benchmarks/executor_offline.py runs/executor-0/negotiations.parquet --history runs/executor-0 \
        --plain runs/plain-0 --out docs/results/decision_transformer
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from scml_gym.agents.hrl_xf.leaks import most_told
from scml_gym.agents.hrl_xf.measuring import CONDITIONS, PARTS, Met, by_base_rate, by_network, held_out
from scml_gym.agents.hrl_xf.negotiations import Negotiations, read
from scml_gym.agents.hrl_xf.observing import hide_goals
from scml_gym.core.cli import run_main
from scml_gym.evaluation.statistics import compare
from scml_gym.policies.run_folders import load_agent


def judged(runs: Sequence[str], table: Negotiations, told: str) -> Met:
    """The mean of some run folders."""
    found = []
    for run in runs:
        learner = load_agent(run)
        _, episodes = held_out(table, learner.hyperparameters.held_out)
        found.append(by_network(learner, table, episodes, told))
    return Met(*(np.mean(part, axis=0) for part in zip(*found, strict=True)))


def table_of(players: dict[str, Met], reference: str) -> str:
    """Markdown: means with intervals, and differences to a reference."""
    head = ["", *(f"{part} {measure}" for measure in Met._fields for part in PARTS)]
    lines = []
    for name, met in players.items():
        cells = [name]
        for measure in Met._fields:
            own, other = getattr(met, measure), getattr(players[reference], measure)
            for part in range(len(PARTS)):
                mean = compare(own[part], np.zeros(len(own[part])))
                less = compare(own[part], other[part])
                cell = f"{mean.difference:.3f} ± {mean.high - mean.difference:.3f}"
                cells.append(cell + (f" ({less.low:+.3f} to {less.high:+.3f})" if name != reference else ""))
        lines.append(cells)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *lines))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a file of negotiations")
    parser.add_argument("--history", nargs="+", required=True, help="run folders")
    parser.add_argument("--plain", nargs="+", required=True, help="run folders with agent.context=1")
    parser.add_argument("--out", type=Path, required=True, help="folder of by_world.csv")
    given = parser.parse_args()
    table = read(given.data)
    learnt, episodes = held_out(table, load_agent(given.history[0]).hyperparameters.held_out)
    players = {"base rate": by_base_rate(table, learnt, episodes)}
    for told in CONDITIONS:
        players[f"no history, {told} told"] = judged(given.plain, table, told)
        players[f"history, {told} told"] = judged(given.history, table, told)
    rows = [
        {
            "model": name,
            "world": world,
            "part": PARTS[part],
            "loss": met.loss[part, i],
            "accuracy": met.accuracy[part, i],
        }
        for name, met in players.items()
        for i, world in enumerate(dict.fromkeys(table.worlds[episodes].tolist()))
        for part in range(len(PARTS))
    ]
    given.out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(given.out / "by_world.csv", index=False, float_format="%.5f")
    print(f"{len(table.rewards)} decisions, {len(table.starts)} negotiations, {len(np.unique(table.worlds))} worlds")
    print(f"held out: {len(episodes)} negotiations, {len(np.unique(table.worlds[episodes]))} worlds\n")
    print(table_of(players, "no history, nothing told"))
    print()
    for name, observations in (("goals hidden", hide_goals(table.observations)), ("goals told", table.observations)):
        for leak in most_told(observations, table.actions):
            print(f"{name}: {leak}")


if __name__ == "__main__":
    run_main(main)
