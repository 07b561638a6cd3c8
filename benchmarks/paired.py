"""Players compared in compiled worlds: each takes the same factory of the same worlds, among the same opponents.

Thousands of times faster than the real simulation, whose results it equals, so small differences show; for strategies,
policy files and run folders that a policy file can stand for. Differences are paired by world, to the first player:

    python benchmarks/paired.py best-subset runs/self-play-0 subset-strong --background best-subset greedy --worlds 1000
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from scml_gym.evaluation.statistics import compare, mean_and_error
from scml_gym.oneshot.envs.config import OneShotConfig
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld


def play(players: Sequence[str], background: Sequence[str], worlds: int, seed: int, days: int) -> np.ndarray:
    """The players' scores, float64, shape ``(worlds, players)``.

    Args:
        players: Who is compared; names (see `scml_gym.oneshot.players`).
        background: Who plays the other factories, drawn evenly.
        worlds: How many, of a level and factory drawn for each.
        seed: Of the first; the others follow.
        days: Of each world.
    """
    setting = OneShotConfig(opponents=background, days=days)
    makers = [CompiledWorld.player_maker(name) for name in players]
    scores = np.zeros((worlds, len(players)))
    for i in range(worlds):
        cast = setting.sample(seed + i)
        (factory,) = cast.factories
        for j, make in enumerate(makers):
            world = CompiledWorld(cast.spec, [*cast.players[:factory], make(cast.seed), *cast.players[factory + 1 :]])
            world.run()
            scores[i, j] = world.scores[factory]
    return scores


def main() -> None:
    """Parse, play, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("players", nargs="+")
    parser.add_argument("--background", nargs="+", default=["best-subset", "best-subset-even", "greedy"])
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--seed", type=int, default=10**6, help="of the first world")
    options = parser.parse_args()
    scores = play(options.players, options.background, options.worlds, options.seed, options.days)
    print(f"{options.worlds} worlds of {options.days} days; background opponents: {', '.join(options.background)}")
    width = max(map(len, options.players))
    print(f"{'player':{width}}  score, error   minus the first, 95 % interval")
    for name, own in zip(options.players, scores.T, strict=True):
        mean, minus = mean_and_error(own), compare(own, scores[:, 0])
        interval = f"({minus.low:+.4f}, {minus.high:+.4f})"
        print(f"{name:{width}}  {mean.mean:.4f} {mean.error:.4f}  {minus.difference:+.4f} {interval}")


if __name__ == "__main__":
    main()
