"""The end of a day: what a factory of the Standard track earns from its contracts and its stock, item by item.

The arithmetic is that of scml, operation for operation, so that profits agree to the last bit.

Source: scml/oneshot/ufun.py, ``OneShotUFun.from_offers`` and ``from_aggregates``; scml/oneshot/world.py,
``simulation_step`` (scml 0.8.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.simulator.compiled.scores import best_first
from scml_gym.simulator.compiled.trading_prices import new_market, trade_day
from scml_gym.standard.rules import stock_after, stock_rule
from scml_gym.standard.view import StandardView
from scml_gym.standard.worlds.spec import WorldSpec

SETTLEMENT_DTYPE = np.dtype(
    [
        ("profit", np.float64),  # revenue - supplies - production - storage - shortfall
        ("revenue", np.float64),  # paid for what was delivered
        ("supplies", np.float64),  # paid for all inputs
        ("production", np.float64),  # paid for producing
        ("storage", np.float64),  # for inputs that were not used, those in stock included
        ("shortfall", np.float64),  # penalty for outputs that were not delivered
        ("produced", np.int64),  # items
        ("stored", np.int64),  # inputs that were not used
        ("missing", np.int64),  # items that were sold and not delivered
    ],
    align=True,
)
"""One factory's day; all amounts in money."""

Settlement = tuple[float, float, float, float, float, float, int, int, int]
"""The fields of ``SETTLEMENT_DTYPE``."""


@jittable
def settle_day(
    n_supplies: int,
    supplies: np.ndarray,
    supply_prices: np.ndarray,
    n_sales: int,
    sales: np.ndarray,
    sale_prices: np.ndarray,
    exogenous_supply: int,
    exogenous_supply_price: float,
    exogenous_sales: int,
    exogenous_sales_price: float,
    stock: int,
    production_cost: float,
    lines: int,
    balance: float,
    input_price: float,
    output_price: float,
    storage_cost: float,
    shortfall_penalty: float,
) -> Settlement:
    """What one factory earns on one day: numbers and arrays only, without allocation.

    Stock counts as one more supply, together with the exogenous one: so it comes at a price of 0 where there is no
    exogenous supply, and makes that cheaper where there is one. Cheap supplies are used first and the best paid sales
    are served first. Where the cash does not suffice for the supplies and their production, production is cut, but
    all supplies are paid. An item that is sold and cannot be made costs the shortfall penalty, and the buyer has it
    all the same.

    Args:
        n_supplies: Number of negotiated supplies that are delivered today.
        supplies: int64 ``(> n_supplies,)``, their items; sorted in place, with one more that stands for stock.
        supply_prices: float64 ``(> n_supplies,)``, their unit prices; sorted likewise.
        n_sales: Number of negotiated sales that are delivered today.
        sales: int64 ``(> n_sales,)``, their items; sorted likewise.
        sale_prices: float64 ``(> n_sales,)``, their unit prices; sorted likewise.
        exogenous_supply: Items of the exogenous supply, 0 for none.
        exogenous_supply_price: Its unit price.
        exogenous_sales: Items of the exogenous sale, 0 for none.
        exogenous_sales_price: Its unit price.
        stock: Inputs in stock in the morning.
        production_cost: Money per item.
        lines: Items that can be produced.
        balance: Money at the start of the day.
        input_price: Trading price of the input product at the start of the day.
        output_price: Trading price of the output product at the start of the day.
        storage_cost: The day's, a fraction of the input price.
        shortfall_penalty: The day's, a fraction of the output price.

    Returns:
        Profit, revenue, supplies, production, storage, shortfall (money), produced, stored, missing (items).
    """
    _append(supplies, supply_prices, n_supplies, exogenous_supply + stock, exogenous_supply * exogenous_supply_price)
    _append(sales, sale_prices, n_sales, exogenous_sales, exogenous_sales * exogenous_sales_price)
    best_first(False, n_supplies + 1, supplies, supply_prices)
    best_first(True, n_sales + 1, sales, sale_prices)
    bought, paid, usable, broke = 0, 0.0, 0, balance < 0.0
    for i in range(n_supplies + 1):
        quantity, price = supplies[i], supply_prices[i]
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
    for i in range(n_sales + 1):
        quantity, price = sales[i], sale_prices[i]
        if not full:
            delivered = quantity
            if sold + quantity >= producible:
                delivered = producible - sold
                full = True
            revenue += delivered * price
        sold += quantity
    produced = min(bought, lines, min(producible, sold))
    missing, stored = max(0, sold - produced), max(0, bought - produced)
    shortfall = output_price * (shortfall_penalty * missing)
    storage = input_price * (storage_cost * stored)
    production = production_cost * produced
    profit = revenue - paid - production - storage - shortfall
    return profit, revenue, paid, production, storage, shortfall, produced, stored, missing


@jittable
def _append(quantities: np.ndarray, prices: np.ndarray, n: int, quantity: int, total: float) -> None:
    """One more contract of so many items for so much money in all; among equal prices it comes last."""
    quantities[n] = quantity
    prices[n] = total / quantity if quantity > 0 else 0.0


@jittable
def settle_view(
    view: StandardView,
    n_supplies: int,
    supplies: np.ndarray,
    supply_prices: np.ndarray,
    n_sales: int,
    sales: np.ndarray,
    sale_prices: np.ndarray,
) -> Settlement:
    """`settle_day` for the factory and the day of a view, with the negotiated contracts that are delivered today."""
    return settle_day(
        n_supplies,
        supplies,
        supply_prices,
        n_sales,
        sales,
        sale_prices,
        view["exogenous_supply"],
        view["exogenous_supply_price"],
        view["exogenous_sales"],
        view["exogenous_sales_price"],
        view["stock"],
        view["production_cost"],
        view["lines"],
        view["balance"],
        view["input_price"],
        view["output_price"],
        view["storage_cost"],
        view["shortfall_penalty"],
    )


@dataclass(frozen=True)
class WorldSettlement:
    """What became of a whole world.

    Attributes:
        table: Every factory's days, ``SETTLEMENT_DTYPE``, shape ``(n_factories, n_days)``.
        stock: Inputs in stock at the start of each day, int64, shape ``(n_factories, n_days + 1)``.
        trading_prices: At the start of each day, float64, shape ``(n_levels + 1, n_days + 1)``.
        bankrupt: Whether a factory was bankrupt at the end of each day, bool, shape ``(n_factories, n_days)``.
        nullified: Which contracts were not delivered because a party went bankrupt first, bool, shape
            ``(n_contracts,)``.
    """

    table: np.ndarray
    stock: np.ndarray
    trading_prices: np.ndarray
    bankrupt: np.ndarray
    nullified: np.ndarray


def settle_world(spec: WorldSpec, contracts: np.ndarray, stock: str = "league") -> WorldSettlement:
    """Settle every factory's days of a whole world, from its contracts alone.

    Args:
        spec: The world's parameters.
        contracts: The negotiated ones in order of their conclusion, with the fields delivery (day), seller, buyer
            (indices), quantity and price.
        stock: The stock rule, see `scml_gym.standard.rules.stock_after`.

    Raises:
        InputError: if there is no such stock rule.
    """
    physical, n, days = stock_rule(stock), spec.n_factories, spec.n_days
    table = np.zeros((n, days), dtype=SETTLEMENT_DTYPE)
    stocks = np.zeros((n, days + 1), dtype=np.int64)
    bankrupt = np.zeros((n, days), dtype=np.bool_)
    nullified = np.zeros(len(contracts), dtype=np.bool_)
    market = new_market(spec)
    prices = np.empty((spec.n_levels + 1, days + 1))
    prices[:, 0] = market["trading_price"]
    totals, broke = [0.0] * n, np.zeros(n, dtype=np.bool_)
    for day in range(days):
        due = contracts["delivery"] == day
        nullified |= due & (broke[contracts["seller"]] | broke[contracts["buyer"]])
        today = contracts[due & ~nullified]
        for factory in range(n):
            row = _settle(spec, factory, day, today, int(stocks[factory, day]), totals[factory], prices[:, day])
            table[factory, day] = row
            produced = row[6]
            bought = int(today["quantity"][today["buyer"] == factory].sum()) + _exogenous(spec, factory, day)[0]
            stocks[factory, day + 1] = stock_after(physical, int(stocks[factory, day]), bought, produced)
            totals[factory] += row[0]
            broke[factory] |= totals[factory] + float(spec.initial_balance[factory]) < 0.0
        bankrupt[:, day] = broke
        trade_day(spec, day, today, market)
        prices[:, day + 1] = market["trading_price"]
    return WorldSettlement(table, stocks, prices, bankrupt, nullified)


def _exogenous(spec: WorldSpec, factory: int, day: int) -> tuple[int, float, int, float]:
    """Items and unit price of a factory's exogenous supply, and of its exogenous sale."""
    quantity = int(spec.exogenous_quantity[factory, day])
    price = float(spec.exogenous_price[factory, day]) if quantity else 0.0
    level = spec.level[factory]
    return (quantity, price, 0, 0.0) if level == 0 else (0, 0.0, quantity, price)


def _settle(
    spec: WorldSpec, factory: int, day: int, today: np.ndarray, stock: int, total: float, prices: np.ndarray
) -> Settlement:
    """`settle_day` for a factory, with the contracts that are delivered today and the prices of the morning."""
    supplies, sales = today[today["buyer"] == factory], today[today["seller"] == factory]
    level = spec.level[factory]
    return settle_day(
        len(supplies),
        np.append(supplies["quantity"], 0),
        np.append(supplies["price"].astype(np.float64), 0.0),
        len(sales),
        np.append(sales["quantity"], 0),
        np.append(sales["price"].astype(np.float64), 0.0),
        *_exogenous(spec, factory, day),
        stock,
        float(spec.production_cost[factory]),
        int(spec.lines[factory]),
        total + float(spec.initial_balance[factory]),
        float(prices[level]),
        float(prices[level + 1]),
        float(spec.storage_cost[factory, day]),
        float(spec.shortfall_penalty[factory, day]),
    )
