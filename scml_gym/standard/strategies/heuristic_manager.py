"""The heuristic manager of HRL-XF: goals for buckets of days by their urgency, set once a day, which the planner
carries out.

The nearer a bucket, the more urgent: 1, less a fifth for each one before it. It buys a quarter, weighted by urgency, of
what it lacks of a day's inputs, and sells likewise a quarter of what it can make; early in the world it buys more and
sells less, and late the other way round. As published it sells finished goods, of which scml's factories never have
any, and counts no supplies that are signed, so it would buy the same inputs day after day. Here it sells what stock and
signed supplies can serve by the world's stock rule, and lacks what they do not cover.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.standard.planner import BUCKET_STARTS, BUCKETS, plan_buckets
from scml_gym.standard.rules import spare_inputs
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.market import is_first_level
from scml_gym.standard.strategies.material import sellable, sellable_of_kept_stock
from scml_gym.standard.view import BOOK_DAYS, ActionArray, StandardView

PARAMETERS = {
    "share": 0.25,  # of what is lacking, or can be made, that is traded for a bucket of urgency 1
    "step": 0.2,  # urgency that a bucket loses to the one before it
    "buy_limit": 0.55,  # worst prices at urgency 1, as positions of today's range: 1 is the best, 0 the worst
    "sell_limit": 0.45,
    "part": 0.2,  # of the world that is early, and late
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)
N_BUCKETS = len(BUCKETS)
N_GOALS = 4 * N_BUCKETS
FOR_DAY = N_GOALS
"""State: the goals, and the day after the one that they are for."""


@jittable
def write_goals(view: StandardView, parameters: np.void, goals: np.ndarray) -> None:
    """The goals of a day, float64 ``(12,)``, see `scml_gym.standard.planner.plan_buckets`."""
    makeable, spare = scratch_integers(BOOK_DAYS), scratch_integers(BOOK_DAYS)
    if view["physical"] == 0:
        sellable_of_kept_stock(view, view["supplies"], view["sales"], makeable)
    else:
        spare_inputs(view, view["supplies"], view["sales"], spare)
        sellable(view, view["sales"], spare, makeable)
    lacking, buying, selling = 0, 1.0, 1.0
    if not is_first_level(view):
        lacking = max(0, view["lines"] - view["stock"] - view["supplies"].sum())
    passed = view["day"] / view["n_days"]
    if passed < parameters["part"]:
        buying, selling = 1.5, 0.5
    elif passed >= 1.0 - parameters["part"]:
        buying, selling = 0.5, 2.0
    for bucket in range(N_BUCKETS):
        urgency, bought, sold, can_make = max(0.0, 1.0 - parameters["step"] * bucket), 0, 0, 0
        for ahead in range(BUCKET_STARTS[bucket], BUCKET_STARTS[bucket + 1]):
            bought += view["supplies"][ahead]
            sold += view["sales"][ahead]
            can_make += makeable[ahead]
        share, buy, sell = parameters["share"] * urgency, 2 * bucket, 2 * (N_BUCKETS + bucket)
        goals[buy] = bought + min(float(lacking), buying * share * lacking)
        goals[buy + 1] = parameters["buy_limit"] * urgency
        goals[sell] = sold + min(float(can_make), selling * share * can_make)
        goals[sell + 1] = parameters["sell_limit"] * urgency


@jittable
def decide(view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Set goals at the first decision of a day, and let the planner carry them out."""
    goals = scratch_floats(N_GOALS)
    if state[FOR_DAY] != view["day"] + 1:
        state[FOR_DAY] = view["day"] + 1
        write_goals(view, record_of(params, PARAMETERS_DTYPE, 0), goals)
        for i in range(N_GOALS):
            state[i] = goals[i]
    for i in range(N_GOALS):
        goals[i] = state[i]
    plan_buckets(view, goals, actions)


HEURISTIC_MANAGER = Strategy(
    "heuristic-manager",
    decide,
    PARAMETERS,
    N_GOALS + 1,
    summary="sets goals once a day for buckets of days by their urgency, which the planner carries out",
    n_draws=0,
)
