"""A day in compiled form: what it begins with, and how it is settled.

As scml/oneshot/world.py ``simulation_step`` (stage 0 and 1) and ``start_contract_execution`` (scml 0.8.4).
"""

from __future__ import annotations

import math

import numpy as np

from scml_gym.jit.arrays import scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.rules import needs_of
from scml_gym.oneshot.settlement import settle_view
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, SELLER
from scml_gym.oneshot.worlds.compiled.layout import World
from scml_gym.oneshot.worlds.compiled.negotiation import NEGOTIATIONS, clear_partner
from scml_gym.simulator.compiled.advance import Days
from scml_gym.simulator.compiled.layout import ASYNCHRONOUS, EXTERNAL, NEGOTIATING, NEW_DAY
from scml_gym.simulator.compiled.negotiations import add_negotiation, forget_negotiations
from scml_gym.simulator.compiled.players import let_players_learn
from scml_gym.simulator.compiled.trading_prices import INITIALLY_TRADED, add_trade, move_price

_open_negotiations = NEGOTIATIONS.open_day


@jittable
def begin_world(world: World, prices: np.ndarray) -> None:
    """Before the first day: trading prices, and the part of each view that stays as it is."""
    spec = world["spec"]
    n_sellers, n_buyers = spec["n_sellers"], spec["n_buyers"]
    world["day"] = world["n_contracts"] = world["passes"] = 0
    world["phase"] = NEW_DAY
    world["n_factories"] = n_sellers + n_buyers
    for product in range(3):
        world["trading_price"][product] = prices[0][product] = spec["catalog_prices"][product]
        world["traded"][product] = INITIALLY_TRADED
    for factory in range(n_sellers + n_buyers):
        player, view = world["players"][factory], world["views"][factory]
        world["pending"][factory] = 0
        player["agreements"] = player["negotiations"] = player["decisions"] = player["invalid"] = player["bankrupt"] = 0
        player["total_profit"] = 0.0
        seller = factory < n_sellers
        view["n_days"] = spec["n_days"]
        view["level"] = SELLER if seller else BUYER
        view["factory"] = factory
        view["n_partners"] = n_buyers if seller else n_sellers
        view["n_competitors"] = (n_sellers if seller else n_buyers) - 1
        view["n_rounds"] = spec["rounds"] * (2 if world["moves"] != 0 else 1)
        view["lines"] = spec["lines"][factory]
        view["production_cost"] = spec["production_cost"][factory]
        view["initial_balance"] = spec["initial_balance"][factory]
        singly = world["one_by_one"] != 0 if player["kind"] == EXTERNAL else player["kind"] == ASYNCHRONOUS
        view["most_waits"] = n_sellers + n_buyers if singly else 0
        for k in range(MAX_PARTNERS):
            clear_partner(view["partners"][k])
    forget_negotiations(world)
    for buyer in range(n_buyers):
        for seller in range(n_sellers):
            add_negotiation(world, seller, n_sellers + buyer, buyer, seller, BUYER)


@jittable
def begin_day(world: World, daily: np.ndarray) -> None:
    """A new day: exogenous contracts, penalties and prices are known, and all negotiations stand at their start."""
    spec, day = world["spec"], world["day"]
    n_sellers, n_buyers = spec["n_sellers"], spec["n_buyers"]
    n = n_sellers + n_buyers
    supply = demand = max_quantity = 0
    for factory in range(n):
        max_quantity = max(max_quantity, spec["lines"][factory])
        if factory < n_sellers:
            supply += daily[day][factory]["exogenous_quantity"]
        else:
            demand += daily[day][factory]["exogenous_quantity"]
    ceiling = math.ceil(world["trading_price"][1])
    for factory in range(n):
        view, player, today = world["views"][factory], world["players"][factory], daily[day][factory]
        view["day"] = day
        view["decision"] = view["agreed_quantity"] = 0
        view["exogenous_quantity"] = today["exogenous_quantity"]
        view["exogenous_price"] = today["exogenous_price"] if today["exogenous_quantity"] > 0 else 0.0
        view["needs"] = needs_of(view["lines"], view["exogenous_quantity"], 0)
        view["total_supply"], view["total_demand"] = supply, demand
        view["shortfall_penalty"] = today["shortfall_penalty"]
        view["disposal_cost"] = today["disposal_cost"]
        view["input_price"] = world["trading_price"][view["level"]]
        view["output_price"] = world["trading_price"][view["level"] + 1]
        view["balance"] = player["total_profit"] + view["initial_balance"]
        view["min_quantity"], view["max_quantity"] = 1, max(1, max_quantity)
        view["min_price"], view["max_price"] = max(1, ceiling - 1), max(1, ceiling)
    world["n_contracts"] = 0
    _open_negotiations(world)
    world["phase"] = NEGOTIATING


@jittable
def close_day(world: World, daily: np.ndarray, prices: np.ndarray) -> None:
    """All negotiations are over: strategies learn, contracts are executed, prices move, profits are settled."""
    let_players_learn(world)
    for factory in range(world["n_factories"]):
        _settle(world, factory, daily)
    day = world["day"]
    _trade(world, daily)
    world["day"] = day + 1
    for product in range(3):
        prices[day + 1][product] = world["trading_price"][product]
    world["phase"] = NEW_DAY


@jittable
def _settle(world: World, factory: int, daily: np.ndarray) -> None:
    """A factory's profit, by the prices of the morning."""
    view, player = world["views"][factory], world["players"][factory]
    quantities, prices = scratch_integers(MAX_PARTNERS), scratch_floats(MAX_PARTNERS)
    seller = view["level"] == SELLER
    n = 0
    for i in range(world["n_contracts"]):
        contract = world["contracts"][i]
        if (contract["seller"] if seller else contract["buyer"]) == factory:
            quantities[n] = contract["quantity"]
            prices[n] = contract["price"]
            n += 1
    profit = settle_view(view, n, quantities, prices)[0]
    daily[world["day"]][factory]["profit"] = profit
    player["total_profit"] += profit
    if player["total_profit"] + view["initial_balance"] < 0.0:
        player["bankrupt"] = 1


@jittable
def _trade(world: World, daily: np.ndarray) -> None:
    """Trading prices move towards what was paid today, contract after contract in the order of execution."""
    n_sellers, day = world["spec"]["n_sellers"], world["day"]
    n = n_sellers + world["spec"]["n_buyers"]
    for product in range(3):
        sold, mean = 0, 0.0
        if product == 1:
            for i in range(world["n_contracts"]):
                contract = world["contracts"][i]
                sold, mean = add_trade(sold, mean, contract["quantity"], contract["price"])
        else:
            for factory in range(n_sellers if product == 0 else n):
                if product == 2 and factory < n_sellers:
                    continue
                today = daily[day][factory]
                sold, mean = add_trade(sold, mean, today["exogenous_quantity"], today["exogenous_price"])
        move_price(world, product, sold, mean)


DAYS = Days(begin_world, begin_day, close_day)
