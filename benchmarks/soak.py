"""Random actions, valid and not, over random worlds: money and goods must be conserved as the rules of a track say.

Also that no number is NaN and no observation out of range. Exits 1 at the first failure, after saying what it was.

    python benchmarks/soak.py oneshot --actions 1000000 --seed 1
    python benchmarks/soak.py standard --actions 1000000 --seed 1
"""

from __future__ import annotations

import argparse
import sys
import time

from scml_gym.games import GAMES


def main() -> None:
    """Play and say what was covered."""
    tracks = [name for name in GAMES if GAMES.get(name).conservation]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("track", choices=tracks)
    parser.add_argument("--actions", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    soak = GAMES.get(options.track).load("conservation")
    start = time.perf_counter()
    try:
        counts = soak(options.actions, options.rows, options.seed)
    except AssertionError as failure:
        print(f"seed {options.seed}: {failure}", file=sys.stderr)
        raise SystemExit(1) from failure
    covered = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    seconds = time.perf_counter() - start
    print(f"{covered} in {seconds:.0f} s: money and goods conserved, every number in its range")


if __name__ == "__main__":
    main()
