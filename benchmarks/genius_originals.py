"""AgentK and Gahboninho of this package beside the original programs, whose measured behaviour is in benchmarks/data.

Every set of the measurement (scenario, agent, opponent, who opens, rounds) is played in the compiled table world. A set
holds if mean utility and agreement rate are within ``.03 + 3 sqrt(sd^2 / n + s^2 / N)`` of the measured ones, sd and n
the measurement's, s and N ours; its curve of bids, where 50 or more negotiations were running, if nine tenths of the
rounds are within .05. The mean signed difference in utility over all sets must be at most .02. Exits 1 otherwise.

    python benchmarks/genius_originals.py --negotiations 200 --seed 1 --out docs/results/negotiators
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table

from scml_gym.bilateral.negotiators import ACCEPTANCE_RULES, NEGOTIATORS
from scml_gym.bilateral.negotiators.acceptance import with_acceptance
from scml_gym.bilateral.negotiators.base import TableStrategy, make_table
from scml_gym.bilateral.scenarios import load_scenario
from scml_gym.bilateral.view import ACCEPT, LEARNER, NOBODY, VIEW_DTYPE
from scml_gym.bilateral.worlds.compiled.game import answer, begin, utility_of
from scml_gym.bilateral.worlds.compiled.layout import GAME_DTYPE, fill_game
from scml_gym.bilateral.worlds.protocol import Bidder, Negotiation
from scml_gym.core.provenance import versions
from scml_gym.jit.compile import compiled

DATA = Path(__file__).parent / "data"
SET = ["scenario", "agent", "opponent", "first_mover", "rounds"]
SLACK, ERRORS, BIAS = 0.03, 3.0, 0.02
CURVE_SLACK, CURVE_SHARE, CURVE_RUNNING = 0.05, 0.9, 50


@compiled
def play_recorded(games: np.ndarray, seeds: np.ndarray, results: np.ndarray, bids: np.ndarray) -> None:
    """Play a negotiation of two strategies once with each seed.

    Args:
        games: ``GAME_DTYPE (1,)``, both sides seated.
        seeds: int64 ``(n,)``.
        results: ``VIEW_DTYPE (n,)``: gets the last view of each.
        bids: float64 ``(n, rounds)``: gets the first side's utility of its bid in each round, where it made one.
    """
    for i in range(len(seeds)):
        game = games[0]
        begin(game, np.uint64(seeds[i]))
        while game["view"]["running"] != 0:
            seat = game["seats"][LEARNER]
            if seat["accepts"] != 0:
                answer(game, ACCEPT)
            else:
                bids[i, game["view"]["step"]] = utility_of(game, LEARNER, seat["bid"])
                answer(game, seat["bid"])
        results[i] = game["view"]


def strategy(name: str) -> TableStrategy:
    """A negotiator of the measurement; ``x-noaccept`` is x that accepts nothing."""
    found = NEGOTIATORS.get(name.removesuffix("-noaccept"))
    return with_acceptance(found, ACCEPTANCE_RULES.get("AC_never")) if name.endswith("-noaccept") else found


def play(case: Any, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Play one set.

    Returns:
        The last views, ``VIEW_DTYPE (n,)``, and the utilities of the agent's bids ``(n, rounds)``, NaN where none.
    """
    scenario = load_scenario(case.scenario)
    first, second = (make_table(scenario.utilities(side), scenario.shape) for side in range(2))
    opponent, agent = Bidder(strategy(case.opponent)), Bidder(strategy(case.agent))
    opponent_first = case.first_mover == "other"
    negotiation = Negotiation(scenario, 0, (first, second), int(case.rounds), opponent_first, opponent, agent)
    games, results = np.zeros(1, dtype=GAME_DTYPE), np.zeros(n, dtype=VIEW_DTYPE)
    bids = np.full((n, int(case.rounds)), np.nan)
    memory = fill_game(games[0], negotiation)
    play_recorded(games, np.arange(seed * 1_000_003, seed * 1_000_003 + n), results, bids)
    del memory  # lived until here, as the record points to it
    return results, bids


def judge(case: Any, curve: Any, n: int, seed: int) -> dict[str, Any]:
    """One row of the table: what was measured on the original, what here, and whether the set holds."""
    results, bids = play(case, n, seed)
    agreed = results["accepted_by"] != NOBODY
    row: dict[str, Any] = {name: getattr(case, name) for name in SET}
    rate = case.agreement_rate
    holds = True
    for name, ours, original, sd in (
        ("utility", results["utility"], case.mean_agent_utility, case.sd_agent_utility),
        ("agreement", agreed.astype(float), rate, math.sqrt(rate * (1 - rate))),
    ):
        tolerance = SLACK + ERRORS * math.sqrt(sd**2 / case.n + ours.var(ddof=1) / n)
        row |= {f"{name}_original": original, name: ours.mean(), f"{name}_tolerance": tolerance}
        holds = holds and abs(ours.mean() - original) <= tolerance
    row |= {
        "opponent_utility_original": case.mean_opponent_utility,
        "opponent_utility": results["opponent_utility"].mean(),
        "accepted_by_agent_original": case.accepted_by_agent_rate,
        "accepted_by_agent": (results["accepted_by"] == LEARNER).mean(),
        "round_original": case.mean_end_round,
        "round": (results["step"] + 1).mean(),
    }
    curve = curve[curve["n"] >= CURVE_RUNNING]
    steps = curve["round"].to_numpy() - 1
    made = ~np.isnan(bids[:, steps])
    means = np.where(made, bids[:, steps], 0.0).sum(axis=0) / np.maximum(made.sum(axis=0), 1)
    near = made.any(axis=0) & (np.abs(means - curve["mean_utility"].to_numpy()) <= CURVE_SLACK)
    row |= {"curve_rounds": len(steps), "curve_rounds_near": int(near.sum())}
    return row | {"holds": holds and near.sum() >= CURVE_SHARE * len(steps)}


def main() -> None:
    """Play all sets, print those that do not hold, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--negotiations", type=int, default=200, help="in each set")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder to write the table and a summary to")
    options = parser.parse_args()
    console, start = Console(markup=False), time.process_time()
    cases = list(pd.read_csv(DATA / "genius_originals_results.csv").itertuples())
    curves: dict[Any, Any] = dict(iter(pd.read_csv(DATA / "genius_originals_curves.csv").groupby(SET)))
    rows: Any = pd.DataFrame(
        judge(case, curves[tuple(getattr(case, name) for name in SET)], options.negotiations, options.seed)
        for case in track(cases, description="sets", console=console)
    )
    bias = float((rows["utility"] - rows["utility_original"]).mean())
    failed = rows[~rows["holds"]]
    table = Table(*SET, "utility", "agreement", "curve", title=f"{len(failed)} of {len(rows)} sets do not hold")
    for row in failed.itertuples():
        table.add_row(
            *(str(getattr(row, name)) for name in SET),
            f"{row.utility:.3f} for {row.utility_original:.3f} +- {row.utility_tolerance:.3f}",
            f"{row.agreement:.2f} for {row.agreement_original:.2f} +- {row.agreement_tolerance:.2f}",
            f"{row.curve_rounds_near} of {row.curve_rounds}",
        )
    console.print(table, f"mean signed difference in utility {bias:+.4f} (at most {BIAS})")
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        rows.round(4).to_csv(options.out / "genius_originals.csv", index=False)
        summary = {
            "command": sys.argv,
            "sets": len(rows),
            "hold": int(rows["holds"].sum()),
            "mean_signed_difference": round(bias, 4),
            "cpu_seconds": round(time.process_time() - start),
            "versions": versions(),
        }
        (options.out / "genius_originals.json").write_text(json.dumps(summary, indent=1) + "\n")
    raise SystemExit(len(failed) > 0 or abs(bias) > BIAS)


if __name__ == "__main__":
    main()
