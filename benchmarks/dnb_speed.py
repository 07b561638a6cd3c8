"""What a decision of the whole D-NB costs: views as they come in games, answered one by one on one thread.

A decision is everything between a view and the answers to all partners: what happened since, estimates of all offers
that are considered, sets, offers. The time is the processor's, the call from Python included.

    python benchmarks/dnb_speed.py runs/dnb-logistic runs/dnb-transformer --worlds 10 --json dnb_speed.json
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from scml_gym.agents.dnb.learner import DNBPolicyFile, load_dnb
from scml_gym.core.cli import run_main
from scml_gym.core.files import replace_file
from scml_gym.core.provenance import versions
from scml_gym.oneshot.envs.config import OneShotConfig
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld

BACKGROUND = ("best-subset", "best-subset-even", "subset-strong", "subset-population", "greedy-sync")


def measure(policy: DNBPolicyFile, worlds: int, days: int, factories: int) -> np.ndarray:
    """Milliseconds of each decision, float64."""
    setting, spent = OneShotConfig("any", BACKGROUND, days, factories), []
    for seed in range(worlds):
        cast = setting.sample(seed)
        (seat,) = cast.factories
        players: list[Any] = list(cast.players)
        world, player = CompiledWorld(cast.spec, players), policy.player(cast.seed)
        world.start()
        while world.pending:
            for view in world.closed_days(seat):
                player.end_day(view)
            view = world.view(seat)
            start = time.process_time_ns()
            actions = player.act(view)
            spent.append((time.process_time_ns() - start) / 1e6)
            world.step({seat: actions})
    return np.array(spent[1:])  # the first one compiles


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", help="run folders of D-NB")
    parser.add_argument("--worlds", type=int, default=10)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--factories", type=int, default=8, help="on each level; the most is 8")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    report: dict[str, Any] = {"versions": versions(), "runs": {}}
    for run in args.runs:
        spent = measure(load_dnb(run).policy_file(), args.worlds, args.days, args.factories)
        row = {"decisions": len(spent), "mean_ms": float(spent.mean())}
        row |= {f"p{p}_ms": float(np.percentile(spent, p)) for p in (50, 90, 99)}
        report["runs"][Path(run).name] = row
        print(Path(run).name, {k: round(v, 4) for k, v in row.items()})
    if args.json is not None:
        replace_file(args.json, json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    run_main(main)
