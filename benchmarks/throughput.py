"""World passes and decisions a second of the environments, beside scml's own ``OneShotEnv``, in one run.

Each side plays the same kind of worlds (factories, days, opponents' class) with random actions, by turns, so that load
on the machine hits both; encoding, masks and rewards are included, world generation is not. CPU time of one process.

    python benchmarks/throughput.py --worlds 3 --repeats 5 --json throughput.json
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console
from rich.table import Table

import scml_gym  # noqa: F401  (registers the environments)
from scml_gym.registry import load_object

OPPONENTS = ("GreedyOneShotAgent", "SyncRandomOneShotAgent", "EqualDistOneShotAgent")


def peer(opponent: str, worlds: int, days: int, factories: int) -> tuple[float, float]:
    """(passes/s, decisions/s) of ``scml.oneshot.rl.OneShotEnv``: each of its steps is one pass and one decision."""
    from scml.oneshot.context import FixedPartnerNumbersOneShotContext
    from scml.oneshot.rl.action import FlexibleActionManager
    from scml.oneshot.rl.env import OneShotEnv
    from scml.oneshot.rl.observation import FlexibleObservationManager

    context = FixedPartnerNumbersOneShotContext(
        level=0,
        n_consumers=factories,
        n_competitors=factories - 1,
        n_steps=days,
        non_competitors=(load_object(f"scml.oneshot.agents:{opponent}"),),
    )
    env = OneShotEnv(FlexibleActionManager(context), FlexibleObservationManager(context), context=context)
    passes = decisions = 0
    seconds = 0.0
    for seed in range(worlds):
        env.reset(seed=seed)
        env.action_space.seed(seed)
        count = count_passes(env._world)
        start = time.process_time()
        done = False
        while not done:
            done = env.step(env.action_space.sample())[2]
            decisions += 1
        seconds += time.process_time() - start
        passes += count[0]
    return passes / seconds, decisions / seconds


def count_passes(world: Any) -> list[int]:
    """Count the calls of ``step_with`` from now on."""
    original, count = world.step_with, [0]

    def step_with(*args: Any, **kwargs: Any) -> bool:
        count[0] += 1
        return original(*args, **kwargs)

    world.step_with = step_with
    return count


def ours(opponent: str, timing: str, worlds: int, days: int, factories: int) -> tuple[float, float]:
    """(passes/s, decisions/s) of ``scml_gym/OneShotConcurrent-v0``; in "rounds" timing passes are not counted (nan)."""
    env = gymnasium.make(
        "scml_gym/OneShotConcurrent-v0",
        level="seller",
        opponents=[opponent],
        days=days,
        factories_per_level=factories,
        timing=timing,
    )
    inner: Any = env.unwrapped
    passes = decisions = 0
    seconds = 0.0
    for seed in range(worlds):
        env.reset(seed=seed)
        env.action_space.seed(seed)
        before = inner.world.passes
        start = time.process_time()
        done = False
        while not done:
            done = env.step(env.action_space.sample(mask=inner.sample_mask()))[2]
            decisions += 1
        seconds += time.process_time() - start
        passes += inner.world.passes - before
    return passes / seconds if timing == "moves" else float("nan"), decisions / seconds


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=2, help="worlds a measurement")
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--factories", type=int, default=6, help="factories a level")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where to write the raw numbers")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    size = (options.worlds, options.days, options.factories)
    rows = []
    for opponent in OPPONENTS:
        for repeat in range(options.repeats):
            theirs = peer(opponent, *size)
            moves = ours(f"scml:{opponent}", "moves", *size)
            rounds = ours(f"scml:{opponent}", "rounds", *size)
            rows.append(
                {
                    "opponents": opponent,
                    "repeat": repeat,
                    "peer passes/s": theirs[0],
                    "passes/s": moves[0],
                    "ratio of passes": moves[0] / theirs[0],
                    "peer decisions/s": theirs[1],
                    "decisions/s, moves": moves[1],
                    "decisions/s, rounds": rounds[1],
                }
            )
    table = Table(*(name.replace(" ", "\n") for name in rows[0]))
    table.title = f"{options.factories} factories a level, {options.days} days, CPU time"
    for row in rows:
        table.add_row(*(f"{v:.1f}" if isinstance(v, float) else str(v).removesuffix("Agent") for v in row.values()))
    Console().print(table)
    ratios = [row["ratio of passes"] for row in rows]
    print(f"ratio of passes: median {np.median(ratios):.1f}, lowest {min(ratios):.1f}")
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
