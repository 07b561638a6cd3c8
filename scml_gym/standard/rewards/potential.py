"""What a factory's stock and contracts are worth: a potential, by which a reward can be shaped.

Its profit of a day says nothing of the goods that it has bought for later days, and everything of their price on the
day on which it is paid. The potential values goods and contracts while they wait, and holds no cash, so what it counts
is counted once more, with the opposite sign, when profit brings it.
"""

from __future__ import annotations

from scml_gym.jit.compile import jittable
from scml_gym.standard.view import BOOK_DAYS, StandardView


@jittable
def position_value(view: StandardView) -> float:
    """The value of stock and signed contracts with their goods, as a fraction of the initial balance.

    Contracts are those in the books, and today's exogenous ones. What is sold brings its price less production as far
    as there are inputs for it, else the shortfall penalty; what is bought costs its price; inputs that nothing is sold
    of are worth their trading price, as far as the lines can still use them.
    """
    bought, sold = view["stock"] + view["exogenous_supply"], view["exogenous_sales"]
    cost = view["exogenous_supply"] * view["exogenous_supply_price"]
    revenue = view["exogenous_sales"] * view["exogenous_sales_price"]
    for ahead in range(BOOK_DAYS):
        bought += view["supplies"][ahead]
        sold += view["sales"][ahead]
        cost += view["supplies_cost"][ahead]
        revenue += view["sales_revenue"][ahead]
    served = min(bought, sold)
    usable = min(bought - served, max(0, view["lines"] * (view["n_days"] - view["day"]) - served))
    value = usable * view["input_price"] - cost - view["production_cost"] * served
    if sold > 0:
        value += revenue * (served / sold)
        value -= view["shortfall_penalty"] * view["output_price"] * (sold - served)
    return value / view["initial_balance"]
