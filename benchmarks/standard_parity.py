"""Fresh random worlds of the Standard track in the reference world and in the compiled one, compared to the last bit.

Worlds of 2 to 4 levels, random sizes, lengths and strategies, half of them with each stock rule, every third short of
cash; and some of them once more with a few factories answered for from outside, whose views are compared at every
decision. Then episodes of ``StandardConcurrent-v0`` with random actions, valid and not. Exits 1 at the first
difference, after printing it.

    python benchmarks/standard_parity.py --worlds 300 --episodes 60 --seed 1 --json standard_parity.json
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

from scml_gym.standard.parity import compare_episode, compare_external, compare_worlds, draw_case

EVERY = 5
"""Every so many worlds are played once more, with external factories."""


def main() -> None:
    """Compare, print what was covered, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=100, help="random worlds")
    parser.add_argument("--episodes", type=int, default=20, help="random episodes")
    parser.add_argument("--days", type=int, nargs=2, default=(4, 60), help="range of the days of a world")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write what was covered")
    options = parser.parse_args()
    console, counts = Console(markup=False), Counter[str]()
    start = time.time()
    for index in track(range(options.worlds), description="worlds", console=console):
        case = draw_case(options.seed, index, tuple(options.days))
        difference = compare_worlds(case, counts)
        if difference is None and index % EVERY == 0:
            difference = compare_external(case, 1 + index // EVERY % 4)
            counts["with external factories"] += 1
        if difference is not None:
            fail(f"world {index}: {difference}", options.seed)
    for index in track(range(options.episodes), description="episodes", console=console):
        difference = compare_episode(options.seed, index, counts, days=(4, 15))
        if difference is not None:
            fail(f"episode {index}: {difference}", options.seed)
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
