"""The utility of what is traded in a day: its profit, computed from the view, as scml's utility function does.

Plain arithmetic on numbers, without a list of contracts: sums of items and money are enough, as long as no more is
traded than the exogenous contract asks for. Beyond that, and where the cash runs out, the contracts that are left out
count at the average price.

Source: scml/oneshot/ufun.py, ``OneShotUFun.from_offers`` and ``find_limit``.
"""

from __future__ import annotations

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.strategies.market import price_at
from scml_gym.oneshot.view import SELLER, FactoryView


@jittable
def day_profit(view: FactoryView, quantity: int, money: float) -> float:
    """Today's profit if so many items are traded in negotiations, for so much money in all.

    Exact for one price, and for several ones where nothing is left over and the cash suffices.
    """
    exogenous = view["exogenous_quantity"]
    value = exogenous * view["exogenous_price"]
    if view["level"] == SELLER:
        bought, paid, sold, revenue = exogenous, value, quantity, money
    else:
        bought, paid, sold, revenue = quantity, money, exogenous, value
    cost, balance = view["production_cost"], view["balance"]
    usable = bought
    if paid + bought * cost > balance:
        usable = 0
        if balance > 0.0:
            usable = int(balance // (paid / bought + cost))
    produced = min(usable, view["lines"], sold)
    income = revenue * produced / sold if sold > 0 else 0.0
    disposal = view["input_price"] * view["disposal_cost"] * (bought - produced)
    shortfall = view["output_price"] * view["shortfall_penalty"] * (sold - produced)
    return income - paid - cost * produced - disposal - shortfall


@jittable
def best_profit(view: FactoryView) -> float:
    """The most that today can bring: any quantity up to the exogenous one, at the good price."""
    price = price_at(view, 1.0)
    best = day_profit(view, 0, 0.0)
    for quantity in range(1, view["exogenous_quantity"] + 1):
        best = max(best, day_profit(view, quantity, float(quantity * price)))
    return best


@jittable
def worst_profit(view: FactoryView) -> float:
    """The least that today can bring: nothing, or the largest quantity with everyone, at the bad price."""
    most = view["n_partners"] * view["max_quantity"]
    return min(day_profit(view, 0, 0.0), day_profit(view, most, float(most * price_at(view, 0.0))))
