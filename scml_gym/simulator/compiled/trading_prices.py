"""Trading prices: how they move towards what was paid on a day.

Source: scml/oneshot/world.py, ``SCMLBaseWorld.simulation_step`` and ``start_contract_execution`` (scml 0.8.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.jit.compile import jittable

DISCOUNT = 0.9
"""Weight of a trading price's past against a day's trade."""

INITIALLY_TRADED = 50.0
"""Items that the catalog prices count for in the first trading prices."""


@jittable
def add_trade(sold: int, mean: float, quantity: int, price: int) -> tuple[int, float]:
    """Quantity and mean price of a product's trade of a day with one more contract, in the order of execution."""
    if quantity == 0:
        return sold, mean
    total = mean * sold if sold > 0 else 0.0
    return sold + quantity, (total + quantity * price) / (sold + quantity)


@jittable
def move_price(world: np.void, product: int, sold: int, mean: float) -> None:
    """Move a product's trading price by its trade of a day.

    Args:
        world: A record with ``trading_price`` and ``traded`` (the discounted quantity that it stands for), an array of
            all products each.
        product: Its index.
        sold: Items traded.
        mean: Their mean price.
    """
    if sold > 0:
        price, weight = world["trading_price"][product], world["traded"][product]
        world["traded"][product] = weight * DISCOUNT + sold
        world["trading_price"][product] = (price * weight * DISCOUNT + mean * sold) / world["traded"][product]


def new_market(spec: Any) -> np.void:
    """The trading prices before the first day, and what they stand for; see `move_price`.

    Args:
        spec: A track's ``WorldSpec``.
    """
    n_products = int(spec.level[-1]) + 2
    market = np.zeros((1,), dtype=[(name, np.float64, (n_products,)) for name in ("trading_price", "traded")])[0]
    market["trading_price"], market["traded"] = spec.catalog_prices[:n_products], INITIALLY_TRADED
    return market


def trade_day(spec: Any, day: int, today: np.ndarray, market: np.void) -> None:
    """Move the trading prices by a day's contracts, in the order of their execution: negotiated, then exogenous.

    Args:
        spec: A track's ``WorldSpec``.
        day: Of delivery.
        today: The negotiated contracts that are delivered: ``buyer``, ``quantity`` and ``price``.
        market: Of `new_market`.
    """
    last = int(spec.level[-1]) + 1
    traded = [(0, 0.0)] * (last + 1)
    for contract in today:
        product = int(spec.level[contract["buyer"]])
        traded[product] = add_trade(*traded[product], int(contract["quantity"]), int(contract["price"]))
    for factory in range(spec.n_factories):
        product = 0 if spec.level[factory] == 0 else last  # factories between have no exogenous contracts
        quantity, price = int(spec.exogenous_quantity[factory, day]), int(spec.exogenous_price[factory, day])
        traded[product] = add_trade(*traded[product], quantity, price)
    for product, (sold, mean) in enumerate(traded):
        move_price(market, product, sold, mean)
