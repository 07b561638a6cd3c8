"""Players compared in compiled worlds: each takes the same seat of the same worlds, in one field of opponents.

Thousands of times faster than the real simulation, whose results it equals, so small differences show; for strategies,
policy files and run folders that a policy file can stand for. Differences are paired by world, to the first player:

    python benchmarks/paired.py best-subset runs/self-play-0 subset-strong --field best-subset greedy --worlds 1000
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from scml_gym.evaluation.statistics import compare, mean_and_error
from scml_gym.oneshot.envs.config import OneShotConfig
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld


def play(players: Sequence[str], field: Sequence[str], worlds: int, seed: int, days: int) -> np.ndarray:
    """The players' scores, float64, shape ``(worlds, players)``.

    Args:
        players: Who takes the seat; names (see `scml_gym.oneshot.players`).
        field: Who plays the other factories, drawn evenly.
        worlds: How many, of a level and seat drawn for each.
        seed: Of the first; the others follow.
        days: Of each world.
    """
    setting = OneShotConfig(opponents=field, days=days)
    makers = [CompiledWorld.player_maker(name) for name in players]
    scores = np.zeros((worlds, len(players)))
    for i in range(worlds):
        cast = setting.cast(seed + i)
        (seat,) = cast.factories
        for j, make in enumerate(makers):
            world = CompiledWorld(cast.spec, [*cast.players[:seat], make(cast.seed), *cast.players[seat + 1 :]])
            world.run()
            scores[i, j] = world.scores[seat]
    return scores


def main() -> None:
    """Parse, play, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("players", nargs="+")
    parser.add_argument("--field", nargs="+", default=["best-subset", "best-subset-even", "greedy"])
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--seed", type=int, default=10**6, help="of the first world")
    options = parser.parse_args()
    scores = play(options.players, options.field, options.worlds, options.seed, options.days)
    print(f"{options.worlds} worlds of {options.days} days; field: {', '.join(options.field)}")
    width = max(map(len, options.players))
    print(f"{'player':{width}}  score, error   less the first, 95 % interval")
    for name, own in zip(options.players, scores.T, strict=True):
        mean, less = mean_and_error(own), compare(own, scores[:, 0])
        interval = f"({less.low:+.4f}, {less.high:+.4f})"
        print(f"{name:{width}}  {mean.mean:.4f} {mean.error:.4f}  {less.difference:+.4f} {interval}")


if __name__ == "__main__":
    main()
