"""The hindsight-optimal profit of a day: what a factory could have earned at most, had it negotiated well."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import borrowed_array
from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.rules import needs_of
from scml_gym.oneshot.settlement import settle_view
from scml_gym.oneshot.view import SELLER, FactoryView


@jittable
def hindsight_profit(view: FactoryView) -> float:
    """The best profit that a day could bring this factory, in money.

    All of the day's needs are traded at the good price of its range (the highest for a seller, the lowest for a buyer),
    or as many items of them as pay most; production, disposal, shortfall and the limit of the cash are settled as the
    world settles them (`scml_gym.oneshot.settlement.settle_day`). The limit of the cash counts contract by contract and
    is kindest to contracts of one item, so these are assumed: then no set of agreements whatever earns more.

    It depends only on what a view holds from the start of the day on (the exogenous contract, costs, prices, ranges and
    the balance), not on what was offered or agreed.

    Source of the day's profit: scml/oneshot/ufun.py, ``OneShotUFun.from_aggregates`` (scml 0.8.4).
    """
    seller = view["level"] == SELLER
    needs = max(0, needs_of(view["lines"], view["exogenous_quantity"], 0))
    quantities = np.ones(needs, dtype=np.int64)
    prices = np.empty(needs, dtype=np.float64)
    for i in range(needs):
        prices[i] = view["max_price"] if seller else view["min_price"]
    best = -np.inf
    for n in range(needs + 1):
        best = max(best, settle_view(view, n, borrowed_array(quantities), borrowed_array(prices))[0])
    return best


compiled_hindsight_profit = compiled(hindsight_profit)
"""The same, as quickly as the installation allows."""
