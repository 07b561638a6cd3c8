"""The measuring sticks of the Standard track in the seats of a finalist, in scml's own simulation.

The agents of configs/tournament/standard_finalists.yaml fill chains of 12 factories (2 levels of 6 and 3 of 4 in turn;
``--levels`` says otherwise), or a part of them drawn at random fills smaller ones (``--factories``). Each configuration
is played with the seats rotated through all levels. In each of these worlds every player takes the seat of the first
agent of that file, while the others stay as they are. Differences to that agent, or to another one (``--baseline``),
are paired by seat, and the interval is over configurations. It needs scml-agents; fix the hash seed, because agents
iterate over sets of names:

    PYTHONHASHSEED=0 python benchmarks/standard_sticks.py --out docs/results/standard_world/sticks.csv

A table that is there already is gone on with, where it was made with the same options.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kept_tables import kept_table

from scml_gym.core.cli import run_main
from scml_gym.core.config import CONFIGS
from scml_gym.core.reporting import progress_bar
from scml_gym.evaluation.config import load_config
from scml_gym.evaluation.statistics import compare
from scml_gym.game.world import PlayerMaker
from scml_gym.standard.line_up import place_of
from scml_gym.standard.parity import LEVELS as PLACES
from scml_gym.standard.players import player_maker
from scml_gym.standard.rules import STOCK_RULES
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld

SEED = 31000
COLUMNS = ("configuration", "play", "place", "player", "score")


def play_seats(
    configuration: int,
    field: list[str],
    players: list[str],
    makers: dict[str, PlayerMaker],
    size: tuple[int, int],
    stock: Any,
    first_seed: int = SEED,
    chains: Sequence[int] = (2, 3),
    places: Sequence[str] = PLACES,
) -> list[tuple[int, int, str, str, float]]:
    """The rows of one configuration, of so many days and about so many factories: each player in the seat of the first
    of the field, on every level at one of the places; ``chains`` are the levels of worlds, in turn."""
    days, factories = size
    levels, seed = chains[configuration % len(chains)], first_seed + configuration
    per_level = -(-factories // levels)
    spec = league_spec(seed, days, per_level, levels)
    order = np.random.default_rng([first_seed, configuration]).permutation(len(field)).tolist()
    left_out = [i for i in order if i != 0][per_level * levels - 1 :]
    order = [i for i in order if i not in left_out]
    rows = []
    for play in range(levels):
        names = [field[i] for i in np.roll(order, play * per_level)]
        seat = names.index(field[0])
        place = place_of(int(spec.level[seat]), levels)
        if place not in places:
            continue
        for player in players:
            names[seat] = player
            world = ReferenceWorld(spec, [makers[name](seed) for name in names], seed, stock)
            world.run()
            rows.append((configuration, play, place, player, float(world.scores[seat])))
    return rows


def summary(table: Any, baseline: str) -> str:
    """Mean scores by place, and differences to the baseline paired by seat, in Markdown."""
    seats = table.pivot_table(index=["configuration", "play", "place"], columns="player", values="score", sort=False)
    lines = [f"| player | seats | score | less {baseline}, 95 % | first | middle | last |", "|---" * 7 + "|"]
    for player in seats:
        by_place = seats[player].groupby("place").mean()
        differences = (seats[player] - seats[baseline]).groupby("configuration").mean().dropna().to_numpy()
        found = compare(differences, np.zeros(len(differences)))
        told = "" if player == baseline else f"{found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})"
        places = " | ".join(f"{by_place.get(place, np.nan):.3f}" for place in PLACES)
        lines.append(f"| {player} | {seats[player].count()} | {seats[player].mean():.3f} | {told} | {places} |")
    return "\n".join(lines)


def main() -> None:
    """Play what the table does not have yet, and print the summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--configurations", type=int, default=24, help="default: %(default)s")
    parser.add_argument("--players", nargs="+", default=["ten-once", "ten-once-dear"], help="beside the baseline")
    parser.add_argument("--baseline", help="whom they are compared with (default: the finalist)")
    parser.add_argument("--days", type=int, default=50, help="default: %(default)s")
    parser.add_argument("--factories", type=int, default=12, help="2 to 12; rounded up to full levels (default: 12)")
    parser.add_argument("--levels", type=int, nargs="+", default=[2, 3], help="of worlds, in turn (default: 2 3)")
    parser.add_argument("--places", nargs="+", choices=PLACES, help="of the seats (default: all)")
    parser.add_argument("--stock", choices=STOCK_RULES, default=STOCK_RULES[0], help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=SEED, help="of the first configuration (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="the table")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")  # of the players' packages
    if not 2 <= options.factories <= 12:
        parser.error(f"--factories={options.factories}; valid: 2 to 12")
    field = list(load_config(CONFIGS / "tournament" / "standard_finalists.yaml").competitors)
    baseline = options.baseline or field[0]
    players = [baseline, *options.players]
    given = {"players": players, "seed": options.seed}
    given |= {"days": options.days, "factories": options.factories, "stock": options.stock, "levels": options.levels}
    if options.places:
        given["places"] = options.places
    size = options.days, options.factories
    with (
        kept_table(options.out, COLUMNS, given) as (known, add),
        progress_bar(options.configurations, "seats") as bar,
    ):
        makers = {name: player_maker(name) for name in [*field, *players]}
        for configuration in range(options.configurations):
            if configuration not in known:
                settings = size, options.stock, options.seed, options.levels, options.places or PLACES
                add(play_seats(configuration, field, players, makers, *settings))
            bar.update(configuration + 1)
    print(summary(pd.read_csv(options.out), baseline))


if __name__ == "__main__":
    run_main(main)
