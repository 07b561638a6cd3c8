"""What two generators of Standard worlds are compared by; see `scml_gym.simulator.two_samples`."""

from __future__ import annotations

import numpy as np

from scml_gym.simulator.world_statistics import (
    correlation,
    penalty_statistics,
    price_statistics,
    quantity_statistics,
)
from scml_gym.standard.view import MAX_LEVELS
from scml_gym.standard.worlds.spec import WorldSpec

PAIRS = (
    ("levels", "level 0: factories"),
    ("days", "levels"),
    ("level 0: factories", "level 1: factories"),
    ("level 0: factories", "last level: factories"),
    ("supply: mean of a line", "sales: mean of a line"),
    ("supply: change from day to day", "sales: change from day to day"),
    ("supply: spread of factories", "sales: spread of factories"),
    ("supply: spread of factories", "supply: change from day to day"),
    ("supply: price deviation", "sales: price deviation"),
    ("level 0: greatest cost", "catalog price 1"),
    ("level 1: greatest cost", "catalog price 2"),
    ("level 0: greatest cost", "level 1: greatest cost"),
    ("catalog price 1", "catalog price 2"),
    ("catalog price 2", "catalog price 3"),
    ("levels", "last catalog price"),
    ("sales: mean price", "last catalog price"),
    ("days", "level 0: balance"),
    ("level 0: factories", "level 0: balance a day"),
    ("level 0: greatest cost", "level 0: balance a day"),
    ("last level: factories", "last level: balance a day"),
    ("level 0: cash", "level 1: cash"),
    ("level 0: cash", "supply: price deviation"),
    ("level 0: cash", "sales to supplies"),
    ("shortfall: mean of the first", "storage: of the first"),
    ("shortfall: mean of the first", "level 0: cost of the first"),
    ("storage: of the first", "storage: of the last"),
)


def world_statistics(spec: WorldSpec) -> dict[str, float]:
    """One number for each name; NaN where a world has none."""
    levels, days, sizes = spec.n_levels, spec.n_days, spec.level_sizes
    numbers: dict[str, float] = {
        "days": days,
        "levels": levels,
        "factories": spec.n_factories,
        "rounds": spec.rounds,
        "lines: least": spec.lines.min(),
        "lines: greatest": spec.lines.max(),
        "last catalog price": spec.catalog_prices[levels],
        "last level: factories": sizes[-1],
        "greatest level": max(sizes),
    }
    for product, price in enumerate(spec.catalog_prices):
        numbers[f"catalog price {product}"] = price if product <= levels else np.nan
    numbers["last catalog price: gain"] = spec.catalog_prices[levels] - spec.catalog_prices[levels - 1]
    quantity, price = spec.exogenous_quantity, spec.exogenous_price
    supplied, sold = quantity[spec.level == 0].sum(axis=0), quantity[spec.level == levels - 1].sum(axis=0)
    for level in range(MAX_LEVELS):
        numbers |= {f"level {level}: {key}": value for key, value in _level(spec, level, supplied.sum()).items()}
    numbers["last level: balance a day"] = spec.initial_balance[-1] / days
    for name, members in (("supply", spec.level == 0), ("sales", spec.level == levels - 1)):
        q, p = quantity[members], price[members]
        numbers |= {f"{name}: {key}": value for key, value in quantity_statistics(q).items()}
        numbers |= {f"{name}: {key}": value for key, value in price_statistics(q, p).items()}
        numbers[f"{name}: greatest of a factory"] = q.max()
        numbers[f"{name}: days above the lines"] = float(np.mean(q > 10))
    numbers["days with more sales than supplies"] = float(np.mean(sold > supplied))
    numbers["sales to supplies"] = sold.sum() / supplied.sum()
    numbers["supplies with sales, correlation"] = correlation(supplied, sold)
    numbers["mean sales price to last catalog price"] = numbers["sales: mean price"] / spec.catalog_prices[levels]
    numbers["price without contract, or the reverse"] = int(np.sum((quantity > 0) != (price > 0)))
    profile = spec.penalty_profile
    numbers |= penalty_statistics("shortfall", spec.shortfall_penalty, profile[:, 0], profile[:, 1])[0]
    numbers["storage: of the first"] = spec.storage_cost[0, 0]
    numbers["storage: of the last"] = spec.storage_cost[-1, -1]
    numbers["storage: mean of all"] = profile[:, 2].mean()
    numbers["storage: deviation of all"] = profile[:, 2].std()
    numbers["storage: greatest deviation"] = profile[:, 3].max()
    numbers["storage: greatest difference from the mean"] = np.abs(spec.storage_cost - profile[:, 2:3]).max()
    return {name: float(value) for name, value in numbers.items()}


def _level(spec: WorldSpec, level: int, supplied: int) -> dict[str, float]:
    """Of one level, with as many items supplied to the world."""
    names = ("factories", "cost of the first", "greatest cost", "mean cost")
    names += ("balance", "balance a day", "balances differ", "cash")
    if level >= spec.n_levels:
        return dict.fromkeys(names, np.nan)
    members = spec.level == level
    cost, balance = spec.production_cost[members], spec.initial_balance[members]
    spent = supplied * (spec.catalog_prices[level] + cost.max()) / len(cost)
    numbers = (len(cost), cost[0], cost.max(), cost.mean())
    numbers += (balance[0], balance[0] / spec.n_days, np.ptp(balance), balance[0] / spent)
    return dict(zip(names, numbers, strict=True))
