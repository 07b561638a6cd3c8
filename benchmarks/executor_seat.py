"""Executors without a manager in a seat of compiled worlds of the Standard track, beside strategies in the same seat.

The seat is a factory of the middle level of three; the other eleven are of the strategies of ``--others``, in turn.
Differences to the first player are paired by world (Student's t, 95 %).

    python benchmarks/executor_seat.py no-trade ten-once penguin runs/executor-0 --worlds 40
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from scml_gym.core.cli import run_main
from scml_gym.evaluation.statistics import compare, mean_and_error
from scml_gym.game.world import PlayerMaker
from scml_gym.standard.players import player_maker
from scml_gym.standard.strategies.base import StrategyPolicy
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec

LEVELS, FACTORIES, SEED = 3, 4, 50_000


def score(make: PlayerMaker, others: Sequence[PlayerMaker], seed: int, days: int, seat: int) -> tuple[float, int]:
    """The score and the agreements of a player in a seat."""
    spec, player = league_spec(seed, days, FACTORIES, LEVELS), make(seed)
    own = player if isinstance(player, StrategyPolicy) else None
    players = [own if i == seat else others[i % len(others)](seed) for i in range(LEVELS * FACTORIES)]
    world = CompiledWorld(spec, players, seed)
    world.start()
    day, begun = 0, False
    while own is None and world.pending:
        view = world.view(seat)
        if not begun:
            player.begin(view)
            begun = True
        if view["day"] != day:
            player.end_day(view)
            day = int(view["day"])
        world.step({seat: player.act(view)})
    told = world.summary(seat)
    return float(told["score"]), int(told["agreements"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("players", nargs="+", help="names; the others are compared with the first one")
    parser.add_argument("--others", nargs="+", default=["stock-planner", "stock-population", "greedy"])
    parser.add_argument("--worlds", type=int, default=40, help="default: %(default)s")
    parser.add_argument("--days", type=int, default=15, help="default: %(default)s")
    given = parser.parse_args()
    others, found = [player_maker(name) for name in given.others], {}
    for name in given.players:
        make = player_maker(name)
        rows = [score(make, others, SEED + i, given.days, FACTORIES + i % FACTORIES) for i in range(given.worlds)]
        found[name] = np.array(rows).T
    first = found[given.players[0]][0]
    print(f"| player | score | less {given.players[0]} | agreements |\n| --- | --- | --- | --- |")
    for name, (scores, agreements) in found.items():
        own, less = mean_and_error(scores), compare(scores, first)
        told = f"{less.difference:+.3f} ({less.low:+.3f} to {less.high:+.3f})"
        print(f"| {name} | {own.mean:.3f} ± {own.error:.3f} | {told} | {agreements.mean():.1f} |")


if __name__ == "__main__":
    run_main(main)
