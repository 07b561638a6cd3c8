"""The reference world: the league's simulation, made reproducible, any factories external."""

import dataclasses
import gc
import os
import random
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scml.oneshot.world import SCML2024OneShotWorld

from scml_gym.core.errors import InputError
from scml_gym.core.warnings import quiet
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.view import BUYER, NOOP, SELLER, new_actions
from scml_gym.oneshot.worlds.adapters import agent_class
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.clock import stopped_clock
from scml_gym.simulator.deterministic_world import OrderedWorld, world_arguments
from scml_gym.simulator.global_rng import GlobalStreams
from scml_gym.simulator.scml_parameters import set_daily_costs, simulation_parameters

BUILTINS = ["scml:GreedyOneShotAgent", "scml:SyncRandomOneShotAgent", "scml:GreedySyncAgent"]
TIMINGS = ["rounds", "moves"]


def cast(spec, seed, names=None, external=()) -> list[Any]:
    """A player for each factory: the names in turn, None where external."""
    names = names or sorted(STRATEGIES)
    makers = [player_maker(names[(i + seed) % len(names)]) for i in range(spec.n_factories)]
    return [None if i in external else make(seed) for i, make in enumerate(makers)]


def play(spec, seed, timing: Any = "rounds", names=None, external=()):
    """A world played to its end; external factories play what they would have been cast as."""
    world = ReferenceWorld(spec, cast(spec, seed, names, external), seed=seed, timing=timing)
    policies = cast(spec, seed, names)
    world.start()
    while world.pending:
        world.step({i: policies[i].act(world.view(i)) for i in world.pending})
    assert world.done
    assert world.day == spec.n_days
    return world


def poor(spec):
    """The same world with so little cash that factories go bankrupt."""
    return dataclasses.replace(spec, initial_balance=np.maximum(1, spec.initial_balance // 20))


@pytest.mark.slow
@pytest.mark.parametrize("timing", TIMINGS)
@pytest.mark.parametrize("names", [None, BUILTINS], ids=["own", "built-in"])
def test_same_seed_same_world(timing, names):
    spec = league_spec(4, days=5)
    first, second = (play(spec, 4, timing, names) for _ in range(2))
    assert len(first.contracts) > 20
    assert np.array_equal(first.contracts, second.contracts)
    assert np.array_equal(first.profits, second.profits)
    assert np.array_equal(first.trading_prices, second.trading_prices)


@pytest.mark.parametrize("timing", TIMINGS)
def test_the_callers_generators_and_files_are_untouched(timing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    logs = Path("~/negmas").expanduser(), Path(os.path.expanduser("~root")) / "negmas" / "logs"
    before = [sorted(p.rglob("*")) if p.exists() else None for p in logs]
    random.seed(7)
    np.random.seed(7)
    np.random.standard_normal()  # leaves a cached second number, which must survive too
    states = random.getstate(), np.random.get_state(legacy=False)
    play(league_spec(1, days=4), 1, timing, BUILTINS)
    assert random.getstate() == states[0]
    after = np.random.get_state(legacy=False)
    assert after["gauss"] == states[1]["gauss"]
    assert after["has_gauss"] == states[1]["has_gauss"]
    assert np.array_equal(after["state"]["key"], states[1]["state"]["key"])
    assert list(tmp_path.iterdir()) == []
    assert [sorted(p.rglob("*")) if p.exists() else None for p in logs] == before


class OfficialSimulation(OrderedWorld, SCML2024OneShotWorld):
    """`SCML2024OneShotWorld` with its sets in order."""


@pytest.mark.slow
@pytest.mark.parametrize("one_offer_per_step", [False, True])
def test_it_is_scmls_own_world_to_the_last_bit(one_offer_per_step, tmp_path):
    """Unchanged but for the order of sets, the wall clock, and seeds that are set before the world is made."""
    spec = league_spec(8, days=4)
    names = [*BUILTINS, "best-subset", "greedy"]
    ours = play(spec, 8, "moves" if one_offer_per_step else "rounds", names)
    players = cast(spec, 8, names)
    streams = GlobalStreams(8)
    with streams.active(), quiet(), stopped_clock():
        arguments = world_arguments([agent_class(player, "rounds") for player in players], "world8")
        arguments |= {"one_offer_per_step": one_offer_per_step, "log_folder": str(tmp_path)}
        world = OfficialSimulation(**simulation_parameters(spec, "disposal_cost"), **arguments)
        set_daily_costs(world, spec, "disposal_cost")
        ids: Any = world.factory_ids
        for agent, player in zip(ids, players, strict=True):
            if not isinstance(player, tuple):
                adapter: Any = world.agents[agent]
                adapter.adapted_object.policy = player
        world.run()
    theirs = [
        (c["delivery_time"], ids.index(c["seller"]), ids.index(c["buyer"]), c["quantity"], c["unit_price"])
        for c in world.saved_contracts
        if c["seller"] in ids and c["buyer"] in ids
    ]
    assert len(theirs) > 20
    assert ours.contracts.tolist() == theirs
    assert np.array_equal(ours.profits, [world._profits[agent] for agent in ids])
    assert np.array_equal(ours.trading_prices, world._trading_price)
    assert np.array_equal(ours.scores, [world.scores()[agent] for agent in ids])


@pytest.mark.parametrize("seed", range(3))
def test_external_factory_decides_exactly_where_a_sync_agent_would(seed):
    """A synchronous strategy played from outside makes the contracts that it makes inside."""
    spec = league_spec(seed, days=5)
    inside = play(spec, seed, names=["best-subset", "greedy", "best-subset-even"])
    players = cast(spec, seed, ["best-subset", "greedy", "best-subset-even"])
    external = tuple(i for i, p in enumerate(players) if p.synchronous)
    assert len(external) > 3
    outside = play(spec, seed, names=["best-subset", "greedy", "best-subset-even"], external=external)
    assert np.array_equal(inside.contracts, outside.contracts)
    assert np.array_equal(inside.profits, outside.profits)


@pytest.mark.parametrize("timing", TIMINGS)
def test_all_factories_external(timing):
    spec = league_spec(2, days=4)
    world = play(spec, 2, timing, names=["best-subset"], external=tuple(range(spec.n_factories)))
    assert len(world.contracts) > 20
    assert world.external == tuple(range(spec.n_factories))


@pytest.mark.parametrize("timing", TIMINGS)
@pytest.mark.parametrize("change", [lambda s: s, poor], ids=["league", "poor"])
def test_money_and_goods_balance(timing, change):
    """What views show as balance is the initial balance and all profits so far; agreements are the contracts."""
    spec = change(league_spec(6, days=6, factories_per_level=4))
    external = (0, spec.n_sellers)
    world = ReferenceWorld(spec, cast(spec, 6, ["best-subset"], external), seed=6, timing=timing)
    policies = cast(spec, 6, ["best-subset"])
    world.start()
    while world.pending:
        for i in world.pending:
            view = world.view(i)
            settled = spec.initial_balance[i] + world.profits[i, : view["day"]].sum()
            assert view["balance"] == pytest.approx(settled, abs=1e-9)
            today = world.contracts[world.contracts["day"] == view["day"]]
            mine = today[today["seller" if view["level"] == SELLER else "buyer"] == i]
            assert view["agreed_quantity"] == mine["quantity"].sum()
            assert view["partners"]["agreed_quantity"].sum() == mine["quantity"].sum()
            expected = min(spec.lines[i], spec.exogenous_quantity[i, view["day"]] - mine["quantity"].sum())
            assert view["needs"] == expected
        world.step({i: policies[i].act(world.view(i)) for i in world.pending})
    scores = (spec.initial_balance + world.profits.sum(axis=1)) / spec.initial_balance
    assert np.allclose(world.scores, scores, rtol=0, atol=1e-12)
    if change is poor:
        assert world.bankrupt.any()


def test_bankrupt_factory_decides_no_more_and_the_world_goes_on():
    spec = poor(league_spec(6, days=8, factories_per_level=4))
    world = play(spec, 6, names=["best-subset"])
    broke = np.flatnonzero(world.bankrupt)
    assert len(broke)
    for i in broke:
        balance = spec.initial_balance[i] + np.cumsum(world.profits[i])
        first = int(np.argmax(balance < 0))
        side = "seller" if spec.level[i] == SELLER else "buyer"
        assert not np.any(world.contracts[world.contracts[side] == i]["day"] > first)


def test_views_keep_to_the_rules_of_the_day():
    spec = league_spec(3, days=4)
    world = ReferenceWorld(spec, cast(spec, 3, ["best-subset"], (0, spec.n_sellers)), seed=3)
    policies = cast(spec, 3, ["best-subset"])
    world.start()
    levels, first_today = set(), {}
    while world.pending:
        (i,) = world.pending
        view = world.view(i)
        levels.add(int(view["level"]))
        turn = view["partners"]["my_turn"] == 1
        assert turn.any()
        assert np.all(view["partners"]["running"][turn] == 1)
        trading_price = view["output_price" if view["level"] == SELLER else "input_price"]
        assert view["min_price"] == max(1, np.ceil(trading_price) - 1)
        assert view["max_price"] - view["min_price"] <= 1
        assert (view["min_quantity"], view["max_quantity"]) == (1, 10)
        if (i, int(view["day"])) not in first_today:
            first_today[i, int(view["day"])] = True
            opened = view["partners"]["offer_quantity"][turn] > 0
            assert opened.all() if view["level"] == SELLER else not opened.any()  # the buyer speaks first
        time = view["partners"]["relative_time"][turn]
        assert np.allclose(time, (view["partners"]["step"][turn] + 1) / (view["n_rounds"] + 1))
        actions = policies[i].act(view)
        assert np.all(actions["response"][~turn] == NOOP)
        world.step({i: actions})
    assert levels == {SELLER, BUYER}


def test_misuse_is_refused():
    spec = league_spec(0, days=3)
    with pytest.raises(InputError, match="players"):
        ReferenceWorld(spec, [None])
    with pytest.raises(InputError, match="timing"):
        ReferenceWorld(spec, cast(spec, 0), timing="hours")
    world = ReferenceWorld(spec, cast(spec, 0, external=(0,)))
    world.start()
    with pytest.raises(InputError, match="factory 0"):
        world.step({})
    with pytest.raises(InputError, match="ended"):
        play(spec, 0).step({})


def test_spec_is_a_function_of_the_seed_and_survives_a_file(tmp_path):
    spec = league_spec(12, days=(3, 9), factories_per_level=(2, 8))
    assert spec.equals(league_spec(12, days=(3, 9), factories_per_level=(2, 8)))
    assert not spec.equals(league_spec(13, days=(3, 9), factories_per_level=(2, 8)))
    spec.save(tmp_path / "spec.npz")
    assert WorldSpec.load(tmp_path / "spec.npz").equals(spec)
    assert [p.name for p in tmp_path.iterdir()] == ["spec.npz"]


@pytest.mark.slow
def test_spec_of_a_real_world_is_the_spec_it_was_built_from():
    for seed in range(5):
        spec = league_spec(seed, days=4)
        world = ReferenceWorld(spec, cast(spec, seed), seed=seed, timing="moves" if seed % 2 else "rounds")
        assert WorldSpec.from_world(world.world).equals(spec)
        world.start()
        assert WorldSpec.from_world(world.world).equals(spec)  # at any time of its life


def test_spec_of_scmls_own_world(tmp_path):
    """A world that scml drew and built, read into a spec, rebuilt and read again."""
    from scml.oneshot.agents import GreedyOneShotAgent

    with GlobalStreams(5).active():
        config = SCML2024OneShotWorld.generate(agent_types=[GreedyOneShotAgent], n_steps=6, random_agent_types=True)
        world = SCML2024OneShotWorld(**config, log_folder=str(tmp_path))
    spec = WorldSpec.from_world(world)
    again = ReferenceWorld(spec, cast(spec, 0))
    assert WorldSpec.from_world(again.world).equals(spec)
    assert spec.n_days == 6


@pytest.mark.parametrize("damage", ["missing", "garbage", "schema"])
def test_damaged_spec_file(damage, tmp_path):
    path = tmp_path / "spec.npz"
    if damage == "garbage":
        path.write_bytes(b"no spec")
    if damage == "schema":
        np.savez(path, schema=np.array("other"))
    with pytest.raises(InputError, match=r"spec\.npz"):
        WorldSpec.load(path)


def test_impossible_spec():
    spec = league_spec(0, days=3, factories_per_level=2)
    with pytest.raises(InputError, match="sellers first"):
        dataclasses.replace(spec, level=spec.level[::-1].copy())
    with pytest.raises(InputError, match="shape"):
        dataclasses.replace(spec, lines=spec.lines[:1])
    with pytest.raises(InputError, match="shortfall_penalty has shape"):
        dataclasses.replace(spec, shortfall_penalty=spec.shortfall_penalty[:, :1])
    with pytest.raises(InputError, match="lines holds float64, not int64"):
        dataclasses.replace(spec, lines=spec.lines * 0.5)
    taken = dataclasses.replace(spec, lines=spec.lines.astype(np.int32).tolist())
    assert taken.equals(spec) and taken.lines.dtype == np.int64


@pytest.mark.usefixtures("own_garbage")
def test_abandoned_worlds_are_freed():
    """A world given up in the middle of a day takes its simulation with it."""
    spec = league_spec(0, days=3)
    simulations = []
    for _ in range(3):
        world = ReferenceWorld(spec, cast(spec, 0, external=(0, spec.n_sellers)))
        world.start()
        assert world.pending
        simulations.append(weakref.ref(world.world))
        del world
    gc.collect()
    assert [s() for s in simulations] == [None] * 3


@pytest.mark.usefixtures("own_garbage")
def test_abandoned_world_that_is_freed_inside_another_leaves_that_one_running():
    """Garbage may be collected anywhere, also while a simulation runs."""

    class Collector(StrategyPolicy):
        def act(self, view):
            gc.collect()
            return super().act(view)

    def world(seed):
        spec = league_spec(seed, days=3, factories_per_level=3)
        others = [Collector(STRATEGIES.get("best-subset"), seed) for _ in range(spec.n_factories - 1)]
        return ReferenceWorld(spec, [None, *others], seed)

    gc.disable()
    try:
        abandoned: Any = world(1)
        abandoned.start()
        abandoned.itself = abandoned  # only the garbage collector can free it now
        played = world(2)
        del abandoned
        played.start()
        while played.pending:
            assert played.pending == (0,)
            played.step({0: new_actions()})
    finally:
        gc.enable()
    assert played.done
