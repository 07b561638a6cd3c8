"""What two generators of OneShot worlds are compared by; see `scml_gym.simulator.two_samples`."""

from __future__ import annotations

import numpy as np

from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.world_statistics import (
    correlation,
    penalty_statistics,
    price_statistics,
    quantity_statistics,
)

PAIRS = (
    ("sellers", "buyers"),
    ("days", "sellers"),
    ("supply: mean of a line", "sales: mean of a line"),
    ("supply: change from day to day", "sales: change from day to day"),
    ("supply: spread of factories", "sales: spread of factories"),
    ("supply: price deviation", "sales: price deviation"),
    ("seller: greatest cost", "catalog price 1"),
    ("buyer: greatest cost", "catalog price 2"),
    ("seller: greatest cost", "buyer: greatest cost"),
    ("catalog price 1", "catalog price 2"),
    ("sales: mean price", "catalog price 2"),
    ("days", "seller: balance"),
    ("sellers", "seller: balance a day"),
    ("seller: greatest cost", "seller: balance a day"),
    ("buyers", "buyer: balance a day"),
    ("buyer: greatest cost", "buyer: balance a day"),
    ("seller: cash", "buyer: cash"),
    ("seller: cash", "supply: price deviation"),
    ("shortfall: mean of the first", "disposal: mean of the first"),
    ("shortfall: mean of the first", "seller: cost of the first"),
    ("shortfall: deviation of the first", "disposal: deviation of the first"),
)


def world_statistics(spec: WorldSpec) -> dict[str, float]:
    """One number for each name; NaN where a world is too small for one."""
    n, days = spec.n_sellers, spec.n_days
    numbers: dict[str, float] = {
        "days": days,
        "sellers": n,
        "buyers": spec.n_buyers,
        "rounds": spec.rounds,
        "lines: least": spec.lines.min(),
        "lines: greatest": spec.lines.max(),
        "catalog price 0": spec.catalog_prices[0],
        "catalog price 1": spec.catalog_prices[1],
        "catalog price 2": spec.catalog_prices[2],
        "catalog price 2 minus 1": spec.catalog_prices[2] - spec.catalog_prices[1],
    }
    for name, members in (("seller", slice(0, n)), ("buyer", slice(n, None))):
        cost, balance = spec.production_cost[members], spec.initial_balance[members]
        numbers[f"{name}: cost of the first"] = cost[0]
        numbers[f"{name}: greatest cost"] = cost.max()
        numbers[f"{name}: mean cost"] = cost.mean()
        numbers[f"{name}: balance"] = balance[0]
        numbers[f"{name}: balance a day"] = balance[0] / days
        numbers[f"{name}: balances differ"] = np.ptp(balance)
    quantity, price = spec.exogenous_quantity, spec.exogenous_price
    totals = {}
    for name, members in (("supply", slice(0, n)), ("sales", slice(n, None))):
        q, p = quantity[members], price[members]
        totals[name] = q.sum(axis=0)
        numbers |= {f"{name}: {key}": value for key, value in quantity_statistics(q).items()}
        numbers |= {f"{name}: {key}": value for key, value in price_statistics(q, p).items()}
    supplied, sold = totals["supply"], totals["sales"]
    numbers["days with more sales than supplies"] = float(np.mean(sold > supplied))
    numbers["sales to supplies"] = sold.sum() / supplied.sum()
    numbers["supplies with sales, correlation"] = correlation(supplied, sold)
    numbers["mean sales price to catalog price 2"] = numbers["sales: mean price"] / spec.catalog_prices[2]
    numbers["price without contract, or the reverse"] = int(np.sum((quantity > 0) != (price > 0)))
    inputs = supplied.sum() * (10 + spec.production_cost[:n].max())
    numbers["seller: cash"] = spec.initial_balance[0] * n / inputs
    inputs = supplied.sum() * (spec.catalog_prices[1] + spec.production_cost[n:].max())
    numbers["buyer: cash"] = spec.initial_balance[n] * spec.n_buyers / inputs
    numbers |= _penalties(spec)
    return {name: float(value) for name, value in numbers.items()}


def _penalties(spec: WorldSpec) -> dict[str, float]:
    numbers: dict[str, float] = {}
    deviates = []
    for i, (name, values) in enumerate((("shortfall", spec.shortfall_penalty), ("disposal", spec.disposal_cost))):
        mean, deviation = spec.penalty_profile[:, 2 * i], spec.penalty_profile[:, 2 * i + 1]
        found, z = penalty_statistics(name, values, mean, deviation)
        numbers |= found
        deviates.append(z)
    numbers["shortfall with disposal, correlation"] = correlation(deviates[0].ravel(), deviates[1].ravel())
    return numbers
