"""What each negotiation of a factory is paid, as compiled code follows it from decision to decision."""

from __future__ import annotations

import functools

import numpy as np

from scml_gym.game.kernels import RewardKernel
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.rewards.negotiation import (
    NegotiationReward,
    negotiation_reward_accepted,
    negotiation_reward_ended,
)
from scml_gym.oneshot.rewards.negotiation_ends import END_DTYPE, TRACKER_DTYPE, begin_tracked_day, collect_ends
from scml_gym.oneshot.view import MAX_PARTNERS, FactoryView

PARTNER_ENDS_DTYPE = np.dtype(
    [
        ("tracker", TRACKER_DTYPE),
        ("ends", END_DTYPE, (MAX_PARTNERS,)),  # scratch
        ("told", np.int64),  # what follows is of an earlier step
        ("ended", np.int64, (MAX_PARTNERS,)),  # the negotiation with the partner ended
        ("paid", np.float64, (MAX_PARTNERS,)),  # for it
    ],
    align=True,
)


@functools.cache
def partner_ends_kernel(reward: NegotiationReward) -> RewardKernel:
    """The negotiations that ended since the last step and the reward of each, in its record; the step pays 0."""
    params = reward.params

    @jittable
    def forget(state: np.void) -> None:
        state["told"] = 0
        for k in range(MAX_PARTNERS):
            state["ended"][k], state["paid"][k] = 0, 0.0

    @jittable
    def collect(view: FactoryView, day_over: bool, state: np.void) -> None:
        ends = state["ends"]
        for i in range(collect_ends(view, day_over, state["tracker"], ends)):
            end = ends[i]
            k = end["partner"]
            state["ended"][k] = 1
            if end["quantity"] > 0:
                quantity, price, needs, won = end["quantity"], end["price"], end["needs"], end["won"]
                state["paid"][k] = negotiation_reward_accepted(view, params, quantity, price, needs, won)
            else:
                state["paid"][k] = negotiation_reward_ended(view, params, k, end["needs"])

    @jittable
    def reset(view: FactoryView, state: np.void) -> None:
        begin_tracked_day(view, state["tracker"])
        forget(state)

    @jittable
    def day_end(view: FactoryView, profit: float, state: np.void) -> None:
        if state["told"] != 0:
            forget(state)
        collect(view, True, state)

    @jittable
    def step_reward(view: FactoryView, done: bool, state: np.void) -> float:
        if state["told"] != 0:
            forget(state)
        if not done:
            collect(view, False, state)
        state["told"] = 1
        return 0.0

    return RewardKernel(reset, day_end, step_reward, PARTNER_ENDS_DTYPE)
