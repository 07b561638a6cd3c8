"""Rewards of a bilateral negotiation: for an agreement, for going on, and for failing, each a part of its own.

A part is a function ``(utility, mean) -> float`` of numbers alone, so that it can be compiled: the utility of the offer
in question, and the mean utility of the last ten offers received (of all where there are fewer). It runs in Python and
compiled; helpers that it calls are marked with `scml_gym.jit.compile.jittable`.

Source: Matsuo and Fujita, *Effective acceptance strategy in automated negotiation using deep reinforcement learning*,
equations (3) and (4) and section 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scml_gym.core.arguments import real
from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.jit.compile import jittable

RewardPart = Callable[[float, float], float]
"""``part(utility, mean)``: see the module's head."""

ACCEPT_REWARDS = Registry("accept reward")
"""Name -> part paid at an agreement, for the utility of the agreed outcome."""

OFFER_REWARDS = Registry("offer reward")
"""Name -> part paid for an offer, made in place of accepting one of that utility."""


@jittable
def agreed_utility(utility: float, mean: float) -> float:
    """Equation (3-a): the utility."""
    return utility


@jittable
def agreed_sigmoid(utility: float, mean: float) -> float:
    """Equation (3-b): the utility, the middle of the range drawn apart, in (0, 1)."""
    return (math.tanh(5.0 * (utility - 0.5)) + 1.0) / 2.0


@jittable
def agreed_tanh(utility: float, mean: float) -> float:
    """Equation (3-c): as (3-b), in (-1, 1): an agreement worth less than one half is punished."""
    return math.tanh(5.0 * (utility - 0.5))


@jittable
def offered_nothing(utility: float, mean: float) -> float:
    """Equation (4-a): nothing."""
    return 0.0


@jittable
def offered_refusal(utility: float, mean: float) -> float:
    """Equation (4-b): a hundredth of what the refused offer leaves to be won."""
    return (1.0 - utility) / 100.0


@jittable
def offered_refusals(utility: float, mean: float) -> float:
    """Equation (4-c): a hundredth of what the last ten offers leave to be won on average."""
    return (1.0 - mean) / 100.0


for _name, _accept, _offer in (
    ("a", agreed_utility, offered_nothing),
    ("b", agreed_sigmoid, offered_refusal),
    ("c", agreed_tanh, offered_refusals),
):
    ACCEPT_REWARDS.register(_name, _accept)
    OFFER_REWARDS.register(_name, _offer)


@dataclass(frozen=True)
class BilateralReward:
    """What a negotiation pays the learner.

    A step pays the sum of what applies:

    - ``offer``, where the learner answered a standing offer with one of its own;
    - ``accept``, where the step brought an agreement, whoever accepted;
    - ``failure_penalty``, where it ended the negotiation without one.

    Attributes:
        accept: Part for the agreement; the paper's are in ``ACCEPT_REWARDS``.
        offer: Part for going on; the paper's are in ``OFFER_REWARDS``.
        failure_penalty: 0 or below.

    Example:
        >>> make_reward("c", "b", -0.5).accept(0.5, 0.0)
        0.0
    """

    accept: RewardPart
    offer: RewardPart
    failure_penalty: float

    def step_reward(self, refused: bool, utility: float, mean: float, view: Any) -> float:
        """The reward of a step.

        Args:
            refused: Whether the learner made an offer in place of accepting one.
            utility: Of the offer that stood before the step.
            mean: Of the last ten offers received before the step.
            view: After the step, a `scml_gym.bilateral.view.VIEW_DTYPE` record.

        Raises:
            InputError: if a part raises or gives no finite number.
        """
        reward = _number(self.offer, utility, mean) if refused else 0.0
        if view["running"]:
            return reward
        agreed = view["agreement"] >= 0
        return reward + (_number(self.accept, float(view["utility"]), mean) if agreed else self.failure_penalty)


def reward_error(part: RewardPart) -> InputError:
    """What is said of a part that gives no number, in every world."""
    return InputError(f"reward {getattr(part, '__name__', part)!r} gives no finite number")


def _number(part: RewardPart, utility: float, mean: float) -> float:
    try:
        number = float(part(utility, mean))
    except Exception as error:
        raise reward_error(part) from error
    if not math.isfinite(number):
        raise reward_error(part)
    return number


def make_reward(accept: str | RewardPart, offer: str | RewardPart, failure_penalty: float) -> BilateralReward:
    """A reward of parts by name, or of one's own functions.

    Raises:
        InputError: if a name is unknown or the penalty is no number of 0 or below.
    """
    penalty = real("failure_penalty", failure_penalty, most=0.0, valid="a number of 0 or below, which is added")
    accept_part = _part("accept_reward", ACCEPT_REWARDS, accept)
    return BilateralReward(accept_part, _part("offer_reward", OFFER_REWARDS, offer), penalty)


def _part(argument: str, registry: Registry, part: str | RewardPart) -> RewardPart:
    if callable(part):
        return part
    try:
        return registry.get(part)
    except InputError as error:
        raise InputError(f"{argument}: {error}", argument) from None
