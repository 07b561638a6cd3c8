"""N: the rules of PenguinAgent (2024) with the forerunners' inventory manager.

It needs what the manager says: it buys 1.1 times what its plan lacks, and sells what it can make. Its defects are those
of the manager (``mended_stock``), see `scml_gym.standard.strategies.forerunners`, and those of Penguin's rules, see
`scml_gym.standard.strategies.penguin`, where P stands too, which is Penguin's port.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_bits, scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.distribution import stream_of
from scml_gym.standard.strategies.forerunners.manager import (
    PLAN_NUMBERS,
    Books,
    count_stock,
    open_books,
    plan_in,
    write_plan,
)
from scml_gym.standard.strategies.market import BOTH_BOOKS
from scml_gym.standard.strategies.penguin import RULES, trade
from scml_gym.standard.view import BOOK_DAYS, ActionArray, StandardView

PARAMETERS = (
    RULES
    | dict.fromkeys(("mended_third_day", "mended_excess", "mended_price"), 1.0)
    | {
        "order": 1.1,  # of what the plan lacks, so many times as much is bought
        "mended_stock": 1.0,  # 1: the plan is made for the world's stock rule; 0: the public one
    }
)
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)


@jittable
def decide(view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Trade what the inventory manager lacks and can make."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    needs, stream = scratch_floats(BOTH_BOOKS), scratch_bits(1)
    stream_of(draws, stream)
    books = Books(scratch_integers(BOOK_DAYS), scratch_integers(BOOK_DAYS))
    plan = plan_in(scratch_integers(PLAN_NUMBERS))
    open_books(view, books)
    write_plan(view, books, state[0], parameters["mended_stock"] >= 0.5, 0.0, plan)
    for ahead in range(BOOK_DAYS):
        needs[ahead] = int(parameters["order"] * plan.lack[ahead] + 0.5)
        needs[BOOK_DAYS + ahead] = plan.room[ahead]
    trade(view, parameters, False, False, stream, needs, actions)


@jittable
def learn(view: StandardView, state: np.ndarray, params: np.ndarray) -> None:
    """At the end of a day: count the stock as the public manager does."""
    state[0] = count_stock(view, state[0])


N = Strategy(
    "lita-n",
    decide,
    PARAMETERS,
    1,
    learn=learn,
    summary="penguin with what its inventory manager lacks and can make as needs (as LitaAgent-N)",
    n_draws=1,
)
