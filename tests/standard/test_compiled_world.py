"""The compiled world of the Standard track: equal to the reference world to the last bit."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections import Counter

import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.oneshot.players import player_maker as oneshot_player_maker
from scml_gym.simulator.negotiation import DeterministicMechanism
from scml_gym.standard.parity import RESULTS, compare_episode, compare_external, compare_worlds, draw_case, make_worlds
from scml_gym.standard.players import player_maker
from scml_gym.standard.rules import opens_negotiations
from scml_gym.standard.strategies.base import Strategy, StrategyPolicy
from scml_gym.standard.view import new_actions
from scml_gym.standard.worlds import adapters, simulation
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.simulation import StandardSimulation

SEED = 739584
"""Other worlds than these: benchmarks/parity.py standard."""


@pytest.mark.slow
@pytest.mark.parametrize("first", [0, 5, 10, 15])
def test_worlds_are_equal_to_the_last_bit(first):
    counts = Counter()
    for index in range(first, first + 5):
        case = draw_case(SEED, index, days=(4, 10), factories=(1, 4))
        difference = compare_worlds(case, counts)
        assert difference is None, f"seed {SEED}, world {index}: {difference}"
    assert counts["futures"] > 0
    assert counts["league"] and counts["physical"] and counts["short of cash"]


@pytest.mark.slow
def test_long_worlds_of_any_size_are_equal_to_the_last_bit():
    """Up to 35 days; the second and the fourth drawn, of 47 and 54 days, take longer than all others together."""
    counts = Counter()
    for index in (0, 2, 4, 5, 6, 7):
        difference = compare_worlds(draw_case(SEED + 1, index), counts)
        assert difference is None, f"seed {SEED + 1}, world {index}: {difference}"
    assert counts["nullified"] > 0
    assert (
        {counts[f"{n} levels"] > 0 for n in (2, 3, 4)}
        == {counts[rule] > 0 for rule in ("league", "physical")}
        == {True}
    )


@pytest.mark.slow
@pytest.mark.parametrize("n_external", [1, 3, 32])
def test_external_factories_see_the_same_in_both_worlds(n_external):
    for index in range(3):
        case = draw_case(SEED + 2, index, days=(4, 8), factories=(1, 4))
        difference = compare_external(case, n_external)
        assert difference is None, f"seed {SEED + 2}, world {index}: {difference}"


@pytest.mark.slow
def test_episodes_are_equal_at_every_step():
    counts = Counter()
    for index in range(6):
        difference = compare_episode(SEED + 3, index, counts, days=(8, 12))
        assert difference is None, f"seed {SEED + 3}, episode {index}: {difference}"
    assert counts["steps"] > 100


def keep_what_is_used(monkeypatch):
    monkeypatch.setattr(simulation, "stock_after", lambda physical, stock, bought, produced: stock + bought)


def deliver_what_is_nullified(monkeypatch):
    settle = StandardSimulation.simulation_step

    def step(self, stage=0):
        settle(self, stage)
        for contracts in self.agent_contracts.values():
            for contract in contracts:
                contract.nullified_at = -1

    monkeypatch.setattr(StandardSimulation, "simulation_step", step)


def execute_the_last_contract_first(monkeypatch):
    ordered = StandardSimulation.executable_contracts
    monkeypatch.setattr(StandardSimulation, "executable_contracts", lambda self: list(ordered(self))[::-1])


def let_the_other_side_speak_first(monkeypatch):
    made = DeterministicMechanism.__init__

    def make(self, *args, **kwargs):
        made(self, *args, **kwargs)
        self._last_checked_negotiator = 0

    monkeypatch.setattr(DeterministicMechanism, "__init__", make)
    monkeypatch.setattr(adapters, "opens_negotiations", lambda *place: not opens_negotiations(*place))


def forget_who_waits(monkeypatch):
    never = property(lambda self: None, lambda self, value: None)
    monkeypatch.setattr(DeterministicMechanism, "_frozen_neg_list", never, raising=False)


@pytest.fixture(scope="module")
def cases():
    """Cases that have a bankruptcy with open futures, both stock rules, and days of many contracts."""
    drawn = {str(index): draw_case(SEED + 3, index, days=(8, 12), factories=(2, 4)) for index in range(4)}
    drawn["many contracts"] = draw_case(SEED + 3, 2, days=(8, 12), factories=(8, 8))
    counts = Counter()
    assert all(compare_worlds(case, counts) is None for case in drawn.values())
    assert counts["nullified"] > 0
    return drawn


@pytest.mark.slow
@pytest.mark.parametrize(
    ("alter", "first"),
    [
        (keep_what_is_used, "0"),
        (deliver_what_is_nullified, "0"),
        (execute_the_last_contract_first, "many contracts"),
        (let_the_other_side_speak_first, "0"),
        (forget_who_waits, "0"),
    ],
)
def test_a_rule_that_differs_is_seen(alter, first, cases, monkeypatch):
    alter(monkeypatch)
    ordered = cases[first], *cases.values()  # first the one that shows it, as far as is known
    assert any(compare_worlds(case, Counter()) is not None for case in ordered)


@pytest.fixture
def case():
    return draw_case(SEED + 4, 8, days=(4, 6), factories=(2, 3))


def results_of(world):
    return [getattr(world, name) for name in (*RESULTS, "contracts")]


def finish(world, policies):
    while world.pending:
        world.step({i: policies[i].act(world.view(i)) for i in world.pending})
    return results_of(world)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda world: pickle.loads(pickle.dumps(world))])
def test_a_copy_plays_on_alike_and_alone(duplicate, case):
    (_, world), (_, policies) = make_worlds(case, external=(1,))
    world.start()
    for _ in range(10):
        world.step({i: policies[i].act(world.view(i)) for i in world.pending})
    state = copy.deepcopy(policies)
    other = duplicate(world)
    first = finish(world, policies)
    assert not other.done
    assert all(np.array_equal(*pair) for pair in zip(first, finish(other, state), strict=True))


def test_stock_rules_differ_and_horizons_bound_the_deliveries(case):
    spec, names = case.spec, case.strategies
    stocks = []
    for stock, horizon in (("league", 10), ("physical", 10), ("league", 2), ("league", 0)):
        world = CompiledWorld(spec, [player_maker(name)(1) for name in names], stock=stock, horizon=horizon)
        world.run()
        ahead = world.contracts["delivery"] - world.contracts["day"]
        assert np.all((ahead >= 0) & (ahead <= horizon))
        assert np.all(world.contracts["delivery"] < spec.n_days)
        stocks.append(world.stock)
    assert not np.array_equal(stocks[0], stocks[1])
    assert np.all(np.diff(stocks[0]) >= 0)  # in the league nothing leaves the stock


def test_misuse_is_refused():
    spec = league_spec(0, days=5, factories_per_level=2, n_levels=3)
    with pytest.raises(InputError, match="1 players for 6 factories"):
        CompiledWorld(spec, [None])
    with pytest.raises(InputError, match="stock='perishable'"):
        CompiledWorld(spec, [None] * 6, stock="perishable")
    with pytest.raises(InputError, match=r"horizon.*11"):
        CompiledWorld(spec, [None] * 6, horizon=11)
    with pytest.raises(InputError, match="'greedy' plays another game"):
        CompiledWorld(spec, [oneshot_player_maker("greedy")(0), *[None] * 5])
    with pytest.raises(InputError, match="only strategies play in the compiled world"):
        CompiledWorld(spec, [object(), *[None] * 5])
    world = CompiledWorld(spec, [None] * 6)
    world.start()
    with pytest.raises(InputError, match="no action for factory"):
        world.step({})
    world.close()
    with pytest.raises(InputError, match="has ended"):
        world.step({0: new_actions()})


def test_the_same_world_short_of_cash_goes_bankrupt_and_stops_negotiating(case):
    rich = CompiledWorld(case.spec, [player_maker("random")(1) for _ in case.strategies])
    spec = dataclasses.replace(case.spec, initial_balance=np.ones_like(case.spec.initial_balance))
    poor = CompiledWorld(spec, [player_maker("random")(1) for _ in case.strategies])
    rich.run()
    poor.run()
    assert poor.bankrupt.all() and not rich.bankrupt.all()
    assert poor.contracts["day"].max() < spec.n_days - 1
    sides = [poor.summary(i)["negotiations"] for i in range(spec.n_factories)]
    assert max(sides) < max(rich.summary(i)["negotiations"] for i in range(spec.n_factories))


def divides(view, state, params, draws, actions):
    state[0] = 1 // (view["day"] - view["day"])


def test_a_strategy_that_raises_is_named():
    spec = league_spec(1, days=5, factories_per_level=(1, 2))
    strategy = Strategy("divides", divides, state_size=1)
    world = CompiledWorld(spec, [StrategyPolicy(strategy, i) for i in range(spec.n_factories)])
    with pytest.raises(InputError, match="strategy 'divides' fails"):
        world.run()
    with pytest.raises(InputError, match="the world has ended"):
        world.step({})
