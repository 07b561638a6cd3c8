"""Rewards as functions over records: compiled environments give those of the single ones, to the last bit.

A kernel is three functions and the dtype of the record that they share through an episode:

- ``reset(view, state)``: the first decision of an episode is due; ``state`` was zeroed before its first day.
- ``day_end(view, profit, state)``: a day was settled; its last view, and the factory's profit of it in money.
- ``reward(view, done, state) -> float``: of a step, with the view after it; ``done`` where the episode ended.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.rewards.hindsight import hindsight_profit
from scml_gym.oneshot.rewards.negotiation import (
    NegotiationReward,
    negotiation_reward_accepted,
    negotiation_reward_ended,
)
from scml_gym.oneshot.rewards.negotiation_ends import END_DTYPE, TRACKER_DTYPE, begin_tracked_day, collect_ends
from scml_gym.oneshot.view import MAX_PARTNERS, FactoryView


class RewardKernel(NamedTuple):
    """A reward as compiled code takes it; see the module's head."""

    reset: Callable[[FactoryView, Any], None]
    day_end: Callable[[FactoryView, float, Any], None]
    reward: Callable[[FactoryView, bool, Any], float]
    dtype: np.dtype


PROFIT_DTYPE = np.dtype([("profit", np.float64), ("hindsight", np.float64), ("potential", np.float64)], align=True)
"""Since the last step: profits and hindsight-optimal profits in money; and the potential of the last view."""


@jittable
def profit_reset(view: FactoryView, state: np.void) -> None:
    """Nothing but the profits of days before the first decision is kept."""


@jittable
def profit_day_end(view: FactoryView, profit: float, state: np.void) -> None:
    """Add a day's profit."""
    state["profit"] += profit


@jittable
def profit_reward(view: FactoryView, done: bool, state: np.void) -> float:
    """Profits as a fraction of the initial balance."""
    gained = state["profit"] / view["initial_balance"]
    state["profit"] = 0.0
    return gained


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


@jittable
def shaped_reset(view: FactoryView, state: np.void) -> None:
    """Keep the potential of the first decision."""
    state["potential"] = needs_potential(view)


@jittable
def shaped_reward(view: FactoryView, done: bool, state: np.void) -> float:
    """Profits, and the gain in potential, which counts as 0 once the episode has ended."""
    after = 0.0 if done else needs_potential(view)
    gained = profit_reward(view, done, state) + after - state["potential"]
    state["potential"] = after
    return gained


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


DAILY_PROFIT = RewardKernel(profit_reset, profit_day_end, profit_reward, PROFIT_DTYPE)
REGRET = RewardKernel(profit_reset, regret_day_end, regret_reward, PROFIT_DTYPE)
SHAPED_PROFIT = RewardKernel(shaped_reset, profit_day_end, shaped_reward, PROFIT_DTYPE)


class KernelReward:
    """A kernel as a `scml_gym.oneshot.rewards.factory.Reward`, for single environments."""

    def __init__(self, kernel: RewardKernel):
        self.kernel = kernel
        self._states: Any = np.zeros(1, dtype=kernel.dtype)
        self._reset, self._day_end, self._reward = (_compiled(f) for f in kernel[:3])

    def reset(self, view: FactoryView) -> None:
        """A new episode, with its first view."""
        self._states = np.zeros(1, dtype=self.kernel.dtype)
        self._reset(view, self._states[0])

    def __call__(self, transition: Any) -> float:
        """The reward of one `scml_gym.oneshot.rewards.factory.Transition`."""
        for last, profit in zip(transition.closed, transition.profits.tolist(), strict=True):
            self._day_end(last, profit, self._states[0])
        return float(self._reward(transition.after, transition.done, self._states[0]))

    def __deepcopy__(self, memo: Any) -> KernelReward:
        """The same reward at the start of an episode; the compiled functions are shared."""
        new = copy.copy(self)
        new._states = np.zeros(1, dtype=self.kernel.dtype)
        return new


_compiled = functools.cache(compiled)
