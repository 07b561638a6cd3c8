"""A day in compiled form: what it begins with, and how it is settled.

As scml/oneshot/world.py ``simulation_step`` (stage 0 and 1) and ``start_contract_execution`` (scml 0.8.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.simulator.compiled.advance import Days
from scml_gym.simulator.compiled.layout import NEGOTIATING, NEW_DAY
from scml_gym.simulator.compiled.players import let_players_learn
from scml_gym.simulator.compiled.trading_prices import INITIALLY_TRADED, add_trade, move_price
from scml_gym.standard.rules import QUANTITY_MULTIPLIER, price_range, roll_books, stock_after
from scml_gym.standard.settlement import settle_view
from scml_gym.standard.view import BOOK_DAYS, MAX_PARTNERS
from scml_gym.standard.worlds.compiled.futures import clear_futures, drop_futures, nullify_futures
from scml_gym.standard.worlds.compiled.layout import MAX_DELIVERIES, MAX_PRODUCTS, NO_FUTURE, World
from scml_gym.standard.worlds.compiled.negotiation import NEGOTIATIONS, clear_partner, make_negotiations

_ROOM = MAX_DELIVERIES + 1
"""For a factory's deliveries on one side, and one more that stands for exogenous ones and stock."""

_open_negotiations = NEGOTIATIONS.open_day


@jittable
def begin_world(world: World, prices: np.ndarray) -> None:
    """Before the first day: trading prices, who negotiates with whom, and the part of each view that stays as it is."""
    spec = world["spec"]
    n_levels = spec["n_levels"]
    world["day"] = world["n_contracts"] = world["n_concluded"] = world["passes"] = 0
    world["phase"] = NEW_DAY
    world["n_factories"] = spec["n_factories"]
    for product in range(MAX_PRODUCTS):
        world["trading_price"][product] = prices[0][product] = spec["catalog_prices"][product]
        world["traded"][product] = INITIALLY_TRADED
    clear_futures(world)
    first = 0
    for level in range(n_levels):
        world["first_factory"][level] = first
        for factory in range(first, first + spec["sizes"][level]):
            _begin_factory(world, level, factory)
        first += spec["sizes"][level]
    make_negotiations(world)


@jittable
def _begin_factory(world: World, level: int, factory: int) -> None:
    spec, player, view = world["spec"], world["players"][factory], world["views"][factory]
    world["pending"][factory] = world["stock"][factory] = 0
    player["agreements"] = player["negotiations"] = player["decisions"] = player["invalid"] = player["bankrupt"] = 0
    player["total_profit"] = 0.0
    view["n_days"], view["n_levels"] = spec["n_days"], spec["n_levels"]
    view["level"], view["factory"] = level, factory
    view["n_suppliers"] = spec["sizes"][level - 1] if level > 0 else 0
    view["n_consumers"] = spec["sizes"][level + 1] if level < spec["n_levels"] - 1 else 0
    view["n_competitors"] = spec["sizes"][level] - 1
    view["n_rounds"] = spec["rounds"] * (2 if world["moves"] != 0 else 1)
    view["lines"], view["physical"] = spec["lines"][factory], world["physical"]
    view["production_cost"] = spec["production_cost"][factory]
    view["initial_balance"] = spec["initial_balance"][factory]
    for ahead in range(BOOK_DAYS):
        view["supplies"][ahead] = view["supplies_cost"][ahead] = 0
        view["sales"][ahead] = view["sales_revenue"][ahead] = 0
    for k in range(MAX_PARTNERS):
        clear_partner(view["partners"][k])


@jittable
def begin_day(world: World, daily: np.ndarray) -> None:
    """A new day: exogenous contracts, penalties and prices are known, and all negotiations stand at their start."""
    spec, day = world["spec"], world["day"]
    last = spec["n_levels"] - 1
    supply = demand = lines = 0
    for factory in range(spec["n_factories"]):
        lines = max(lines, spec["lines"][factory])
        if spec["level"][factory] == 0:
            supply += daily[day][factory]["exogenous_quantity"]
        elif spec["level"][factory] == last:
            demand += daily[day][factory]["exogenous_quantity"]
    for factory in range(spec["n_factories"]):
        view, player, today = world["views"][factory], world["players"][factory], daily[day][factory]
        level = view["level"]
        if day > 0:
            roll_books(view)
        view["day"], view["last_day"] = day, min(day + world["horizon"], spec["n_days"] - 1)
        view["decision"] = 0
        view["stock"] = today["stock"] = world["stock"][factory]
        quantity = today["exogenous_quantity"]
        price = today["exogenous_price"] if quantity > 0 else 0.0
        view["exogenous_supply"] = quantity if level == 0 else 0
        view["exogenous_supply_price"] = price if level == 0 else 0.0
        view["exogenous_sales"] = quantity if level == last else 0
        view["exogenous_sales_price"] = price if level == last else 0.0
        view["total_supply"], view["total_demand"] = supply, demand
        view["shortfall_penalty"] = today["shortfall_penalty"]
        view["storage_cost"] = today["storage_cost"]
        view["input_price"] = world["trading_price"][level]
        view["output_price"] = world["trading_price"][level + 1]
        view["balance"] = player["total_profit"] + view["initial_balance"]
        view["min_quantity"], view["max_quantity"] = 1, max(1, QUANTITY_MULTIPLIER * lines)
        view["min_input_price"] = view["max_input_price"] = view["min_output_price"] = view["max_output_price"] = 0
        if level > 0:
            view["min_input_price"], view["max_input_price"] = price_range(view["input_price"])
        if level < last:
            view["min_output_price"], view["max_output_price"] = price_range(view["output_price"])
    world["n_contracts"] = 0
    _open_negotiations(world)
    world["phase"] = NEGOTIATING


@jittable
def close_day(world: World, daily: np.ndarray, prices: np.ndarray) -> None:
    """All negotiations are over: strategies learn, contracts are executed, prices move, profits are settled.

    A contract is delivered in full, whatever its seller produced. Factories are settled one after the other, and one
    that goes bankrupt then takes its futures with it: today's contracts have been executed before.
    """
    let_players_learn(world)
    for factory in range(world["n_factories"]):
        _settle(world, factory, daily)
    _trade(world, daily)
    day = world["day"]
    drop_futures(world, day)
    world["day"] = day + 1
    for product in range(MAX_PRODUCTS):
        prices[day + 1][product] = world["trading_price"][product]
    world["phase"] = NEW_DAY


@jittable
def _settle(world: World, factory: int, daily: np.ndarray) -> None:
    """A factory's profit, by the prices of the morning, and its stock."""
    view, player, day = world["views"][factory], world["players"][factory], world["day"]
    counts = scratch_integers(2)
    supplies, supply_prices = scratch_integers(_ROOM), scratch_floats(_ROOM)
    sales, sale_prices = scratch_integers(_ROOM), scratch_floats(_ROOM)
    i = world["first_future"][day % BOOK_DAYS]
    while i != NO_FUTURE:
        future = world["futures"][i]
        if future["nullified"] == 0:
            _collect(future, factory, counts, supplies, supply_prices, sales, sale_prices)
        i = future["next"]
    for i in range(world["n_contracts"]):
        contract = world["contracts"][i]
        if contract["delivery"] == day:
            _collect(contract, factory, counts, supplies, supply_prices, sales, sale_prices)
    bought = view["exogenous_supply"]
    for i in range(counts[0]):
        bought += supplies[i]
    settled = settle_view(view, counts[0], supplies, supply_prices, counts[1], sales, sale_prices)
    profit, produced = settled[0], settled[6]
    world["stock"][factory] = stock_after(world["physical"] != 0, view["stock"], bought, produced)
    daily[day][factory]["profit"] = profit
    player["total_profit"] += profit
    if player["bankrupt"] == 0 and player["total_profit"] + view["initial_balance"] < 0.0:
        player["bankrupt"] = 1
        nullify_futures(world, factory, day)


@jittable
def _collect(
    contract: np.void,
    factory: int,
    counts: np.ndarray,
    supplies: np.ndarray,
    supply_prices: np.ndarray,
    sales: np.ndarray,
    sale_prices: np.ndarray,
) -> None:
    """Add a contract to a factory's supplies or sales of the day, if it is a party to it."""
    if contract["buyer"] == factory:
        supplies[counts[0]], supply_prices[counts[0]] = contract["quantity"], contract["price"]
        counts[0] += 1
    elif contract["seller"] == factory:
        sales[counts[1]], sale_prices[counts[1]] = contract["quantity"], contract["price"]
        counts[1] += 1


@jittable
def _trade(world: World, daily: np.ndarray) -> None:
    """Trading prices move towards what was paid today, contract after contract in the order of execution: futures in
    order of conclusion, then what was concluded today, and exogenous contracts."""
    spec, day = world["spec"], world["day"]
    sold: Any = scratch_integers(MAX_PRODUCTS)
    mean: Any = scratch_floats(MAX_PRODUCTS)
    i = world["first_future"][day % BOOK_DAYS]
    while i != NO_FUTURE:
        future = world["futures"][i]
        if future["nullified"] == 0:
            _count(world, future, sold, mean)
        i = future["next"]
    for i in range(world["n_contracts"]):
        contract = world["contracts"][i]
        if contract["delivery"] == day:
            _count(world, contract, sold, mean)
    for factory in range(spec["n_factories"]):
        today, product = daily[day][factory], 0 if spec["level"][factory] == 0 else spec["n_levels"]
        quantity, price = today["exogenous_quantity"], today["exogenous_price"]
        sold[product], mean[product] = add_trade(sold[product], mean[product], quantity, price)
    for product in range(spec["n_levels"] + 1):
        move_price(world, product, sold[product], mean[product])


@jittable
def _count(world: World, contract: np.void, sold: Any, mean: Any) -> None:
    """Add a negotiated contract to the day's trade of its product."""
    product = world["spec"]["level"][contract["buyer"]]
    sold[product], mean[product] = add_trade(sold[product], mean[product], contract["quantity"], contract["price"])


DAYS = Days(begin_world, begin_day, close_day)
