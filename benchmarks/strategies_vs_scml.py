"""Strategies against the built-in agents of scml that they resemble, in the real league simulation.

Three settings, in the same worlds for every player:

- self-play: all factories are played alike; the score is the mean over all of them;
- cross-play: a strategy and its peer take every other factory, then exchange them;
- field: a player takes one factory of a fixed field of built-in agents, once as seller and once as buyer.

Differences to the peer are paired by world. Fix the hash seed, because scml's agents iterate over sets of names:

    PYTHONHASHSEED=0 python benchmarks/strategies_vs_scml.py --worlds 40 --csv scores.csv
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np

from scml_gym.players import player_maker
from scml_gym.worlds.generation import league_spec
from scml_gym.worlds.reference import ReferenceWorld
from scml_gym.worlds.spec import WorldSpec

PEERS = {
    "best-subset-random": "scml:SyncRandomOneShotAgent",
    "best-subset-even": "scml:EqualDistOneShotAgent",
    "greedy": "scml:GreedyOneShotAgent",
    "random": "scml:RandomOneShotAgent",
    "nice": "scml.oneshot.agents.rand:NiceAgent",
    "do-nothing": "scml:OneshotDoNothingAgent",
    "boulware": "scml:SingleAgreementAspirationAgent",
    "conceder": "scml:SingleAgreementAspirationAgent",
    "adaptive-price": "scml:GreedyOneShotAgent",
}
FIELD = (
    "scml:SyncRandomOneShotAgent",
    "scml:EqualDistOneShotAgent",
    "scml:GreedyOneShotAgent",
    "scml:GreedySyncAgent",
    "scml:SyncRandomOneShotAgent",
)
SETTINGS = ("field", "self", "cross")
COLUMNS: tuple[str, ...] = ("setting", "strategy", "peer", "seed", "score", "peer_score")


def play(spec: WorldSpec, names: list[str], seed: int) -> np.ndarray:
    """The scores of one world, by factory.

    Raises:
        RuntimeError: if a strategy gave an answer that cannot be played.
    """
    world = ReferenceWorld(spec, [player_maker(name)(seed) for name in names], seed=seed)
    world.run()
    invalid = sum(getattr(agent, "invalid", 0) for agent in world.agents)
    if invalid:
        raise RuntimeError(f"{invalid} invalid answers in world {seed} of {names}")
    return world.scores


def self_play(spec: WorldSpec, name: str, seed: int) -> float:
    """The mean score where everybody plays alike."""
    return float(play(spec, [name] * spec.n_factories, seed).mean())


def in_field(spec: WorldSpec, name: str, seed: int) -> float:
    """The mean score of one factory in the field, as a seller and as a buyer."""
    field = [FIELD[(i + seed) % len(FIELD)] for i in range(spec.n_sellers)]
    field += [FIELD[(i + seed) % len(FIELD)] for i in range(spec.n_buyers)]
    scores = []
    for seat in (seed % spec.n_sellers, spec.n_sellers + seed % spec.n_buyers):
        names = [name if i == seat else other for i, other in enumerate(field)]
        scores.append(play(spec, names, seed)[seat])
    return float(np.mean(scores))


def cross_play(spec: WorldSpec, names: tuple[str, str], seed: int) -> list[float]:
    """The mean scores of two players who share all factories of a world, exchanged in its second game."""
    scores: list[list[float]] = [[], []]
    for swap in (0, 1):
        seats = [(i + swap + (i >= spec.n_sellers)) % 2 for i in range(spec.n_factories)]
        for seat, score in zip(seats, play(spec, [names[s] for s in seats], seed), strict=True):
            scores[seat].append(score)
    return [float(np.mean(s)) for s in scores]


def measure(args: argparse.Namespace) -> Iterator[dict[str, str | float]]:
    """All scores: one row a setting, player, peer and world."""
    for seed in range(args.seed, args.seed + args.worlds):
        spec = league_spec(seed, days=args.days, factories_per_level=args.factories)
        for setting in args.settings:
            scores: dict[str, float] = {}
            for name in args.strategies:
                peer = PEERS[name]
                if setting == "cross":
                    own, other = cross_play(spec, (name, peer), seed)
                else:
                    game = self_play if setting == "self" else in_field
                    for player in (name, peer):
                        if player not in scores:
                            scores[player] = game(spec, player, seed)
                    own, other = scores[name], scores[peer]
                row = (setting, name, peer, seed, own, other)
                yield dict(zip(COLUMNS, row, strict=True))


def mean_error(values: np.ndarray) -> str:
    """Mean and standard error as text."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{values.mean():.3f} ± {error:.3f}"


def table(rows: list[dict[str, str | float]]) -> str:
    """The scores by setting and strategy, in markdown."""
    lines = ["| setting | strategy | score | peer | its score | difference |", "|---|---|---|---|---|---|"]
    for setting, name in dict.fromkeys((r["setting"], r["strategy"]) for r in rows):
        group = [r for r in rows if r["setting"] == setting and r["strategy"] == name]
        own, other = (np.array([r[key] for r in group], dtype=float) for key in ("score", "peer_score"))
        peer = str(group[0]["peer"]).rpartition(":")[2]
        lines.append(
            f"| {setting} | {name} | {mean_error(own)} | {peer} | {mean_error(other)} | {mean_error(own - other)} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, and write the scores of each world where asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--worlds", type=int, default=40, help="worlds a setting (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1000, help="of the first world (default: %(default)s)")
    parser.add_argument("--days", type=int, default=30, help="of a world (default: %(default)s)")
    parser.add_argument("--factories", type=int, default=5, help="of a level (default: %(default)s)")
    parser.add_argument("--strategies", nargs="+", choices=list(PEERS), default=list(PEERS), metavar="NAME")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS), metavar="SETTING")
    parser.add_argument("--csv", help="file for the scores of each world")
    args = parser.parse_args()
    started = time.perf_counter()
    rows = []
    with open(args.csv or os.devnull, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=COLUMNS)
        writer.writeheader()
        for row in measure(args):
            rows.append(row)
            writer.writerow(row)
            file.flush()
    print(table(rows))
    print(
        f"\n{args.worlds} worlds of {args.days} days, {args.factories} factories a level, seeds from {args.seed};"
        f" scml {version('scml')}, negmas {version('negmas')}, numpy {np.__version__},"
        f" PYTHONHASHSEED={os.environ.get('PYTHONHASHSEED', 'unset')}; {time.perf_counter() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
