"""Players compared in compiled worlds: each takes the same factory of the same worlds, among the same opponents.

Much faster than the real simulation, whose results it equals, so small differences show. A player is a strategy, a
policy file or a run folder; the background opponents are strategies and policy files. Differences are paired by world,
to the first player:

    python benchmarks/paired.py best-subset runs/self-play-0 subset-strong --background best-subset greedy --worlds 1000
    python benchmarks/paired.py best-subset runs/q-learning-0 --worlds 1000 --out q_learning.csv

``--background clones`` are all that come with the package. With ``--copies 2`` each player takes two factories of both
levels, and its score is their mean.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scml_gym.core.cli import run_main
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.evaluation.statistics import compare, mean_and_error
from scml_gym.game.world import FactoryPolicy, PlayerMaker
from scml_gym.game.world_config import EpisodeSample
from scml_gym.oneshot.clones.files import clone_names
from scml_gym.oneshot.envs.config import OneShotConfig
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld


def seats(sample: EpisodeSample, copies: int) -> list[int]:
    """The factories of so many copies on each level, from the learner's on; the learner's alone for 1.

    Raises:
        InputError: if a level has fewer factories.
    """
    (factory,), n_sellers, n = sample.factories, sample.spec.n_sellers, sample.spec.n_factories
    if copies == 1:
        return [factory]
    taken = []
    for first, size in ((0, n_sellers), (n_sellers, n - n_sellers)):
        if copies > size:
            raise InputError(f"--copies {copies}: a level has {size} factories; valid: 1 to {size}")
        taken += [first + (factory - first + i) % size for i in range(copies)]
    return taken


def score(sample: EpisodeSample, make: PlayerMaker, copies: int = 1) -> float:
    """The score of a player in the place of a sample's learner, or the mean of its copies: in machine code if it is a
    strategy, else asked.

    Raises:
        InputError: as `seats`, and for copies of a player that is asked.
    """
    player: Any = make(sample.seed)
    if isinstance(player, StrategyPolicy):
        players, taken = list(sample.players), seats(sample, copies)
        for factory in taken:
            players[factory] = make(sample.seed)
        world = CompiledWorld(sample.spec, players)
        world.start()
        return float(np.mean([world.scores[factory] for factory in taken]))
    if copies > 1:
        raise InputError(f"--copies {copies}: a player that is no strategy plays once in a world")
    (factory,) = sample.factories
    world = CompiledWorld(sample.spec, [*sample.players[:factory], None, *sample.players[factory + 1 :]])
    world.start()
    _play_policy(world, factory, player)
    return float(world.scores[factory])


def _play_policy(world: CompiledWorld, factory: int, policy: FactoryPolicy) -> None:
    """Play an external factory of a world that has started to the end."""
    policy.begin(world.view(factory))
    while True:
        for last in world.closed_days(factory):
            policy.end_day(last)
        if not world.pending:
            return
        world.step({factory: policy.act(world.view(factory))})


def maker(name: str) -> PlayerMaker:
    """What makes the players of a name: a policy file where the run folder has one, else its `FactoryPolicy`.

    Raises:
        InputError: if nothing has that name, or it plays in the real simulation only.
    """
    try:
        return CompiledWorld.player_maker(name)
    except InputError:
        make = player_maker(name)
        player = make(0)
        if not isinstance(player, FactoryPolicy) or not player.synchronous:
            raise
        return make


def play(players: Sequence[str], config: OneShotConfig, worlds: int, seed: int, copies: int = 1) -> np.ndarray:
    """The players' scores, float64, shape ``(worlds, players)``.

    Args:
        players: Who is compared; names (see `scml_gym.oneshot.players`).
        config: Which worlds, and who plays the other factories.
        worlds: How many, of a level and factory drawn for each.
        seed: Of the first; the others follow.
        copies: Factories of each level that a player takes.
    """
    makers = [maker(name) for name in players]
    scores = np.zeros((worlds, len(players)))
    for i in range(worlds):
        sample = config.sample(seed + i)
        scores[i] = [score(sample, make, copies) for make in makers]
    return scores


def compared(players: Sequence[str], scores: np.ndarray) -> pd.DataFrame:
    """A row for each player: its score with standard error, and the difference to the first with 95 % interval."""
    rows = []
    for name, own in zip(players, scores.T, strict=True):
        mean, other = mean_and_error(own), compare(own, scores[:, 0])
        facts = {"player": name, "worlds": len(own), "score": mean.mean, "standard_error": mean.error}
        rows.append(facts | {"difference": other.difference, "low": other.low, "high": other.high})
    return pd.DataFrame(rows)


def main() -> int:
    """Parse, play, print a table and write it where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("players", nargs="+")
    parser.add_argument("--background", nargs="+", default=["best-subset", "best-subset-even", "greedy"])
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--days", type=int, default=50)
    parser.add_argument("--factories", type=int, nargs="+", default=[4, 8], help="on each level: a number or a range")
    parser.add_argument("--seed", type=int, default=10**6, help="of the first world")
    parser.add_argument("--copies", type=int, default=1, help="factories of each level that a player takes")
    parser.add_argument("--out", type=Path, help="CSV file for the table")
    options = parser.parse_args()
    if options.background == ["clones"]:
        options.background = clone_names()
    low, high = options.factories[0], options.factories[-1]
    config = OneShotConfig(opponents=options.background, days=options.days, factories_per_level=(low, high))
    scores = play(options.players, config, options.worlds, options.seed, options.copies)
    table = compared(options.players, scores)
    worlds = f"{options.worlds} worlds of {options.days} days, {low} to {high} factories a level"
    print(f"{worlds}; background opponents: {', '.join(options.background)}")
    width = max(map(len, options.players))
    print(f"{'player':{width}}  score, error   difference to the first, 95 % interval")
    rows: Any = table.itertuples()
    for row in rows:
        interval = f"({row.low:+.4f}, {row.high:+.4f})"
        print(f"{row.player:{width}}  {row.score:.4f} {row.standard_error:.4f}  {row.difference:+.4f} {interval}")
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        replace_file(options.out, table.to_csv(index=False).encode())
    return 0


if __name__ == "__main__":
    run_main(main)
