"""Money and goods of the Standard track are conserved as its rules say, and a rule that differs is seen."""

import copy
import dataclasses

import numpy as np
import pytest

from scml_gym.simulator.conservation import NotConservedError
from scml_gym.standard.conservation import (
    BATCHES,
    answer_at_random,
    check_world,
    play_random_actions,
    play_random_world,
)
from scml_gym.standard.ledger import check_played
from scml_gym.standard.rules import stock_after
from scml_gym.standard.worlds import simulation
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.simulation import StandardSimulation
from tests.helpers.standard_worlds import BUILTINS, play, poor

SEED = 739584
"""Other actions than these: benchmarks/soak.py."""


@pytest.mark.parametrize("batch", [BATCHES[0], BATCHES[3]], ids=lambda batch: batch[0])
def test_random_actions_conserve_money_and_goods(batch):
    """With batches that other tests compile too."""
    assert play_random_actions(4000, 32, batch, SEED, observability="partial") >= 4000


def test_random_answers_of_all_factories_conserve_money_and_goods():
    counts = sum((play_random_world(SEED, index) for index in range(1, 6)), play_random_world(SEED, 0))
    assert min(counts.values()) > 0 and counts["worlds"] == 6


@pytest.fixture(scope="module")
def spec():
    """Short of cash, so that there are bankruptcies with open futures."""
    return poor(league_spec(22, days=9, factories_per_level=3, n_levels=3), 0.3)


@pytest.mark.parametrize("stock", ["league", "physical"])
def test_the_accounts_of_the_real_simulation_add_up(stock, spec):
    world = play(spec, 3, BUILTINS, stock=stock)
    assert check_played(world, stock, 10)["nullified"] > 0
    with pytest.raises(NotConservedError, match="explains its profit and its stock"):
        check_played(world, "physical" if stock == "league" else "league", 10)
    with pytest.raises(NotConservedError, match="a delivery day out of range"):
        check_played(world, stock, 1)


def lose_an_item(monkeypatch):
    monkeypatch.setattr(simulation, "stock_after", lambda *day: max(0, stock_after(*day) - 1))


def deliver_what_is_nullified(monkeypatch):
    settle = StandardSimulation.simulation_step

    def step(self, stage=0):
        settle(self, stage)
        for contracts in self.agent_contracts.values():
            for contract in contracts:
                contract.nullified_at = -1

    monkeypatch.setattr(StandardSimulation, "simulation_step", step)


def pay_a_bonus(monkeypatch):
    settle = StandardSimulation.simulation_step

    def step(self, stage=0):
        settle(self, stage)
        if stage:
            self._profits[self.factory_ids[0]][-1] += 1

    monkeypatch.setattr(StandardSimulation, "simulation_step", step)


@pytest.mark.parametrize("alter", [lose_an_item, deliver_what_is_nullified, pay_a_bonus])
def test_a_rule_that_differs_is_seen(alter, spec, monkeypatch):
    alter(monkeypatch)
    world = play(spec, 3, BUILTINS, stock="physical")
    with pytest.raises(NotConservedError):
        check_played(world, "physical", 10)


@pytest.mark.parametrize(
    "costs", ["production_cost", "storage_cost", "shortfall_penalty", "exogenous_price", "exogenous_quantity"]
)
def test_a_cost_that_differs_is_seen(costs, spec):
    """The accounts are those of a world in which something costs more than where it was played."""
    world = play(spec, 3, BUILTINS)
    world.spec = dataclasses.replace(spec, **{costs: 2 * getattr(spec, costs)})
    with pytest.raises(NotConservedError):
        check_played(world, "league", 10)


@pytest.fixture(scope="module")
def running(spec):
    """A compiled world in the middle of a day, with contracts of today and of earlier days."""
    world, rng = CompiledWorld(spec, [None] * spec.n_factories), np.random.default_rng(SEED)
    answer_at_random(world, rng, until=lambda: world.day == 2 and world.arrays[0]["n_contracts"][0] > 2)
    return world


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (("contracts", "price"), "the price of a contract is not what was agreed"),
        (("contracts", "delivery"), "the delivery of a contract is not what was agreed"),
        (("n_contracts",), "contracts and agreements differ in number"),
        (("futures", "quantity"), "the book of supplies is not the contracts"),
        (("futures", "next"), "futures are not in the order|a place of the pool"),
        (("stock",), "a stock changes within a day"),
        (("views", "stock"), "a stock differs between"),
        (("views", "sales_revenue"), "sales_revenue is not what"),
        (("views", "balance"), "a balance is not what was there and earned"),
        (("views", "partners", "agreed_day"), "agreed_day differs between seller and buyer"),
        (("players", "total_profit"), "the profit is not the sum"),
    ],
)
def test_a_record_that_contradicts_itself_is_seen(field, message, running):
    worlds, days, _ = copy.deepcopy(running).arrays
    check_world(worlds[0], days[0])
    part = worlds
    for name in field:
        part = part[name]
    part[..., : max(1, part.shape[-1] // 2)] += 1  # of partners only the suppliers
    with pytest.raises(NotConservedError, match=message):
        check_world(worlds[0], days[0])
