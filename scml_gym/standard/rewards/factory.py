"""Rewards as objects: what a learner is paid between two of its decisions."""

from __future__ import annotations

from scml_gym.core.arguments import real
from scml_gym.core.registry import Registry
from scml_gym.game.codecs import Reward
from scml_gym.game.rewards import KernelReward, reward_from, shaped_kernel
from scml_gym.simulator.rewards import DAILY_PROFIT, DailyProfit
from scml_gym.standard.rewards.margins import margin_value
from scml_gym.standard.rewards.potential import position_value


class ShapedProfit(KernelReward):
    """The daily profit, shaped by the value of stock and contracts; it leaves the optimal policy as it is.

    To each reward ``gamma x value(after) - value(before)`` is added, with
    `scml_gym.standard.rewards.potential.position_value`, which counts as 0 once the episode has ended. The discounted
    return is that of the daily profit less the value at the first decision.

    Args:
        gamma: The learner's discount, in [0, 1]. With another one than the learner's, the optimal policy may change.

    Raises:
        InputError: if it is outside of that.
    """

    def __init__(self, gamma: float = 1.0):
        self.gamma = real("gamma", gamma, 0.0, 1.0, "0 to 1")
        self.potential = position_value
        super().__init__(shaped_kernel(DAILY_PROFIT, self.potential, self.gamma))


class MarginShapedProfit(KernelReward):
    """As `ShapedProfit`, with `scml_gym.standard.rewards.margins.margin_value`: what stock saves, and what contracts
    gain over the market.

    Args:
        gamma: The learner's discount, in [0, 1], also of margins by their days until delivery.

    Raises:
        InputError: if it is outside of that.
    """

    def __init__(self, gamma: float = 1.0):
        self.gamma = real("gamma", gamma, 0.0, 1.0, "0 to 1")
        self.potential = margin_value(self.gamma)
        super().__init__(shaped_kernel(DAILY_PROFIT, self.potential, self.gamma))


REWARDS = Registry("reward")
REWARDS.register("daily-profit", DailyProfit)
REWARDS.register("shaped-profit", ShapedProfit)
REWARDS.register("margin-shaped-profit", MarginShapedProfit)


def make_reward(reward: str | Reward) -> Reward:
    """The reward of that registered name, or a copy of the one given, so that environments share no state.

    Raises:
        InputError: if there is none of that name, or it has not the methods of a reward.
    """
    return reward_from(REWARDS, reward)
