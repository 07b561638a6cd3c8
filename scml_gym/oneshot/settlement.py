"""The end of a day: what a factory earns from its contracts, item by item.

The arithmetic is that of scml, operation for operation, so that profits agree to the last bit.

Source: scml/oneshot/ufun.py, ``OneShotUFun.from_offers`` and ``from_aggregates``; scml/oneshot/world.py,
``simulation_step`` (scml 0.8.4).
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import SELLER, FactoryView
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.compiled.scores import best_first
from scml_gym.simulator.compiled.trading_prices import new_market, trade_day

SETTLEMENT_DTYPE = np.dtype(
    [
        ("profit", np.float64),  # revenue - supplies - production - disposal - shortfall
        ("revenue", np.float64),  # paid for what was delivered
        ("supplies", np.float64),  # paid for all inputs
        ("production", np.float64),  # paid for producing
        ("disposal", np.float64),  # penalty for inputs that were not used
        ("shortfall", np.float64),  # penalty for outputs that were not delivered
        ("produced", np.int64),  # items
        ("disposed", np.int64),  # items
        ("missing", np.int64),  # items that were sold and not delivered
        ("bankrupt", np.int64),  # the balance is, or was on an earlier day, negative at the end of the day
    ],
    align=True,
)
"""One factory's day; all amounts in money."""

Settlement = tuple[float, float, float, float, float, float, int, int, int]
"""The fields of ``SETTLEMENT_DTYPE`` without the last one."""


@jittable
def settle_day(
    seller: bool,
    n: int,
    quantities: np.ndarray,
    prices: np.ndarray,
    exogenous_quantity: int,
    exogenous_price: float,
    production_cost: float,
    lines: int,
    balance: float,
    input_price: float,
    output_price: float,
    disposal_cost: float,
    shortfall_penalty: float,
) -> Settlement:
    """What one factory earns on one day: numbers and arrays only, without allocation.

    Cheap supplies are used first and the best paid sales are served first. Where the cash does not suffice for the
    supplies and their production, production is cut, but all supplies are paid.

    Args:
        seller: Whether the exogenous contract is the supply and the negotiated ones are sales, or the reverse.
        n: Number of negotiated contracts.
        quantities: int64 ``(>= n,)``, items of the day's negotiated contracts; sorted in place, best price first.
        prices: float64 ``(>= n,)``, their unit prices; sorted likewise.
        exogenous_quantity: Items of the exogenous contract, 0 for none.
        exogenous_price: Its unit price.
        production_cost: Money per item.
        lines: Items that can be produced.
        balance: Money at the start of the day.
        input_price: Trading price of the input product at the start of the day.
        output_price: Trading price of the output product at the start of the day.
        disposal_cost: The day's, a fraction of the input price.
        shortfall_penalty: The day's, a fraction of the output price.

    Returns:
        Profit, revenue, supplies, production, disposal, shortfall (money), produced, disposed, missing (items).

    Example:
        >>> settle_day(True, 1, np.array([4]), np.array([20.0]), 5, 10.0, 2.0, 10, 500.0, 10.0, 20.0, 0.1, 0.5)[:3]
        (21.0, 80.0, 50.0)
    """
    # scml also adds an empty exogenous contract on the negotiated side; it changes no sum
    best_first(seller, n, quantities, prices)
    bought, paid, usable, broke = 0, 0.0, 0, balance < 0.0
    for i in range(1 if seller else n):
        quantity = exogenous_quantity if seller else quantities[i]
        price = exogenous_price if seller else prices[i]
        to_pay = price * quantity
        if not broke and paid + to_pay + quantity * production_cost > balance:
            usable = bought + int((balance - paid) // (price + production_cost))
            broke = True
        paid += to_pay
        bought += quantity
    if not broke:
        usable = bought
    producible = min(usable, lines)
    sold, revenue, full = 0, 0.0, False
    for i in range(n if seller else 1):
        quantity = quantities[i] if seller else exogenous_quantity
        price = prices[i] if seller else exogenous_price
        if not full:
            delivered = quantity
            if sold + quantity >= producible:
                delivered = producible - sold
                full = True
            revenue += delivered * price
        sold += quantity
    produced = min(bought, lines, min(producible, sold))
    missing, disposed = max(0, sold - produced), max(0, bought - produced)
    shortfall = output_price * (shortfall_penalty * missing)
    disposal = input_price * (disposal_cost * disposed)
    production = production_cost * produced
    profit = revenue - paid - production - disposal - shortfall
    return profit, revenue, paid, production, disposal, shortfall, produced, disposed, missing


@jittable
def settle_view(view: FactoryView, n: int, quantities: np.ndarray, prices: np.ndarray) -> Settlement:
    """`settle_day` for the factory and the day of a view, with ``n`` negotiated contracts."""
    return settle_day(
        view["level"] == SELLER,
        n,
        quantities,
        prices,
        view["exogenous_quantity"],
        view["exogenous_price"],
        view["production_cost"],
        view["lines"],
        view["balance"],
        view["input_price"],
        view["output_price"],
        view["disposal_cost"],
        view["shortfall_penalty"],
    )


def settle_world(spec: WorldSpec, contracts: np.ndarray, trading_prices: np.ndarray) -> np.ndarray:
    """Settle every factory's days of a whole world.

    Args:
        spec: The world's parameters.
        contracts: The negotiated ones, with the fields day, seller, buyer (indices), quantity and price.
        trading_prices: Of the three products at the start of each day, float64, shape ``(3, >= n_days)``.

    Returns:
        ``SETTLEMENT_DTYPE``, shape ``(n_factories, n_days)``.
    """
    table = np.zeros((spec.n_factories, spec.n_days), dtype=SETTLEMENT_DTYPE)
    for factory in range(spec.n_factories):
        level = int(spec.level[factory])
        mine = contracts[contracts["seller" if level == SELLER else "buyer"] == factory]
        total, bankrupt = 0.0, False
        for day in range(spec.n_days):
            today = mine[mine["day"] == day]
            balance = total + float(spec.initial_balance[factory])
            row = settle_day(
                level == SELLER,
                len(today),
                today["quantity"].copy(),
                today["price"].astype(np.float64),
                int(spec.exogenous_quantity[factory, day]),
                float(spec.exogenous_price[factory, day]),
                float(spec.production_cost[factory]),
                int(spec.lines[factory]),
                balance,
                float(trading_prices[level, day]),
                float(trading_prices[level + 1, day]),
                float(spec.disposal_cost[factory, day]),
                float(spec.shortfall_penalty[factory, day]),
            )
            total += row[0]
            bankrupt = bankrupt or total + float(spec.initial_balance[factory]) < 0.0
            table[factory, day] = (*row, bankrupt)
    return table


def trading_prices(spec: WorldSpec, contracts: np.ndarray) -> np.ndarray:
    """Trading prices of the three products at the start of each day, float64, shape ``(3, n_days + 1)``.

    Args:
        spec: The world's parameters.
        contracts: The negotiated ones in order of their conclusion, as `settle_world` takes them.
    """
    market = new_market(spec)
    prices = np.empty((3, spec.n_days + 1))
    prices[:, 0] = market["trading_price"]
    for day in range(spec.n_days):
        trade_day(spec, day, contracts[contracts["day"] == day], market)
        prices[:, day + 1] = market["trading_price"]
    return prices
