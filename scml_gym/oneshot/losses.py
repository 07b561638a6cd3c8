"""What the days of a OneShot world could have brought at best, and by which cause they brought less."""

from __future__ import annotations

import numpy as np

from scml_gym.oneshot.view import SELLER
from scml_gym.oneshot.worlds.spec import WorldSpec

LOSSES_DTYPE = np.dtype(
    [
        ("ideal_profit", np.float64),  # with all needs traded at the best price, or none where each item costs money
        ("lost_untraded", np.float64),  # by items that were needed and not produced and sold
        ("lost_price", np.float64),  # by prices that were worse than the best one
        ("lost_excess", np.float64),  # by items beyond what was needed: a seller's shortfall; a buyer's price, disposal
    ],
    align=True,
)
"""One factory's day, in money. The ideal profit less the three causes is the profit."""


def losses(spec: WorldSpec, table: np.ndarray, trading_prices: np.ndarray) -> np.ndarray:
    """What every factory's days lost against the best that they could have brought.

    The best is that of `scml_gym.oneshot.rewards.hindsight` for a factory with enough cash.

    Args:
        spec: The world's parameters.
        table: ``SETTLEMENT_DTYPE`` of `scml_gym.oneshot.settlement.settle_world`, shape ``(n_factories, n_days)``.
        trading_prices: Of the three products at the start of each day, float64, shape ``(3, >= n_days)``.

    Returns:
        ``LOSSES_DTYPE``, shape ``(n_factories, n_days)``.
    """
    seller = (spec.level == SELLER)[:, None]
    input_price, output_price = trading_prices[spec.level, : spec.n_days], trading_prices[spec.level + 1, : spec.n_days]
    ceiling = np.maximum(1.0, np.ceil(np.where(seller, output_price, input_price)))
    best_price = np.where(seller, ceiling, np.maximum(1.0, ceiling - 1.0))
    unused, missing = spec.disposal_cost * input_price, spec.shortfall_penalty * output_price  # one item's penalties
    cost, given, exogenous_price = spec.production_cost[:, None], spec.exogenous_quantity, spec.exogenous_price
    margin = np.where(seller, best_price - cost + unused, exogenous_price - best_price - cost + missing)
    items = np.where(margin > 0, np.minimum(spec.lines[:, None], given), 0)
    idle = np.where(seller, -given * (exogenous_price + unused), -given * missing)
    paid_too_much = table["supplies"] - (table["produced"] + table["disposed"]) * best_price
    result = np.empty(table.shape, dtype=LOSSES_DTYPE)
    result["ideal_profit"] = items * margin + idle
    result["lost_untraded"] = (items - table["produced"]) * margin
    result["lost_price"] = np.where(seller, table["produced"] * best_price - table["revenue"], paid_too_much)
    result["lost_excess"] = np.where(seller, table["shortfall"], table["disposed"] * best_price + table["disposal"])
    return result
