"""The daily profit as a reward, for a factory of any track."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.game.kernels import RewardKernel
from scml_gym.game.rewards import KernelReward
from scml_gym.jit.compile import jittable

PROFIT_DTYPE = np.dtype([("profit", np.float64)], align=True)
"""Profits in money since the last step."""


@jittable
def profit_reset(view: Any, state: Any) -> None:
    """Nothing but the profits of days before the first decision is kept."""


@jittable
def profit_day_end(view: Any, profit: float, state: Any) -> None:
    """Add a day's profit."""
    state["profit"] += profit


@jittable
def profit_reward(view: Any, done: bool, state: Any) -> float:
    """Profits as a fraction of the initial balance."""
    gained = state["profit"] / view["initial_balance"]
    state["profit"] = 0.0
    return gained


DAILY_PROFIT = RewardKernel(profit_reset, profit_day_end, profit_reward, PROFIT_DTYPE)


class DailyProfit(KernelReward):
    """Profits in score units: money / initial balance. The undiscounted return of a world is its score - 1."""

    def __init__(self) -> None:
        super().__init__(DAILY_PROFIT)
