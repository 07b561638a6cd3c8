"""Fresh random worlds and episodes of a track in the reference world and in the compiled one, compared to the last bit.

Of OneShot: worlds of random sizes, lengths and strategies in all timings, every fifth short of cash; then episodes of
``OneShotConcurrent-v0`` with random actions, valid and not. In ``"negotiations"``, which ``waiting`` plays alone, half
of the factories are asked one by one and wait. Of the Standard track: worlds of 2 to 4 levels under both stock
rules, every third short of cash, every fifth once more with a few factories answered for from outside, whose views are
compared at every decision; then episodes of ``StandardConcurrent-v0``. Exits 1 at the first difference, after printing
it.

    python benchmarks/parity.py waiting --worlds 200 --episodes 60 --seed 1 --json waiting_parity.json
    python benchmarks/parity.py --worlds 500 --episodes 100 --seed 1 --json parity.json
    python benchmarks/parity.py standard --worlds 300 --episodes 60 --seed 1 --json standard_parity.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from scml_gym.oneshot import parity as oneshot
from scml_gym.oneshot.worlds.protocol import TIMINGS
from scml_gym.standard import parity as standard

Differences = Iterator[tuple[str, str | None]]
"""What was compared, and what differs."""


def oneshot_world(timings: Sequence[str], seed: int, index: int, counts: Counter[str]) -> Differences:
    """A world of OneShot in some timings."""
    poor = index % 5 == 0
    for timing in timings:
        yield timing, oneshot.compare_worlds(oneshot.draw_case(seed, index, timing, poor), counts)
        counts["short of cash"] += poor


def oneshot_episode(timings: Sequence[str], seed: int, index: int, counts: Counter[str]) -> Differences:
    """An episode of OneShot in some timings."""
    for timing in timings:
        options = {
            "observability": ("partial", "full")[index % 2],
            "reward": ("daily-profit", "negotiations")[index // 2 % 2],
        }
        yield timing, oneshot.compare_episode(seed * 1_000_003 + index, timing, counts, days=(3, 15), **options)


def standard_world(seed: int, index: int, counts: Counter[str]) -> Differences:
    """A world of the Standard track."""
    case = standard.draw_case(seed, index)
    yield case.stock, standard.compare_worlds(case, counts)
    if index % 5 == 0:
        yield f"{case.stock}, external factories", standard.compare_external(case, 1 + index // 5 % 4)
        counts["with external factories"] += 1


def standard_episode(seed: int, index: int, counts: Counter[str]) -> Differences:
    """An episode of the Standard track."""
    yield "", standard.compare_episode(seed, index, counts, days=(4, 15))


Comparison = Callable[[int, int, Counter[str]], Differences]


def oneshot_track(*timings: str) -> dict[str, Comparison]:
    """What is compared of OneShot in some timings."""
    return {"worlds": partial(oneshot_world, timings), "episodes": partial(oneshot_episode, timings)}


TRACKS: dict[str, dict[str, Comparison]] = {
    "oneshot": oneshot_track(*TIMINGS),
    "waiting": oneshot_track("negotiations"),
    "standard": {"worlds": standard_world, "episodes": standard_episode},
}


def main() -> None:
    """Compare, print what was covered, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("track", nargs="?", choices=sorted(TRACKS), default="oneshot")
    parser.add_argument("--worlds", type=int, default=100, help="random worlds (of OneShot: in each timing)")
    parser.add_argument("--episodes", type=int, default=20, help="random episodes (likewise)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write what was covered")
    options = parser.parse_args()
    console, counts = Console(markup=False), Counter[str]()
    start = time.time()
    for what, compare in TRACKS[options.track].items():
        for index in track(range(getattr(options, what)), description=what, console=console):
            for name, difference in compare(options.seed, index, counts):
                if difference is not None:
                    print(f"seed {options.seed}, {what} {index} {name}: {difference}", file=sys.stderr)
                    raise SystemExit(1)
    table = Table("covered", "number", title="no difference")
    for name, number in counts.items():
        table.add_row(name, f"{number:,}")
    console.print(table)
    if options.json is not None:
        report = {"command": sys.argv, "seed": options.seed, "seconds": round(time.time() - start), **counts}
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
