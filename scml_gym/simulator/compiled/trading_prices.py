"""Trading prices: how they move towards what was paid on a day.

Source: scml/oneshot/world.py, ``SCMLBaseWorld.simulation_step`` and ``start_contract_execution`` (scml 0.8.4).
"""

from __future__ import annotations

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
