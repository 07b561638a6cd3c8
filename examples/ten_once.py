"""A strategy of the Standard track that knows the league's stock rule: it fills its stock once and then only sells.

In the league nothing ever leaves a stock (``stock="league"``), so as many inputs as a factory has lines feed them for
ever. By ``stock="physical"`` the same strategy sells what it does not have. docs/standard.md plays it under both rules,
and benchmarks/standard_strategies.py measures it as ``examples.ten_once:TEN_ONCE``. The registered ``ten-once``, which
others are measured by, is the same idea with traits that can be changed.
"""

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.standard.allocation import EACH_DAY, add_pending, allocate
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.market import BOTH_BOOKS, SALE, days_ahead, is_first_level
from scml_gym.standard.view import BOOK_DAYS


def decide(view, state, params, draws, actions):
    """Buy today until the stock suffices for a day's production; sell on each day what a day can make of it."""
    wanted, limits = scratch_integers(BOTH_BOOKS), scratch_floats(BOTH_BOOKS)
    lines, stock = view["lines"], view["stock"]
    if not is_first_level(view) and stock < lines:
        used = min(lines, view["sales"][0] + view["exogenous_sales"])  # what is made of today's items is not stored
        wanted[0] = lines + used - stock - view["supplies"][0]
    sales = wanted[BOOK_DAYS:]
    add_pending(view, SALE, sales)
    for ahead in range(days_ahead(view) + 1):
        inputs, sold = stock, view["sales"][ahead] + sales[ahead]
        if ahead == 0:
            inputs, sold = inputs + view["exogenous_supply"] + view["supplies"][0], sold + view["exogenous_sales"]
        sales[ahead] = min(lines, inputs) - sold
    allocate(view, EACH_DAY, wanted, limits, 2.0, actions)


TEN_ONCE = Strategy("ten-once", decide, n_draws=0, summary="fills its stock once, and sells from it for ever")
