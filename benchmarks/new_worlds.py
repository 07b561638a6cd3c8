"""Other worlds than those of the tests, whose seeds are fixed: both worlds equal, money and goods conserved.

Each turn draws a seed and compares with it, to the last bit, worlds and episodes of OneShot and of the Standard track
and worlds with several external factories in the reference world and in the compiled one, in both timings, rich and
poor, under both stock rules; then it plays random actions in a batch. It says the seed of the first turn that fails and
exits 1; with that ``--seed`` and ``--turns 1`` the same is played again.

    python benchmarks/new_worlds.py --minutes 10
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator

from scml_gym.oneshot.conservation import play_random_actions
from scml_gym.oneshot.parity import compare_episode, compare_external, compare_worlds, draw_case
from scml_gym.standard.conservation import play_random_world
from scml_gym.standard.parity import compare_case as compare_standard
from scml_gym.standard.rules import STOCK_RULES

TIMINGS = ("rounds", "moves")
FORMS: dict[str, dict[str, str]] = {
    "choice": {"observability": "partial"},
    "continuous": {"observability": "full", "reward": "negotiations"},
}
"""Action of random actions -> more of the environment, as tests/oneshot/test_compiled_world.py has it."""


def differences(seed: int, counts: Counter[str]) -> Iterator[str | None]:
    """Of one turn, one by one: what was wrong, in words, or None."""
    for timing in TIMINGS:
        for poor in (False, True):
            found = compare_worlds(draw_case(seed, 0, timing, poor, days=(3, 8)), counts)
            yield found and f"world, {timing}, {poor=}: {found}"
        for observability in ("partial", "full"):
            found = compare_episode(seed, timing, counts, days=(3, 6), observability=observability)
            yield found and f"episode, {timing}, {observability=}: {found}"
        for n_external in (3, 8):
            found = compare_external(seed, timing, n_external)
            yield found and f"external factories, {timing}, {n_external=}: {found}"
    for index, stock in enumerate(STOCK_RULES):
        found = compare_standard(seed, index, counts)
        yield found and f"Standard track, {stock=}: {found}"
    for action, form in FORMS.items():
        try:
            counts["random actions"] += play_random_actions(4000, 64, action, seed, **form)
        except AssertionError as failure:
            yield f"random actions, {action=}: {failure}"
    for index, stock in enumerate(STOCK_RULES):
        try:
            counts["random actions"] += play_random_world(seed, index)["actions"]
        except AssertionError as failure:
            yield f"random actions, Standard track, {stock=}: {failure}"


def main() -> None:
    """Play turn after turn and say what was covered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="no turn begins after that (default: %(default)s)")
    parser.add_argument("--turns", type=int, help="at most so many")
    parser.add_argument("--seed", type=int, help="of the first turn; the next ones count on (default: drawn)")
    options = parser.parse_args()
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    end, counts, turns = time.monotonic() + 60 * options.minutes, Counter[str](), 0
    while time.monotonic() < end and turns != options.turns:
        for difference in differences(seed + turns, counts):
            if difference is not None:
                print(f"--seed {seed + turns} --turns 1: {difference}", file=sys.stderr)
                raise SystemExit(1)
        turns += 1
    covered = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    print(f"{turns} turns from seed {seed}, no difference: {covered}")


if __name__ == "__main__":
    main()
