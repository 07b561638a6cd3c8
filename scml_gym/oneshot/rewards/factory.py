"""Rewards as objects: what a learner is paid between two of its decisions."""

from __future__ import annotations

import copy
from collections.abc import Callable

from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game.codecs import Reward, Transition
from scml_gym.oneshot.rewards.kernels import DAILY_PROFIT, REGRET, SHAPED_PROFIT, KernelReward, negotiations_kernel
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.oneshot.view import FactoryView


class DailyProfit(KernelReward):
    """Profits in score units: money / initial balance. The undiscounted return of a world is its score - 1."""

    def __init__(self) -> None:
        super().__init__(DAILY_PROFIT)


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
    """The daily profit, shaped by `scml_gym.oneshot.rewards.kernels.needs_potential` as by `PotentialShaping`."""

    def __init__(self) -> None:
        super().__init__(SHAPED_PROFIT)


class PotentialShaping:
    """Adds ``gamma x potential(after) - potential(before)``, which changes no optimal policy (Ng et al. 1999).

    Args:
        base: The reward that is shaped.
        potential: Of a view; counts as 0 once the world has ended.
        gamma: The learner's discount.
    """

    def __init__(self, base: Reward, potential: Callable[[FactoryView], float], gamma: float = 1.0):
        self._base = base
        self._potential = potential
        self._gamma = gamma

    def reset(self, view: FactoryView) -> None:
        """Passed on to the shaped reward."""
        self._base.reset(view)

    def __call__(self, transition: Transition) -> float:
        """The base reward and the discounted gain in potential."""
        after = 0.0 if transition.done else self._potential(transition.after)
        return self._base(transition) + self._gamma * after - self._potential(transition.before)


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
    made = REWARDS.get(reward, "reward")() if isinstance(reward, str) else reward
    if isinstance(made, type):
        raise InputError(f"reward: {made.__name__} is a class; give an object of it, or its name as a text", "reward")
    for method in ("reset", "__call__"):
        if not callable(getattr(made, method, None)):
            valid = "valid: an object with reset(view) and __call__(transition)"
            raise InputError(f"reward: {type(made).__name__} has no method {method}; {valid}", "reward")
    return made if isinstance(reward, str) else copy.deepcopy(made)
