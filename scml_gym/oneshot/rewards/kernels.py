"""Rewards as functions over records: compiled environments give those of the single ones, to the last bit.

See `scml_gym.game.kernels.RewardKernel`.
"""

from __future__ import annotations

import functools

import numpy as np

from scml_gym.game.kernels import RewardKernel
from scml_gym.game.rewards import shaped_kernel
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.rewards.hindsight import hindsight_profit
from scml_gym.oneshot.rewards.negotiation import (
    NegotiationReward,
    negotiation_reward_accepted,
    negotiation_reward_ended,
)
from scml_gym.oneshot.rewards.negotiation_ends import END_DTYPE, TRACKER_DTYPE, begin_tracked_day, collect_ends
from scml_gym.oneshot.view import MAX_PARTNERS, FactoryView
from scml_gym.simulator.rewards import DAILY_PROFIT, profit_reset

REGRET_DTYPE = np.dtype([("profit", np.float64), ("hindsight", np.float64)], align=True)
"""Since the last step: profits and hindsight-optimal profits in money."""


@jittable
def regret_day_end(view: FactoryView, profit: float, state: np.void) -> None:
    """Add a day's profit and what it could have been."""
    state["profit"] += profit
    state["hindsight"] += hindsight_profit(view)


@jittable
def regret_reward(view: FactoryView, done: bool, state: np.void) -> float:
    """Profits minus the hindsight-optimal ones, as a fraction of the initial balance."""
    gained = (state["profit"] - state["hindsight"]) / view["initial_balance"]
    state["profit"] = state["hindsight"] = 0.0
    return gained


@jittable
def needs_potential(view: FactoryView) -> float:
    """A potential for shaping: minus the part of the day's needs that is missing or over, scaled by a day's share."""
    return -abs(view["needs"]) / (view["lines"] * view["n_days"])


NEGOTIATIONS_DTYPE = np.dtype(
    [("tracker", TRACKER_DTYPE), ("ends", END_DTYPE, (MAX_PARTNERS,)), ("reward", np.float64)], align=True
)


@functools.cache
def negotiations_kernel(reward: NegotiationReward) -> RewardKernel:
    """The rewards of all negotiations that ended since the last step."""
    params = reward.params

    @jittable
    def collect(view: FactoryView, day_over: bool, state: np.void) -> None:
        ends = state["ends"]
        for i in range(collect_ends(view, day_over, state["tracker"], ends)):
            end = ends[i]
            if end["quantity"] > 0:
                quantity, price, needs, won = end["quantity"], end["price"], end["needs"], end["won"]
                state["reward"] += negotiation_reward_accepted(view, params, quantity, price, needs, won)
            else:
                state["reward"] += negotiation_reward_ended(view, params, end["partner"], end["needs"])

    @jittable
    def reset(view: FactoryView, state: np.void) -> None:
        begin_tracked_day(view, state["tracker"])

    @jittable
    def day_end(view: FactoryView, profit: float, state: np.void) -> None:
        if view["day"] >= state["tracker"]["day"]:  # else it was over before the factory was first asked
            collect(view, True, state)

    @jittable
    def step_reward(view: FactoryView, done: bool, state: np.void) -> float:
        if not done:
            collect(view, False, state)
        gained = state["reward"]
        state["reward"] = 0.0
        return gained

    return RewardKernel(reset, day_end, step_reward, NEGOTIATIONS_DTYPE)


REGRET = RewardKernel(profit_reset, regret_day_end, regret_reward, REGRET_DTYPE)
SHAPED_PROFIT = shaped_kernel(DAILY_PROFIT, needs_potential)
