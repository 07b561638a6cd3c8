"""Search for D-NB's rules: Optuna over games in one seat, in the compiled world or the real one, on training seeds.

A trial plays D-NB with other rules in a seat of each world and is worth the mean of its score minus that of the
unchanged rules in the same seat of the same world with the same others. Sellers and buyers are searched apart; what is
found is written as a table of trials and as the section of the best one.

    python benchmarks/dnb_search.py runs/dnb --level buyer --trials 150 --worlds 200 --out search/buyer
    PYTHONHASHSEED=0 python benchmarks/dnb_search.py runs/dnb --level buyer --trials 20 --worlds 60 --days 15 \
        --backend reference --background scml-agents:2025/CostAverseAgent scml-agents:2025/Rchan ... --out ...
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import yaml

from scml_gym.agents.dnb.learner import DNB, DNBPolicyFile, load_dnb
from scml_gym.agents.dnb.rules import Rules
from scml_gym.core.cli import run_main
from scml_gym.core.files import replace_file
from scml_gym.game.world import PlayerMaker
from scml_gym.oneshot.envs.config import BACKENDS, OneShotConfig

BACKGROUND = (
    "best-subset",
    "best-subset-even",
    "subset-strong",
    "subset-plain",
    "subset-exact",
    "subset-stubborn",
    "subset-population",
    "greedy",
    "greedy-sync",
    "single-agreement",
)
SEED = 71_000
"""Of the training worlds; results are judged on other seeds."""


def side_space(trial: optuna.Trial, level: str) -> dict[str, Any]:
    """The settings of a side that are searched."""
    found: dict[str, Any] = {
        "patience": trial.suggest_float("patience", 0.0, 1.0),
        "hold": trial.suggest_float("hold", 0.0, 1.5),
        "reach": trial.suggest_float("reach", 0.25, 2.0),
        "risk": trial.suggest_float("risk", 0.0, 1.0),
        "most_items": trial.suggest_int("most_items", 2, 10),
        "concession": trial.suggest_categorical("concession", [0.25, 0.5, 1.0, 2.0]),
        "price": trial.suggest_categorical("price", ["curve", "value"]),
        "fallback": trial.suggest_int("fallback", 0, 2),
        "cap_extra": trial.suggest_int("cap_extra", 0, 3),
    }
    if level == "buyer":
        budget: Any = trial.suggest_categorical("budget_factor", [1.0, 1.15, 1.25, 1.4, 1.6, "none"])
        found["budget_factor"] = None if budget == "none" else float(budget)
        penalty: Any = trial.suggest_categorical("penalty_price", [2.0, 4.0, 8.0, "none"])
        found["penalty_price"] = None if penalty == "none" else float(penalty)
    return found


def calibration_space(trial: optuna.Trial) -> dict[str, Any]:
    """The settings of the calibration that are searched."""
    return {
        "delta": trial.suggest_float("delta", 0.05, 0.5),
        "answered": trial.suggest_float("answered", 0.4, 1.0),
        "terminal": trial.suggest_float("terminal", 0.0, 1.0),
        "count_on": trial.suggest_categorical("count_on", ["bound", "mean"]),
    }


class Games:
    """The same seats in the same worlds for every player that is tried.

    Args:
        setting: Which worlds, which others.
        backend: A name in `BACKENDS`.
        seeds: Of the worlds.
    """

    def __init__(self, setting: OneShotConfig, backend: str, seeds: Sequence[int]):
        self._world = BACKENDS.get(backend)
        self._setting, self._seeds = setting, seeds

    def scores(self, make: PlayerMaker) -> np.ndarray:
        """The scores of a player in all seats, float64 ``(seeds,)``."""
        found = np.zeros(len(self._seeds))
        for i, seed in enumerate(self._seeds):
            cast = self._setting.sample(seed)
            (seat,) = cast.factories
            world = self._world(
                cast.spec, [*cast.players[:seat], make(cast.seed), *cast.players[seat + 1 :]], cast.seed
            )
            world.run()
            found[i] = world.scores[seat]
        return found


def search(
    agent: DNB, games: Games, level: str, trials: int, calibrate: bool, show: Callable[[str], None]
) -> optuna.Study:
    """Try rules that differ from the agent's on one side."""
    policy: DNBPolicyFile = agent.policy_file()
    reference = games.scores(policy.player)
    base = policy.rules.model_dump()

    def objective(trial: optuna.Trial) -> float:
        changed = base | {level: base[level] | side_space(trial, level)}
        if calibrate:
            changed["calibration"] = base["calibration"] | calibration_space(trial)
        gain = games.scores(replace(policy, rules=Rules(**changed)).player) - reference
        trial.set_user_attr("rules", {k: changed[k] for k in (level, "calibration")})
        trial.set_user_attr("standard_error", float(gain.std(ddof=1) / np.sqrt(len(gain))))
        return float(gain.mean())

    def report(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        show(f"trial {trial.number}: {trial.value:+.4f}, best {study.best_value:+.4f}")

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=trials, callbacks=[report])
    return study


def main() -> None:
    """Search, and write what was found."""
    parser = argparse.ArgumentParser(description="Search for D-NB's rules")
    parser.add_argument("run", help="run folder of D-NB")
    parser.add_argument("--level", choices=["seller", "buyer"], required=True)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--factories", type=int, default=5)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--backend", default="compiled", choices=["compiled", "reference"])
    parser.add_argument("--background", nargs="+", default=list(BACKGROUND))
    parser.add_argument("--calibrate", action="store_true", help="search the calibration's settings too")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    setting = OneShotConfig(args.level, args.background, args.days, args.factories, backend=args.backend)
    games = Games(setting, args.backend, range(args.seed, args.seed + args.worlds))
    study = search(load_dnb(args.run), games, args.level, args.trials, args.calibrate, print)
    args.out.mkdir(parents=True, exist_ok=True)
    rows = [
        {"trial": t.number, "gain": t.value, "standard_error": t.user_attrs["standard_error"], **t.params}
        for t in study.trials
    ]
    replace_file(args.out / "trials.csv", pd.DataFrame(rows).to_csv(index=False))
    replace_file(args.out / "best.yaml", yaml.safe_dump(study.best_trial.user_attrs["rules"], sort_keys=False))
    print(f"best: {study.best_value:+.4f} +- {study.best_trial.user_attrs['standard_error']:.4f}; {args.out}/best.yaml")


if __name__ == "__main__":
    run_main(main)
