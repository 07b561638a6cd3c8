"""How many of PenguinAgent's accepted sales are unsafe, by the exact audit and by the delivery day alone.

It plays the first configurations that ``evaluate.py --config configs/tournament/standard_finalists.yaml`` plays, in
scml's own simulation, and looks at PenguinAgent's decisions. The exact audit rolls the settlement over all days of the
books, with cash, whatever offers still stand, and asks whether any day misses more than before. The short formula looks
at the day of delivery alone: a sale is unsafe where, with what the decision promised for that day before it, it exceeds
what stock and signed supplies make on that day. It needs scml-agents; fix the hash seed, because agents iterate over
sets of names:

    PYTHONHASHSEED=0 python benchmarks/penguin_audit.py --out penguin_audit.csv

A table that is there already is gone on with, where it was made with the same options.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kept_tables import kept_table

from scml_gym.core.cli import run_main
from scml_gym.core.config import CONFIGS
from scml_gym.core.reporting import progress_bar
from scml_gym.evaluation.config import load_config
from scml_gym.evaluation.schedule import Match, schedule
from scml_gym.standard.line_up import place_of
from scml_gym.standard.players import player_maker
from scml_gym.standard.rules import STOCK_RULES, stock_after
from scml_gym.standard.safety.agents import look_at
from scml_gym.standard.safety.audit import COUNTS, Tally
from scml_gym.standard.view import ACCEPT, BOOK_DAYS, MAX_PARTNERS, MAX_PER_LEVEL, ActionArray, StandardView
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld

PENGUIN = "scml-agents:2024/PenguinAgent"
COLUMNS = ("configuration", "play", "place", "accepted_sales")
COLUMNS += tuple(f"{how}_{rule}" for how in ("exact", "day") for rule in STOCK_RULES)


def rooms(view: StandardView, physical: bool) -> list[int]:
    """Items that can still be sold for each day, where only that day is looked at."""
    found, stock = [], int(view["stock"])
    for ahead in range(BOOK_DAYS):
        bought, sold = int(view["supplies"][ahead]), int(view["sales"][ahead])
        if ahead == 0:
            bought, sold = bought + int(view["exogenous_supply"]), sold + int(view["exogenous_sales"])
        found.append(min(int(view["lines"]), stock + bought) - sold)
        stock = stock_after(physical, stock, bought, min(int(view["lines"]), stock + bought, sold))
    return found


def beyond_their_day(view: StandardView, actions: ActionArray, physical: bool) -> int:
    """Accepted sales that exceed the room of their day, with those accepted before them."""
    room, unsafe = rooms(view, physical), 0
    for k in range(MAX_PER_LEVEL, MAX_PARTNERS):
        if actions[k]["response"] == ACCEPT:
            partner = view["partners"][k]
            ahead = int(partner["offer_day"] - view["day"])
            unsafe += int(partner["offer_quantity"]) > room[ahead]
            room[ahead] -= int(partner["offer_quantity"])
    return unsafe


def play(match: Match, number: int) -> list[Any]:
    """The row of one world."""
    names, (days, levels, stock) = [occupant.name for occupant in match.line_up(number)], match.setting
    spec = league_spec(match.seed, days, len(names) // levels, levels)
    rule: Any = stock
    world = ReferenceWorld(spec, [player_maker(name)(match.seed) for name in names], match.seed, rule)
    seat, tally, short = names.index(PENGUIN), Tally(), np.zeros(2, dtype=np.int64)

    def look(view: StandardView, actions: ActionArray) -> None:
        tally(view, actions)
        for i in range(2):
            short[i] += beyond_their_day(view, actions, i == 1)

    look_at(world.agents[seat], look)
    world.run()
    counts = dict(zip(COUNTS, tally.numbers.astype(int).tolist(), strict=False))
    exact = [counts["unsafe_sales"], counts["other_rule_sales"]]
    exact = exact if rule == STOCK_RULES[0] else exact[::-1]
    place = place_of(int(spec.level[seat]), levels)
    return [match.configuration, number, place, counts["accepted_sales"], *exact, *short.tolist()]


def summary(table: pd.DataFrame) -> str:
    """Shares of the accepted sales."""
    lines = [f"{len(table)} worlds, {table['accepted_sales'].sum()} accepted sales"]
    for column in COLUMNS[4:]:
        lines.append(f"{column}: {table[column].sum()} ({table[column].sum() / table['accepted_sales'].sum():.1%})")
    return "\n".join(lines)


def main() -> None:
    """Play what the table does not have yet, and print the shares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--configurations", type=int, default=71, help="default: %(default)s")
    parser.add_argument("--days", type=int, default=50, help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="the table")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")  # of the players' packages
    path = CONFIGS / "tournament" / "standard_finalists.yaml"
    config = load_config(path).model_copy(update={"worlds": options.configurations, "days": options.days})
    with (
        kept_table(options.out, COLUMNS, {"days": options.days}) as (known, add),
        progress_bar(options.configurations, "configurations") as bar,
    ):
        for match in schedule(config):
            if match.configuration not in known:
                add(play(match, number) for number in match.plays)
            bar.update(match.configuration + 1)
    print(summary(pd.read_csv(options.out)))


if __name__ == "__main__":
    run_main(main)
