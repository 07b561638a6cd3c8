"""Strategies of the Standard track by place in the chain, under both stock rules, in compiled worlds.

A player takes one seat of a world; all other factories are played by the field's strategies in turn. It takes the same
seats of the same worlds under each rule, so differences between rules and between players are paired by world. A seat
is at the first level, at a middle one where there are any, or at the last.

    python benchmarks/standard_strategies.py --worlds 200 --out docs/results/standard_world

Beside the score, the table has what became of the player's items: how many were handed to it by exogenous contracts,
bought, produced, produced from inputs in stock (these are still there by the league's rule), missing, and left in stock
at the end.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scml_gym.core.files import replace_file
from scml_gym.core.provenance import versions
from scml_gym.core.reporting import progress_bar
from scml_gym.standard.players import player_maker
from scml_gym.standard.rules import STOCK_RULES
from scml_gym.standard.settlement import SETTLEMENT_DTYPE, settle_day
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.worlds.compiled.generation import compiled_spec
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.spec import WorldSpec

FIELD = ("sync-random", "just-in-time", "greedy")
PLACES = ("first", "middle", "last")
VERSIONS = ("python", "scml", "negmas", "numpy", "numba", "commit")
"""What the plays depend on."""


class Play(NamedTuple):
    """One player in one seat of one world: a row of the raw table."""

    player: str
    stock: str
    place: str
    n_levels: int
    seed: int
    score: float
    bankrupt: int
    supplied: int  # items of exogenous supplies
    bought: int  # items of negotiated supplies
    produced: int
    from_stock: int  # of these, from inputs in stock
    missing: int  # items sold and not delivered
    left: int  # inputs in stock at the end


def seat_at(spec: WorldSpec, place: str, seed: int) -> int | None:
    """The factory of a world that is played at that place of the chain; None where there is no such place."""
    levels = {"first": [0], "middle": list(range(1, spec.n_levels - 1)), "last": [spec.n_levels - 1]}[place]
    if not levels:
        return None
    factories = np.flatnonzero(spec.level == levels[seed % len(levels)])
    return int(factories[seed % len(factories)])


def play(spec: WorldSpec, player: str, place: str, seat: int, seed: int, stock: str) -> Play:
    """Play a world to its end.

    Raises:
        RuntimeError: if the player gave an answer that cannot be played.
    """
    names = [FIELD[(factory + seed) % len(FIELD)] for factory in range(spec.n_factories)]
    names[seat] = player
    world = CompiledWorld(spec, [player_maker(name)(seed) for name in names], stock=stock)
    world.run()
    summary = world.summary(seat)
    if summary["invalid_actions"]:
        raise RuntimeError(f"invalid answers of {player} in world {seed}")
    days = settle_seat(world, seat)
    supplied = int(spec.exogenous_quantity[seat].sum()) if spec.level[seat] == 0 else 0
    return Play(
        player,
        stock,
        place,
        spec.n_levels,
        seed,
        round(summary["score"], 6),
        int(summary["bankrupt"]),
        supplied,
        int(days["bought"].sum()) - supplied,
        int(days["produced"].sum()),
        int(np.maximum(0, days["produced"] - days["bought"]).sum()),
        int(days["missing"].sum()),
        int(world.stock[seat, -1]),
    )


def settle_seat(world: CompiledWorld, seat: int) -> np.ndarray:
    """Settle a seat's days again from the world's contracts, for its items; the profits must be the world's own."""
    spec, prices, stock = world.spec, world.trading_prices, world.stock
    level = int(spec.level[seat])
    table = np.zeros(spec.n_days, dtype=[*SETTLEMENT_DTYPE.descr, ("bought", np.int64)])
    contracts = world.contracts[world.contracts["nullified"] == 0]
    balance = float(spec.initial_balance[seat])
    total = 0.0
    for day in range(spec.n_days):
        today = contracts[contracts["delivery"] == day]
        supplies, sales = today[today["buyer"] == seat], today[today["seller"] == seat]
        quantity = int(spec.exogenous_quantity[seat, day])
        exogenous = quantity, float(spec.exogenous_price[seat, day]) if quantity else 0.0
        settled = settle_day(
            len(supplies),
            np.append(supplies["quantity"], 0),
            np.append(supplies["price"].astype(np.float64), 0.0),
            len(sales),
            np.append(sales["quantity"], 0),
            np.append(sales["price"].astype(np.float64), 0.0),
            *(exogenous if level == 0 else (0, 0.0)),
            *(exogenous if level == spec.n_levels - 1 else (0, 0.0)),
            int(stock[seat, day]),
            float(spec.production_cost[seat]),
            int(spec.lines[seat]),
            total + balance,
            float(prices[level, day]),
            float(prices[level + 1, day]),
            float(spec.storage_cost[seat, day]),
            float(spec.shortfall_penalty[seat, day]),
        )
        table[day] = (*settled, int(supplies["quantity"].sum()) + (quantity if level == 0 else 0))
        total += settled[0]
    if not np.array_equal(table["profit"], world.profits[seat]):
        raise RuntimeError("the days settled again are not those of the world")
    return table


def mean_error(values: np.ndarray) -> str:
    """Mean and standard error as text; of a single value there is no error."""
    error = f" ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}" if len(values) > 1 else ""
    return f"{values.mean():.3f}{error}"


def grouped(rows: list[Play]) -> dict[tuple[str, str, str], list[Play]]:
    """Plays by player, stock rule and place."""
    groups: dict[tuple[str, str, str], list[Play]] = {}
    for row in rows:
        groups.setdefault((row.player, row.stock, row.place), []).append(row)
    return groups


def score_table(rows: list[Play]) -> str:
    """Scores by player, rule and place, in Markdown."""
    groups = grouped(rows)
    head = [f"{place}, {stock}" for place in PLACES for stock in STOCK_RULES]
    lines = [f"| strategy | {' | '.join(head)} |", "|---" * (1 + len(head)) + "|"]
    for player in dict.fromkeys(row.player for row in rows):
        cells = [
            mean_error(np.array([row.score for row in groups[player, stock, place]]))
            for place in PLACES
            for stock in STOCK_RULES
        ]
        lines.append(f"| {player} | {' | '.join(cells)} |")
    return "\n".join(lines)


def item_table(rows: list[Play]) -> str:
    """Mean items of a world by player, place and rule, in Markdown."""
    names = ("supplied", "bought", "produced", "from_stock", "missing", "left")
    head = ["strategy", "place", "stock", *(name.replace("_", " ") for name in names), "bankrupt"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for (player, stock, place), group in grouped(rows).items():
        means = [f"{np.mean([getattr(row, name) for row in group]):.0f}" for name in names]
        bankrupt = f"{sum(row.bankrupt for row in group)} of {len(group)}"
        lines.append(f"| {' | '.join([player, place, stock, *means, bankrupt])} |")
    return "\n".join(lines)


def main() -> None:
    """Play all worlds, print the tables, and write them beside the plays."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--worlds", type=int, default=200, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=11000, help="of the first world (default: %(default)s)")
    parser.add_argument("--days", type=int, default=50, help="of a world (default: %(default)s)")
    parser.add_argument(
        "--players",
        nargs="+",
        default=[*STRATEGIES, "examples.ten_once:TEN_ONCE"],
        help="names of players (default: all registered strategies, and the one of examples/ten_once.py)",
    )
    parser.add_argument("--out", type=Path, help="folder for plays.csv, tables.md and run.json")
    args = parser.parse_args()
    cpu = time.process_time()
    rows: list[Play] = []
    with progress_bar(args.worlds, "worlds") as bar:
        for i, seed in enumerate(range(args.seed, args.seed + args.worlds)):
            spec = compiled_spec(seed, args.days)
            for place in PLACES:
                seat = seat_at(spec, place, seed)
                if seat is not None:
                    plays = [(player, stock) for player in args.players for stock in STOCK_RULES]
                    rows += [play(spec, player, place, seat, seed, stock) for player, stock in plays]
            bar.update(i + 1)
    rows.sort(key=lambda row: (args.players.index(row.player), PLACES.index(row.place), row.stock, row.seed))
    run = {
        "worlds": args.worlds,
        "seeds": [args.seed, args.seed + args.worlds - 1],
        "days": args.days,
        "field": FIELD,
        "seats": {place: len({row.seed for row in rows if row.place == place}) for place in PLACES},
        "cpu_seconds": round(time.process_time() - cpu),
        "versions": {name: found for name, found in versions().items() if name in VERSIONS},
    }
    tables = f"{score_table(rows)}\n\n{item_table(rows)}\n"
    print(f"{tables}\n{json.dumps(run)}")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(Play._fields)
        writer.writerows(rows)
        replace_file(args.out / "plays.csv", text.getvalue())
        replace_file(args.out / "tables.md", tables)
        replace_file(args.out / "run.json", json.dumps(run, indent=1) + "\n")


if __name__ == "__main__":
    main()
