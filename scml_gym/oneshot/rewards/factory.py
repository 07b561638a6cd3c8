"""Rewards as objects: what a learner is paid between two of its decisions."""

from __future__ import annotations

from scml_gym.core.registry import Registry
from scml_gym.game.codecs import Reward
from scml_gym.game.rewards import KernelReward, reward_from
from scml_gym.oneshot.rewards.kernels import REGRET, SHAPED_PROFIT, negotiations_kernel
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.simulator.rewards import DailyProfit


class Regret(KernelReward):
    """What days brought less what they could have brought at best (`scml_gym.oneshot.rewards.hindsight`), in score
    units; at most 0.

    Profits depend on the world's margins and on how much the day's exogenous contract is worth far more than on the
    learner; what is lost against the best in hindsight does not.
    """

    def __init__(self) -> None:
        super().__init__(REGRET)


class NegotiationProfit(KernelReward):
    """The rewards of all negotiations that ended since the last decision, as the 2021 Q-learning paper gives them.

    Args:
        reward: Of one negotiation; by default the paper's (section 2.1.4).
    """

    def __init__(self, reward: NegotiationReward | None = None):
        super().__init__(negotiations_kernel(reward or NegotiationReward()))


class ShapedProfit(KernelReward):
    """The daily profit, shaped by `scml_gym.oneshot.rewards.kernels.needs_potential`."""

    def __init__(self) -> None:
        super().__init__(SHAPED_PROFIT)


REWARDS = Registry("reward")
REWARDS.register("daily-profit", DailyProfit)
REWARDS.register("regret", Regret)
REWARDS.register("negotiations", NegotiationProfit)
REWARDS.register("shaped-profit", ShapedProfit)


def make_reward(reward: str | Reward) -> Reward:
    """The reward of that registered name, or a copy of the one given, so that environments share no state.

    Raises:
        InputError: if there is none of that name, or it has not the methods of a reward.
    """
    return reward_from(REWARDS, reward)
