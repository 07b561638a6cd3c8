"""The parts of a trained hierarchy in the learner's seat of compiled worlds, beside other players in the same seat.

A player is a name, ``plan:RUN`` (what the manager of a run folder of hrl-xf plans, followed as the executor could), or
``RUN@ALPHA`` (the run with another way to alpha). Worlds are those of the experiment hrl_xf, with seeds that nothing
else is played with. Differences to the first player are paired by world (Student's t, 95 %).

    python benchmarks/hierarchy_seat.py penguin ten-once plan:runs/hrl_xf-0 runs/hrl_xf-0 runs/hrl_xf-0@zero --worlds 60
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from scml_gym.agents.hrl_xf.hierarchy import Seat
from scml_gym.agents.hrl_xf.stages import OF_WORLDS
from scml_gym.agents.studies.hrl_xf.play import MEASURED, play_seat
from scml_gym.core.cli import run_main
from scml_gym.core.config import load_experiment
from scml_gym.evaluation.statistics import compare
from scml_gym.game.world import PlayerMaker
from scml_gym.policies.run_folders import load_agent
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.players import player_maker
from scml_gym.standard.rules import STOCK_RULES

SEED, PLAN = 71_000_000, "plan:"
SHOWN = ("agreements", "bought", "produced", "missing", "unsafe_covered")


def maker(name: str) -> PlayerMaker:
    """Makes a player, see the module."""
    if name.startswith(PLAN):
        planning = load_agent(name.removeprefix(PLAN)).hierarchy("zero")
        return lambda seed: Seat(planning, led=True)
    run, _, alpha = name.partition("@")
    if alpha:
        playing = load_agent(run).hierarchy(alpha)
        return lambda seed: playing.seat()
    return player_maker(name)


def main() -> None:
    """Print the table, and write the rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("players", nargs="+", help="differences are to the first one")
    parser.add_argument("--worlds", type=int, default=60, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=SEED, help="of the first world (default: %(default)s)")
    parser.add_argument("--stock", choices=STOCK_RULES, default=STOCK_RULES[0], help="default: %(default)s")
    parser.add_argument("--out", type=Path, help="a table of all seats, CSV")
    given = parser.parse_args()
    section = load_experiment("hrl_xf", [f"env.stock={given.stock}"]).config["env"]
    config, rows = StandardConfig(**{key: section[key] for key in OF_WORLDS if key in section}), []
    print(f"| player | score | less {given.players[0]} | first | middle | last | {' | '.join(SHOWN)} |")
    print("|---" * (6 + len(SHOWN)) + "|")
    for name in given.players:
        make = maker(name)
        played = pd.DataFrame([play_seat(make, config, given.seed + i) for i in range(given.worlds)])
        rows.append(played[list(MEASURED)].assign(player=name, world=given.seed + np.arange(given.worlds)))
        less = compare(played["score"].to_numpy(), rows[0]["score"].to_numpy())
        by_level = (played["score"] - rows[0]["score"]).groupby(played["level"]).mean()
        told = f"{less.difference:+.3f} ({less.low:+.3f} to {less.high:+.3f})"
        levels = " | ".join(f"{by_level.get(level, np.nan):+.3f}" for level in ("first", "middle", "last"))
        means = " | ".join(f"{played[column].mean():.1f}" for column in SHOWN)
        print(f"| {name} | {played['score'].mean():.3f} | {told} | {levels} | {means} |", flush=True)
    if given.out is not None:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        pd.concat(rows).to_csv(given.out, index=False, float_format="%.6g")


if __name__ == "__main__":
    run_main(main)
