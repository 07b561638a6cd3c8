"""Random actions, valid and not, over random worlds: after every step money and goods must be conserved.

Also that no number is NaN and no observation out of range. Exits 1 at the first failure, after saying what it was.

    python benchmarks/soak.py --actions 1000000 --seed 1
"""

from __future__ import annotations

import argparse
import sys
import time

from scml_gym.oneshot.conservation import play_random_actions

ACTIONS = ("choice", "continuous")


def main() -> None:
    """Play and say what was covered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actions", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start, played = time.time(), 0
    for part in range(4):
        try:
            played += play_random_actions(
                options.actions // 4, options.rows, ACTIONS[part // 2], options.seed * 4 + part
            )
        except AssertionError as failure:
            print(f"seed {options.seed}, part {part}: {failure}", file=sys.stderr)
            raise SystemExit(1) from failure
    print(f"{played:,} actions in {time.time() - start:.0f} s: money and goods conserved, every number in its range")


if __name__ == "__main__":
    main()
