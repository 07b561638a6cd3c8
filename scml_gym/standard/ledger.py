"""The accounts of a whole world of the Standard track, kept a second time from its contracts.

Nothing of `scml_gym.standard.settlement` is used: how many items a factory made is not computed as the simulation does,
but found: it is the number that explains its stock and its profit.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from scml_gym.simulator.conservation import demand
from scml_gym.standard.rules import price_range
from scml_gym.standard.worlds.spec import WorldSpec


def check_played(world: Any, stock: str, horizon: int) -> Counter[str]:
    """Whether the contracts of a played world keep to the rules, and money and goods are what they make of them.

    A contract moves its price from the buyer to the seller, who is paid only for items that it made, while the buyer
    has all of them. All else that a factory pays or gains comes from outside: exogenous contracts, production, storage
    and penalties.

    Args:
        world: A `scml_gym.standard.worlds.protocol.StandardWorld`, played to its end.
        stock: Its stock rule.
        horizon: Days ahead that goods were traded for.

    Returns:
        What was covered: ``worlds``, ``factory-days``, ``contracts``, ``futures``, ``nullified``, ``bankrupt`` and
        ``short of cash`` (days on which a factory could not pay for producing all).

    Raises:
        NotConservedError: if something does not add up.
    """
    spec, contracts = world.spec, world.contracts
    balances = spec.initial_balance[:, None] + np.cumsum(world.profits, axis=1)
    broke = np.where((balances < 0).any(axis=1), (balances < 0).argmax(axis=1), spec.n_days)
    demand(world.bankrupt == (broke < spec.n_days), "who is bankrupt is not who had a negative balance")
    demand(np.isclose(world.scores, balances[:, -1] / spec.initial_balance), "a score is not the balance's")
    _check_contracts(world, contracts, broke, horizon)
    standing = contracts[contracts["nullified"] == 0]
    counts = Counter(worlds=1, contracts=len(contracts), nullified=len(contracts) - len(standing))
    counts["futures"] = int((contracts["delivery"] > contracts["day"]).sum())
    counts["bankrupt"] = int(world.bankrupt.sum())
    mornings = np.hstack([spec.initial_balance[:, None], balances[:, :-1]])
    for day in range(spec.n_days):
        due = standing[standing["delivery"] == day]
        for factory in range(spec.n_factories):
            counts["short of cash"] += _settle(world, due, factory, day, mornings[factory, day], stock == "physical")
    counts["factory-days"] = spec.n_days * spec.n_factories
    return counts


def _check_contracts(world: Any, contracts: np.ndarray, broke: np.ndarray, horizon: int) -> None:
    """Who trades with whom, when, how much and at which price; ``broke``: the day on which a factory went bankrupt."""
    spec = world.spec
    seller, buyer, day, delivery = (contracts[name] for name in ("seller", "buyer", "day", "delivery"))
    demand(spec.level[seller] + 1 == spec.level[buyer], "a contract is not with a neighbour of the chain")
    pairs = np.stack([day, seller, buyer], axis=1)
    demand(len(np.unique(pairs, axis=0)) == len(pairs), "two contracts of a pair on a day")
    demand((delivery >= day) & (delivery - day <= horizon) & (delivery < spec.n_days), "a delivery day out of range")
    quantity, price = contracts["quantity"], contracts["price"]
    demand((quantity >= 1) & (quantity <= 3 * spec.lines.max()), "a quantity out of range")
    trading = world.trading_prices
    demand(np.isfinite(trading) & (trading >= 0), "a trading price that is none")
    ranges = np.array([price_range(float(trading[spec.level[b], d])) for b, d in zip(buyer, day, strict=True)])
    ranges = ranges.reshape(-1, 2)
    demand((ranges[:, 0] <= price) & (price <= ranges[:, 1]), "a price out of range")
    first = np.minimum(broke[seller], broke[buyer])
    demand(day <= first, "a contract of a bankrupt factory")
    demand((contracts["nullified"] == 1) == (delivery > first), "nullified is not what is due after a bankruptcy")


def _settle(world: Any, due: np.ndarray, factory: int, day: int, balance: float, physical: bool) -> bool:
    """Find the items that a factory made on a day; whether it had too little cash to make what it could.

    Args:
        world: With what came of it.
        due: The contracts that are delivered.
        factory: Its index.
        day: That day.
        balance: In the morning.
        physical: Whether production leaves the stock.
    """
    spec, level = world.spec, int(world.spec.level[factory])
    supplies, sales = due[due["buyer"] == factory], due[due["seller"] == factory]
    (given, given_cost), asked = _exogenous(spec, factory, day)
    bought, before, after = int(supplies["quantity"].sum()) + given, *world.stock[factory, day : day + 2].tolist()
    paid = int((supplies["quantity"] * supplies["price"]).sum()) + given_cost
    prices = np.concatenate([np.repeat(sales["price"], sales["quantity"]), asked])
    gains = np.append(0, np.cumsum(np.sort(prices)[::-1]))  # of the best paid items
    most = min(before + bought, int(spec.lines[factory]), len(prices))
    made = np.arange(most + 1)
    left = before + bought - made if physical else before + np.maximum(0, bought - made)
    storage = world.trading_prices[level, day] * spec.storage_cost[factory, day] * (before + bought - made)
    shortfall = world.trading_prices[level + 1, day] * spec.shortfall_penalty[factory, day] * (len(prices) - made)
    costs = paid + spec.production_cost[factory] * made + storage + shortfall
    explained = np.isclose(gains[made] - costs, world.profits[factory, day], rtol=1e-9, atol=1e-6) & (left == after)
    place = f"factory {factory} of level {level} on day {day}"
    demand(explained.any(), f"{place}: no number of items made explains its profit and its stock")
    affordable = paid + spec.production_cost[factory] * (before + bought) <= balance
    demand(explained[most] or not affordable, f"{place}: it made less than it could")
    demand(explained[0] or balance >= 0, f"{place}: it is bankrupt and made something")
    return not explained[most]


def _exogenous(spec: WorldSpec, factory: int, day: int) -> tuple[tuple[int, int], np.ndarray]:
    """Items of a factory's exogenous supply and their cost; the price of each item of its exogenous sale."""
    quantity, price = int(spec.exogenous_quantity[factory, day]), int(spec.exogenous_price[factory, day])
    if spec.level[factory] == 0:
        return (quantity, quantity * price), np.zeros(0, dtype=np.int64)
    return (0, 0), np.full(quantity, price)
