"""How often players agree to more than they need, and what they miss: days of a tournament's worlds, by player.

The same worlds and positions as `evaluate.py` plays from the configuration.

    PYTHONHASHSEED=0 python benchmarks/over_commitment.py --config configs/tournament/finalists.yaml --worlds 60 \
        --out docs/results/dnb
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scml_gym.core.cli import run_main
from scml_gym.core.files import replace_file
from scml_gym.core.reporting import progress_bar
from scml_gym.evaluation.config import TournamentConfig, load_config
from scml_gym.evaluation.schedule import Match, schedule
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld

LEVELS = ("seller", "buyer")


def count(match: Match, play: int) -> list[dict[str, Any]]:
    """For each factory of a world: days on which it needed something, and what it agreed to on them.

    Returns:
        Rows: ``over``, days with more agreed than needed; ``excess`` and ``missing``, items over all days; ``days``.
    """
    names = [occupant.name for occupant in match.line_up(play)]
    days = match.setting.days
    spec = league_spec(match.seed, days=days, factories_per_level=len(names) // 2)
    world = ReferenceWorld(spec, [player_maker(name)(match.seed) for name in names], match.seed)
    world.run()
    contracts, agreed = world.contracts, np.zeros((spec.n_factories, days), dtype=np.int64)
    for side in LEVELS:
        np.add.at(agreed, (contracts[side], contracts["day"]), contracts["quantity"])
    needs = np.minimum(spec.lines[:, None], spec.exogenous_quantity)
    rows = []
    for factory, occupant in enumerate(match.line_up(play)):
        more = (agreed[factory] - needs[factory])[needs[factory] > 0]
        rows.append(
            {
                "player": occupant.label,
                "role": occupant.role,
                "level": LEVELS[int(spec.level[factory])],
                "configuration": match.configuration,
                "days": len(more),
                "over": int((more > 0).sum()),
                "excess": int(more.clip(min=0).sum()),
                "missing": int((-more).clip(min=0).sum()),
            }
        )
    return rows


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Shares and means a day, by player and level, best kept commitments first."""
    sums: Any = rows.groupby(["player", "level"])[["days", "over", "excess", "missing"]].sum()
    table: Any = pd.DataFrame(
        {
            "days over": sums["over"] / sums["days"],
            "excess a day": sums["excess"] / sums["days"],
            "missing a day": sums["missing"] / sums["days"],
        }
    )
    return table.unstack("level")


def main() -> None:
    """Play, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--worlds", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")  # of the players' packages
    config: TournamentConfig = load_config(args.config, {"worlds": args.worlds, "seed": args.seed})
    rows, matches = [], list(schedule(config))
    with progress_bar(len(matches), "worlds") as bar:
        for index, match in enumerate(matches):
            for play in match.plays:
                rows += count(match, play)
            bar.update(index + 1)
    frame = pd.DataFrame(rows)
    args.out.mkdir(parents=True, exist_ok=True)
    replace_file(args.out / "over_commitment.csv", frame.to_csv(index=False))
    print(summary(frame).to_string(float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    run_main(main)
