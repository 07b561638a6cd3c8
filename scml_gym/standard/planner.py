"""The planner: from what is to be bought and sold by groups of days, and at which prices, to an answer for everyone.

Its goals are few numbers, so that a learner may decide them once a day, and a decision of the day's negotiations is a
pure function of the view and of them. A goal says what should be in the books by the evening, so what was agreed for
these days earlier counts, and to repeat a decision changes nothing. Exogenous contracts and stock are not in the books.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.standard.allocation import EACH_DAY, add_pending, allocate
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.market import BOTH_BOOKS, SALE
from scml_gym.standard.view import BOOK_DAYS, ActionArray, StandardView

GROUPS = {"today": (0, 0), "soon": (1, 3), "later": (4, 6), "far": (7, 10)}
"""Groups of delivery days: the first and the last of each, by days from today."""

BUCKETS = {"0_to_2": (0, 2), "3_to_7": (3, 7), "8_to_10": (8, 10)}
"""Buckets of days of the HRL-XF manager; its fourth one, of the days from 15 on, is beyond what may be traded for."""

SIDES = ("buy", "sell")
STARTS = np.array([first for first, _ in GROUPS.values()] + [BOOK_DAYS])
BUCKET_STARTS = np.array([first for first, _ in BUCKETS.values()] + [BOOK_DAYS])
N_GROUPS = len(GROUPS)
N_SLOTS = len(SIDES) * N_GROUPS

GOALS = {
    "buy_today": 7.0,  # items that should be bought by the evening for delivery today
    "buy_today_limit": 0.0,  # the worst price of these: its position in today's range, 0 the worst, 1 the best
    "buy_soon": 7.0,  # likewise for 1 to 3 days from today, all of them together
    "buy_soon_limit": 0.25,
    "buy_later": 0.0,  # 4 to 6 days
    "buy_later_limit": 0.5,
    "buy_far": 0.0,  # 7 to 10 days
    "buy_far_limit": 0.5,
    "sell_today": 7.0,  # items that should be sold, likewise
    "sell_today_limit": 0.0,
    "sell_soon": 7.0,
    "sell_soon_limit": 0.25,
    "sell_later": 0.0,
    "sell_later_limit": 0.5,
    "sell_far": 0.0,
    "sell_far_limit": 0.5,
}
"""The goals of a day, and those of the strategy ``planner`` where it is given no others."""

N_GOALS = len(GOALS)

CONCESSION = 2.0
"""Prices asked for fall from the best one to the limit with relative time to this power."""


@jittable
def plan_groups(view: StandardView, starts: np.ndarray, goals: np.ndarray, actions: ActionArray) -> None:
    """Answer every partner whose turn it is, by goals for any groups of days.

    Args:
        view: What the factory sees.
        starts: int64 ``(n_groups + 1,)``, see `scml_gym.standard.allocation.allocate`.
        goals: float64 ``(4 * n_groups,)``: for buying, then for selling, for each group the items that should be in the
            books by the evening, and their worst price; quantities are rounded, what is not above 0 is not wanted.
        actions: Come as no-ops; valid afterwards.
    """
    n_groups = len(starts) - 1
    wanted, limits = scratch_integers(BOTH_BOOKS), scratch_floats(BOTH_BOOKS)
    booked = scratch_integers(BOOK_DAYS)
    for side in range(2):
        for ahead in range(BOOK_DAYS):
            booked[ahead] = view["sales"][ahead] if side == SALE else view["supplies"][ahead]
        add_pending(view, side, booked)
        for group in range(n_groups):
            slot = side * n_groups + group
            wanted[slot] = int(max(goals[2 * slot], 0.0) + 0.5)
            limits[slot] = min(max(goals[2 * slot + 1], 0.0), 1.0)
            for ahead in range(starts[group], starts[group + 1]):
                wanted[slot] -= booked[ahead]
    allocate(view, starts, wanted, limits, CONCESSION, actions)


@jittable
def plan(view: StandardView, goals: np.ndarray, actions: ActionArray) -> None:
    """`plan_groups` with `GROUPS`: goals are float64 ``(N_GOALS,)``, see `GOALS`."""
    plan_groups(view, STARTS, goals, actions)


@jittable
def plan_days(view: StandardView, goals: np.ndarray, actions: ActionArray) -> None:
    """`plan_groups` with each day by itself: goals are float64 ``(44,)``."""
    plan_groups(view, EACH_DAY, goals, actions)


@jittable
def plan_buckets(view: StandardView, goals: np.ndarray, actions: ActionArray) -> None:
    """`plan_groups` with `BUCKETS`: goals are float64 ``(12,)``."""
    plan_groups(view, BUCKET_STARTS, goals, actions)


@jittable
def decide(view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """`plan` with the parameters as goals, the same on every day."""
    plan(view, params, actions)


PLANNER = Strategy(
    "planner",
    decide,
    GOALS,
    summary="keeps so many items bought and sold in its books by groups of days, within limits of price",
    n_draws=0,
)
