"""Just in time: sell what there is material for, and buy for the delivery days on which material runs short.

What it has for each of the coming days is its stock and the supplies booked until then, less what is sold until then.
Of that it promises each item once, and no more a day than its lines can make; it counts as if production took inputs
out of stock, so its promises hold under both stock rules. It buys, for the day on which that falls below a buffer, as
many items as are missing then. The buffer lets a factory in the middle begin: it sells from it and buys again for what
it has sold. The last level counts on the mean of the exogenous sales that it has seen.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.standard.allocation import EACH_DAY, add_pending, allocate
from scml_gym.standard.rules import spare_inputs
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.market import BOTH_BOOKS, SALE, SUPPLY, is_first_level
from scml_gym.standard.strategies.material import missing, sellable
from scml_gym.standard.view import BOOK_DAYS, ActionArray, StandardView

PARAMETERS = {
    "buffer": 0.7,  # inputs that should be there beyond what is sold, as a fraction of the lines
    "expected": 0.5,  # fraction of the mean exogenous sales that is counted on for each later day
    "limit": 0.3,  # the worst price, as a position of today's range: 1 is the best, 0 the worst
    "exponent": 2.0,  # concession: prices fall to the limit with relative time to this power
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)

SOLD, DAYS = 0, 1
"""State: exogenous sales of the days so far, and how many days these are."""


@jittable
def decide(view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Work out what can be sold and what is missing for each day, and divide it over the partners."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    spare, wanted = scratch_integers(BOOK_DAYS), scratch_integers(BOTH_BOOKS)
    supplies, sales = scratch_integers(BOOK_DAYS), scratch_integers(BOOK_DAYS)
    limits = scratch_floats(BOTH_BOOKS)
    for i in range(BOTH_BOOKS):
        limits[i] = parameters["limit"]
    for ahead in range(BOOK_DAYS):
        supplies[ahead], sales[ahead] = view["supplies"][ahead], view["sales"][ahead]
    add_pending(view, SALE, sales)
    spare_inputs(view, supplies, sales, spare)
    sellable(view, sales, spare, wanted[BOOK_DAYS:])
    if not is_first_level(view):
        add_pending(view, SUPPLY, supplies)
        spare_inputs(view, supplies, view["sales"], spare)
        mean = (state[SOLD] + view["exogenous_sales"]) / (state[DAYS] + 1.0)
        missing(view, spare, parameters["buffer"] * view["lines"], parameters["expected"] * mean, wanted[:BOOK_DAYS])
    allocate(view, EACH_DAY, wanted, limits, parameters["exponent"], actions)


@jittable
def learn(view: StandardView, state: np.ndarray, params: np.ndarray) -> None:
    """At the end of a day: count its exogenous sales."""
    state[SOLD] += view["exogenous_sales"]
    state[DAYS] += 1.0


JUST_IN_TIME = Strategy(
    "just-in-time",
    decide,
    PARAMETERS,
    state_size=2,
    learn=learn,
    summary="sells what there is material for and buys for the days on which it runs short",
    n_draws=0,
)
