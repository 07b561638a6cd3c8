"""Fresh random worlds and episodes in the reference world and in the compiled one, compared to the last bit.

Worlds of random sizes, lengths and strategies in both timings, every fifth short of cash; then episodes of
``OneShotConcurrent-v0`` with random actions, valid and not. Exits 1 at the first difference, after printing it.

    python benchmarks/parity.py --worlds 500 --episodes 100 --seed 1 --json parity.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from scml_gym.oneshot.parity import compare_episode, compare_worlds, draw_case

TIMINGS = ("rounds", "moves")


def main() -> None:
    """Compare, print what was covered, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=100, help="random worlds, each played in both timings")
    parser.add_argument("--episodes", type=int, default=20, help="random episodes in each timing")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write what was covered")
    options = parser.parse_args()
    console, counts = Console(markup=False), Counter[str]()
    start = time.time()
    for index in track(range(options.worlds), description="worlds", console=console):
        for timing in TIMINGS:
            poor = index % 5 == 0
            difference = compare_worlds(draw_case(options.seed, index, timing, poor), counts)
            counts["short of cash"] += poor
            if difference is not None:
                fail(f"world {index}, {timing}: {difference}", options.seed)
    for index in track(range(options.episodes), description="episodes", console=console):
        for timing in TIMINGS:
            difference = compare_episode(
                options.seed * 1_000_003 + index,
                timing,
                counts,
                days=(3, 15),
                observability=("partial", "full")[index % 2],
                reward=("daily-profit", "negotiations")[index // 2 % 2],
            )
            if difference is not None:
                fail(f"episode {index}, {timing}: {difference}", options.seed)
    table = Table("covered", "number", title="no difference")
    for name, number in counts.items():
        table.add_row(name, f"{number:,}")
    console.print(table)
    if options.json is not None:
        report = {"command": sys.argv, "seed": options.seed, "seconds": round(time.time() - start), **counts}
        options.json.write_text(json.dumps(report, indent=1) + "\n")


def fail(difference: str, seed: int) -> None:
    """Print the first difference and stop."""
    print(f"seed {seed}, {difference}", file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
