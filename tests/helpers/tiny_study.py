"""A study small enough for tests: how far a tit-for-tat seller and one that always defects get in repeated games."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import PositiveInt

from scml_gym.core.config import Config, validate

PAYOFF = np.array([[3.0, 0.0], [5.0, 1.0]])
"""Of the prisoner's dilemma, by own and other action (0 cooperates, 1 defects)."""


class TinyConfig(Config):
    seed: int
    games: PositiveInt
    rounds: PositiveInt
    noise: dict[str, float]
    kill_at: str = ""
    wait_at: str = ""


class TinyStudy:
    """One run for each level of noise; a row for each game."""

    def __init__(self, config: TinyConfig):
        self.config = config

    @classmethod
    def build(cls, config: Mapping[str, Any]) -> Self:
        return cls(validate(TinyConfig, config))

    def runs(self) -> dict[str, int]:
        return {f"noise-{name}": self.config.games for name in self.config.noise}

    def compute(self, run: str, advance: Callable[[int], None]) -> dict[str, list[dict[str, Any]]]:
        if run == self.config.kill_at and not Path("killed").exists():
            Path("killed").touch()
            os._exit(9)
        if run == self.config.wait_at and not Path("waiting").exists():
            Path("waiting").touch()
            time.sleep(1000)
        index = list(self.runs()).index(run)
        noise = list(self.config.noise.values())[index]
        rng = np.random.default_rng([self.config.seed, index])
        rows = []
        for game in range(self.config.games):
            other, total = 0, 0.0
            for _ in range(self.config.rounds):
                mine = int(rng.random() < noise) ^ other  # tit for tat, by a trembling hand
                other = int(rng.random() < 0.3)
                total += float(PAYOFF[mine, other])
            rows.append({"noise": noise, "game": game, "payoff": total / self.config.rounds})
            advance(1)
        return {"games": rows}

    def report(self, tables: Mapping[str, Any], origin: str) -> dict[str, str]:
        means = tables["games"].groupby("run")["payoff"].mean()
        lines = [f"- {run}: {mean:.3f}" for run, mean in means.items()]
        return {"study.md": "# Tit for tat\n\n" + "\n".join(lines) + f"\n\n{origin}\n"}
