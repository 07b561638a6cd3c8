"""Strategies against the built-in agents of scml that they resemble, in the real league simulation.

Four settings, in the same worlds and seats for a strategy and its peer:

- field: a player takes one factory of a fixed field of built-in agents, once as seller and once as buyer;
- self: all factories are played alike;
- cross: a strategy and its peer take every other factory, then exchange them;
- third: a player takes all factories of one level against a fixed third party, then those of the other.

Compared are scores and what was agreed: how many of the negotiations, how much, and at which of the day's two prices.
Fix the hash seed, because scml's agents iterate over sets of names:

    PYTHONHASHSEED=0 python benchmarks/strategies_vs_scml.py --worlds 10 --csv plays.csv

The tables are made from the file alone: ``--read plays.csv`` makes them again.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.view import BUYER, SELLER
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.line_up import negotiation_counts

PEERS = {
    "best-subset-random": "scml:SyncRandomOneShotAgent",
    "best-subset-even": "scml:EqualDistOneShotAgent",
    "greedy": "scml:GreedyOneShotAgent",
    "greedy-sync": "scml:GreedySyncAgent",
    "single-agreement": "scml:SingleAgreementAspirationAgent",
    "single-agreement-greedy": "scml:GreedySingleAgreementAgent",
    "single-agreement-random": "scml:SingleAgreementRandomAgent",
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
THIRD = "scml:SyncRandomOneShotAgent"
LEVELS = ("seller", "buyer")
QUANTITIES = [f"q{quantity}" for quantity in range(1, 11)]
COLUMNS = ["setting", "player", "against", "seed", "level", "score", "negotiations", "agreements", "good_price"]
COLUMNS += QUANTITIES
"""A row: the factories of one level that a player took in one setting and world. ``score`` is their mean; the others
count negotiations, agreements, those at the price that is good for the player, and those of 1, 2, .. 10 items."""

Row = dict[str, Any]


def play(spec: WorldSpec, names: list[str], seed: int) -> list[Row]:
    """One world: what each factory made of it.

    Raises:
        RuntimeError: if a strategy gave an answer that cannot be played.
    """
    world = ReferenceWorld(spec, [player_maker(name)(seed) for name in names], seed=seed)
    world.run()
    invalid = sum(getattr(agent, "invalid", 0) for agent in world.agents)
    if invalid:
        raise RuntimeError(f"{invalid} invalid answers in world {seed} of {names}")
    balances = spec.initial_balance[:, None] + world.profits.cumsum(axis=1)
    negotiations = negotiation_counts(spec.level, np.logical_or.accumulate(balances < 0, axis=1))
    contracts, scores = world.contracts, world.scores
    high = contracts["price"] >= np.ceil(world.trading_prices[1, contracts["day"]])
    rows = []
    for factory in range(spec.n_factories):
        seller = spec.level[factory] == SELLER
        mine = contracts["seller" if seller else "buyer"] == factory
        good = high[mine] if seller else ~high[mine]
        counts = np.bincount(contracts["quantity"][mine], minlength=11)[1:]
        rows.append(
            {"level": LEVELS[spec.level[factory]], "score": scores[factory]}
            | {"negotiations": negotiations[factory], "agreements": mine.sum(), "good_price": good.sum()}
            | dict(zip(QUANTITIES, counts, strict=True))
        )
    return rows


def together(rows: list[Row]) -> Iterator[Row]:
    """The factories' rows put together by level: the mean score, and all counts summed up."""
    for level in LEVELS:
        group = [row for row in rows if row["level"] == level]
        total = {key: int(sum(row[key] for row in group)) for key in COLUMNS[6:]}
        yield {"level": level, "score": float(np.mean([row["score"] for row in group]))} | total


def self_play(spec: WorldSpec, name: str, seed: int) -> list[Row]:
    """Everybody plays alike."""
    return play(spec, [name] * spec.n_factories, seed)


def in_field(spec: WorldSpec, name: str, seed: int) -> list[Row]:
    """One factory in the field, as a seller and as a buyer."""
    field = [FIELD[(i + seed) % len(FIELD)] for i in range(spec.n_sellers)]
    field += [FIELD[(i + seed) % len(FIELD)] for i in range(spec.n_buyers)]
    rows = []
    for seat in (seed % spec.n_sellers, spec.n_sellers + seed % spec.n_buyers):
        names = [name if i == seat else other for i, other in enumerate(field)]
        rows.append(play(spec, names, seed)[seat])
    return rows


def against_third(spec: WorldSpec, name: str, seed: int) -> list[Row]:
    """All factories of a level against the third party."""
    rows = []
    for level in (SELLER, BUYER):
        names = [name if own == level else THIRD for own in spec.level]
        rows += [row for row in play(spec, names, seed) if row["level"] == LEVELS[level]]
    return rows


def cross_play(spec: WorldSpec, names: tuple[str, str], seed: int) -> tuple[list[Row], list[Row]]:
    """Two players who share all factories of a world, exchanged in its second game: the rows of each."""
    rows: tuple[list[Row], list[Row]] = ([], [])
    for swap in (0, 1):
        seats = [(i + swap + (i >= spec.n_sellers)) % 2 for i in range(spec.n_factories)]
        for seat, row in zip(seats, play(spec, [names[s] for s in seats], seed), strict=True):
            rows[seat].append(row)
    return rows


ALONE: dict[str, Callable[[WorldSpec, str, int], list[Row]]] = {
    "field": in_field,
    "self": self_play,
    "third": against_third,
}
"""The settings that a player is in without its peer."""
SETTINGS = (*ALONE, "cross")


def measure(args: argparse.Namespace) -> Iterator[Row]:
    """All rows, each player only once in a setting and world."""
    for seed in range(args.seed, args.seed + args.worlds):
        spec = league_spec(seed, days=args.days, factories_per_level=args.factories)
        pairs = [(name, PEERS[name]) for name in args.strategies]
        for setting in args.settings:
            if setting == "cross":
                played = [
                    (player, other, rows)
                    for pair in pairs
                    for player, other, rows in zip(pair, pair[::-1], cross_play(spec, pair, seed), strict=True)
                ]
            else:
                players = dict.fromkeys(player for pair in pairs for player in pair)
                played = [(player, "", ALONE[setting](spec, player, seed)) for player in players]
            for player, other, rows in played:
                for row in together(rows):
                    yield {"setting": setting, "player": player, "against": other, "seed": seed} | row


def read(path: str | Path) -> list[Row]:
    """The rows of a file that this script has written."""
    with open(path, newline="", encoding="utf-8") as file:
        return [
            {k: v if k in COLUMNS[:3] + ["level"] else float(v) for k, v in row.items()} for row in csv.DictReader(file)
        ]


class Comparison:
    """A strategy and its peer in one setting: arrays over worlds, of both levels together or of one.

    Args:
        rows: All rows of a file.
        setting: One of ``SETTINGS``.
        strategy: One of ``PEERS``.
        levels: Whose rows count.

    Attributes:
        own: What the strategy did, by column, each an array over worlds.
        peer: The same of its peer.
    """

    def __init__(self, rows: list[Row], setting: str, strategy: str, levels: tuple[str, ...] = LEVELS):
        names = (strategy, PEERS[strategy])
        against = names[::-1] if setting == "cross" else ("", "")
        self.own, self.peer = (
            self._columns(
                [r for r in rows if (r["setting"], r["player"], r["against"]) == key and r["level"] in levels]
            )
            for key in zip((setting, setting), names, against, strict=True)
        )

    @staticmethod
    def _columns(rows: list[Row]) -> dict[str, np.ndarray]:
        seeds = sorted({row["seed"] for row in rows})
        sums = {c: np.array([sum(r[c] for r in rows if r["seed"] == s) for s in seeds]) for c in COLUMNS[6:]}
        sums["score"] = np.array([np.mean([r["score"] for r in rows if r["seed"] == s]) for s in seeds])
        sums["histogram"] = np.stack([sums[c] for c in QUANTITIES], axis=-1)
        return sums


def mean_error(values: np.ndarray, digits: int = 3) -> str:
    """Mean and standard error over worlds as text; worlds without a value are left out."""
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return "-"
    error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{round(values.mean(), digits) + 0.0:.{digits}f} ± {error:.{digits}f}"  # + 0.0: no -0.000


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """World by world; nan where there is nothing to divide by."""
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def variation(own: np.ndarray, peer: np.ndarray) -> float:
    """The total variation distance of two pooled histograms, 0 to 1; nan where one is empty."""
    a, b = own.sum(axis=0), peer.sum(axis=0)
    if not a.sum() or not b.sum():
        return math.nan
    return float(abs(a / a.sum() - b / b.sum()).sum() / 2)


def variation_text(own: np.ndarray, peer: np.ndarray, draws: int = 400) -> str:
    """The distance, its jackknife error over worlds, and what it is by chance (worlds exchanged at random)."""
    distance, n = variation(own, peer), len(own)
    if math.isnan(distance):
        return "-"
    if n < 2:
        return f"{distance:.2f}"
    left_out = np.array([variation(np.delete(own, i, axis=0), np.delete(peer, i, axis=0)) for i in range(n)])
    error = math.sqrt((n - 1) * left_out.var())
    swaps = np.random.default_rng(0).integers(0, 2, size=(draws, n, 1), dtype=bool)
    chance = np.nanmean([variation(np.where(s, own, peer), np.where(s, peer, own)) for s in swaps])
    return f"{distance:.2f} ± {error:.2f} ({chance:.2f})"


def score_table(rows: list[Row]) -> str:
    """Scores by strategy and setting, in markdown; differences are paired by world."""
    lines = ["| strategy | peer | setting | score | its score | difference | as seller | as buyer |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for name, setting in compared(rows):
        both = Comparison(rows, setting, name)
        cells = [name, PEERS[name].rpartition(":")[2], setting]
        cells += [mean_error(side["score"]) for side in (both.own, both.peer)]
        for levels in (LEVELS, LEVELS[:1], LEVELS[1:]):
            part = Comparison(rows, setting, name, levels)
            cells.append(mean_error(part.own["score"] - part.peer["score"]))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def contract_table(rows: list[Row]) -> str:
    """What was agreed by strategy and setting, in markdown: the strategy, then its peer.

    In self-play a price that is good for one side is bad for the other, so sellers alone are counted there.
    """
    lines = [
        "| strategy | setting | agreed | its peer | items | its peer | best price | its peer | distance of items |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    sizes = np.arange(1, 11)
    for name, setting in compared(rows):
        both = Comparison(rows, setting, name, LEVELS[:1] if setting == "self" else LEVELS)
        cells = [name, setting]
        for part, whole in (("agreements", "negotiations"), ("items", "agreements"), ("good_price", "agreements")):
            for side in (both.own, both.peer):
                values = side["histogram"] @ sizes if part == "items" else side[part]
                cells.append(mean_error(ratio(values, side[whole]), digits=2))
        cells.append(variation_text(both.own["histogram"], both.peer["histogram"]))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def compared(rows: list[Row]) -> list[tuple[str, str]]:
    """The strategies and settings that the rows hold, in the order of ``PEERS`` and ``SETTINGS``."""
    held = {(row["player"], row["setting"]) for row in rows}
    return [(name, setting) for name in PEERS for setting in SETTINGS if (name, setting) in held]


def main() -> None:
    """Measure or read, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--worlds", type=int, default=10, help="worlds a setting (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1000, help="of the first world (default: %(default)s)")
    parser.add_argument("--days", type=int, default=20, help="of a world (default: %(default)s)")
    parser.add_argument("--factories", type=int, default=5, help="of a level (default: %(default)s)")
    parser.add_argument("--strategies", nargs="+", choices=list(PEERS), default=list(PEERS), metavar="NAME")
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS), metavar="SETTING")
    parser.add_argument("--csv", help="file for the rows")
    parser.add_argument("--read", help="file of an earlier run: make its tables, measure nothing")
    args = parser.parse_args()
    started, cpu = time.perf_counter(), time.process_time()
    rows: list[Row] = read(args.read) if args.read else []
    if not args.read:
        with open(args.csv or os.devnull, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=COLUMNS)
            writer.writeheader()
            for row in measure(args):
                rows.append(row)
                writer.writerow(row)
                file.flush()
    print(f"{score_table(rows)}\n\n{contract_table(rows)}")
    if not args.read:
        print(
            f"\n{args.worlds} worlds of {args.days} days, {args.factories} factories a level, seeds from {args.seed};"
            f" scml {version('scml')}, negmas {version('negmas')}, numpy {np.__version__},"
            f" PYTHONHASHSEED={os.environ.get('PYTHONHASHSEED', 'unset')};"
            f" {time.perf_counter() - started:.0f} s, {time.process_time() - cpu:.0f} s of CPU time"
        )


if __name__ == "__main__":
    main()
