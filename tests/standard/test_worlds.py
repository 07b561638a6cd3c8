"""The reference world of the Standard track: the league's simulation, made reproducible, any factories external."""

import copy
import gc
import sys
import weakref

import numpy as np
import pytest
from scml.std.world import STD_DEFAULT_PARAMS

from scml_gym.core.errors import InputError
from scml_gym.simulator.clock import stopped_clock
from scml_gym.standard.rules import needed_sales, price_range, repair
from scml_gym.standard.view import BOOK_DAYS, HIDDEN_DTYPE, MAX_FACTORIES, MAX_PER_LEVEL, NOOP, OFFER, new_actions
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.official import OfficialWorld, differences
from scml_gym.standard.worlds.reference import ReferenceWorld
from tests.helpers.scripts import in_forked_process, in_new_interpreter
from tests.helpers.standard_worlds import BUILTINS, RandomAnswers, cast, play, poor

LEAGUE = [
    "scml-agents:2024/PenguinAgent",
    "scml-agents:2025/AS0",
    "scml-agents:2024/QuickDecisionAgent",
    "scml:SyncRandomStdAgent",
]


def official(spec, seed, names, folder, **arguments):
    """The same world, played by scml's own classes."""
    world = OfficialWorld(spec, cast(spec, seed, names), seed, folder, **arguments)
    with stopped_clock():
        world.run()
    return world


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "names", "change", "horizon"),
    [
        (0, None, lambda spec: spec, 10),
        (1, BUILTINS, lambda spec: spec, 10),
        (2, BUILTINS, poor, 10),
        (3, None, poor, 3),
        (4, BUILTINS, lambda spec: spec, 0),
    ],
    ids=["own", "built-in", "built-in, poor", "own, poor, near", "built-in, today"],
)
def test_it_is_scmls_own_world_to_the_last_bit(seed, names, change, horizon, tmp_path):
    spec = change(league_spec(seed, days=6, factories_per_level=(2, 3)))
    ours = play(spec, seed, names, horizon=horizon)
    assert len(ours.contracts) > 10
    assert ours.contracts["delivery"].max() <= 5
    ahead = ours.contracts["delivery"] - ours.contracts["day"]
    assert ahead.max() == min(horizon, 5) if horizon < 5 else ahead.max() > 1
    assert not differences(ours, official(spec, seed, names, tmp_path, horizon=horizon))


@pytest.mark.league
@pytest.mark.parametrize("seed", range(2))
def test_it_is_scmls_own_world_with_agents_of_the_league(seed, tmp_path):
    pytest.importorskip("scml_agents", reason="agents of the league are not installed: make league")
    spec = league_spec(seed, days=8, factories_per_level=(2, 4))
    ours = play(spec, seed, LEAGUE)
    assert len(ours.contracts) > 10
    assert not differences(ours, official(spec, seed, LEAGUE, tmp_path))


def test_differences_are_seen():
    spec = league_spec(1, days=6, factories_per_level=2)
    league, physical = (play(spec, 1, BUILTINS, stock=stock) for stock in ("league", "physical"))
    assert differences(league, league) == []
    assert "stock" in differences(league, physical)


@pytest.mark.slow
@pytest.mark.parametrize("stock", ["league", "physical"])
@pytest.mark.parametrize("names", [None, BUILTINS], ids=["own", "built-in"])
def test_same_seed_same_world(names, stock):
    spec = league_spec(4, days=5, factories_per_level=3)
    first, second = (play(spec, 4, names, stock=stock) for _ in range(2))
    assert len(first.contracts) > 20
    assert differences(first, second) == []
    assert differences(first, play(spec, 5, names, stock=stock))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "hash_seed", "optimised"),
    [(BUILTINS, "0", ()), (["sync-random", "greedy", "just-in-time", "random"], "1", ("-O",))],
    ids=["built-in", "own"],
)
def test_same_seed_same_world_in_every_process(names, hash_seed, optimised, tmp_path):
    code = (
        "import hashlib\n"
        "from tests.helpers.standard_worlds import play\n"
        "from scml_gym.standard.worlds.generation import league_spec\n"
        f"world = play(league_spec(9, days=6, factories_per_level=(2, 4)), 9, {names})\n"
        "parts = (world.contracts, world.profits, world.trading_prices, world.stock)\n"
        "print(hashlib.sha256(b''.join(part.tobytes() for part in parts)).hexdigest())"
    )

    forked = in_forked_process(tmp_path, [sys.executable, "-c", code])  # with hash seed 0
    command = [sys.executable, *optimised, "-c", code]
    other = in_new_interpreter(tmp_path, command, {"PYTHONHASHSEED": hash_seed})
    assert (forked.returncode, other.returncode) == (0, 0), forked.stderr + other.stderr
    assert forked.stdout == other.stdout and len(forked.stdout) > 60


def test_what_scmls_tournaments_leave_behind_changes_nothing(monkeypatch):
    """scml's own generator of worlds writes each world's parameters into a table of defaults."""
    spec = league_spec(3, days=5, factories_per_level=2)
    world = play(spec, 3, BUILTINS)
    for name, value in {"horizon": 0, "n_processes": 2, "storage_cost": 0.0, "quantity_multiplier": 1}.items():
        monkeypatch.setitem(STD_DEFAULT_PARAMS, name, value)
    assert league_spec(3, days=5, factories_per_level=2).equals(spec)
    assert differences(play(spec, 3, BUILTINS), world) == []


@pytest.mark.parametrize("stock", ["league", "physical"])
@pytest.mark.parametrize("n_levels", [2, 3, 4])
def test_external_factory_decides_exactly_where_a_sync_agent_would(n_levels, stock):
    """A synchronous policy played from outside makes the contracts that it makes inside."""
    spec = league_spec(n_levels, days=5, factories_per_level=(2, 4), n_levels=n_levels)
    inside = play(spec, 7, stock=stock)
    external = tuple(i for i, player in enumerate(cast(spec, 7)) if player.synchronous)
    assert {int(spec.level[i]) for i in external} == set(range(n_levels))
    outside = play(spec, 7, external=external, stock=stock)
    assert differences(inside, outside) == []


@pytest.mark.parametrize("n_levels", [2, 3, 4])
def test_every_second_level_speaks_first_to_all_its_partners(n_levels):
    """The table of who requests negotiations: the last level, and every second one below it."""
    spec = league_spec(5, days=5, factories_per_level=3, n_levels=n_levels)
    factories = tuple(range(0, spec.n_factories, 3))
    world = ReferenceWorld(spec, cast(spec, 5, external=factories), seed=5)
    policies, first = cast(spec, 5), {}
    for i in factories:
        policies[i].synchronous = True
    world.start()
    while world.pending:
        (i,) = world.pending
        view = world.view(i)
        turn, offered = view["partners"]["my_turn"] == 1, view["partners"]["offer_quantity"] > 0
        if view["decision"] == 0:
            opens = {2: {1}, 3: {0, 2}, 4: {1, 3}}[n_levels]
            first.setdefault(int(view["level"]) in opens, []).append((turn, offered, view["partners"]["running"] == 1))
        actions = policies[i].act(view)
        assert np.all(actions["response"][~turn] == NOOP)
        world.step({i: actions})
    assert len(first[True]) > 4 and len(first[False]) > 4
    for turn, offered, running in first[True]:
        assert np.array_equal(turn, running) and turn.any() and not offered.any()
    for turn, offered, _ in first[False]:
        assert np.array_equal(turn, turn & offered) and turn.any()


def decisions(spec, seed, external, **arguments):
    """Each decision of a world: the world, the factory and the factory's awi."""
    world = ReferenceWorld(spec, cast(spec, seed, external=external), seed=seed, **arguments)
    policies = cast(spec, seed)
    for i in external:
        policies[i].synchronous = True
    world.start()
    while world.pending:
        (i,) = world.pending
        yield world, i, world.agents[i].awi
        world.step({i: policies[i].act(world.view(i))})


@pytest.mark.parametrize("stock", ["league", "physical"])
@pytest.mark.parametrize("n_levels", [2, 3, 4])
def test_views_say_what_scml_says(n_levels, stock):
    """Every field against scml's own account of it, in worlds with bankruptcies and nullified contracts."""
    spec = poor(league_spec(n_levels + 20, days=12, factories_per_level=4, n_levels=n_levels), 0.12)
    wrong_books = seen = 0
    for world, i, awi in decisions(spec, 3, (0, 4, 4 * n_levels - 1), stock=stock):
        view, day, level = world.view(i), awi.current_step, int(spec.level[i])
        seen += 1
        first, last = level == 0, level == n_levels - 1
        assert (view["day"], view["n_days"], view["level"], view["n_levels"]) == (day, 12, level, n_levels)
        assert view["factory"] == i
        sides = view["n_suppliers"], view["n_consumers"], view["n_competitors"]
        assert sides == (0 if first else 4, 0 if last else 4, 3)
        assert view["lines"] == awi.n_lines == spec.lines[i]
        assert view["stock"] == awi.current_inventory_input == world.stock[i, day]
        assert awi.current_inventory_output == 0
        quantity, price = spec.exogenous_quantity[i, day], spec.exogenous_price[i, day]
        price = price if quantity else 0
        bought, sold = (quantity, price) if first else (0, 0), (quantity, price) if last else (0, 0)
        assert (view["exogenous_supply"], view["exogenous_supply_price"]) == bought
        assert (view["exogenous_sales"], view["exogenous_sales_price"]) == sold
        assert view["total_supply"] == spec.exogenous_quantity[spec.level == 0, day].sum()
        assert view["total_demand"] == spec.exogenous_quantity[spec.level == n_levels - 1, day].sum()
        assert view["production_cost"] == spec.production_cost[i]
        assert view["shortfall_penalty"] == spec.shortfall_penalty[i, day] == awi.current_shortfall_penalty
        assert view["storage_cost"] == spec.storage_cost[i, day] == awi.current_storage_cost
        assert view["input_price"] == awi.trading_prices[level] == world.trading_prices[level, day]
        assert view["output_price"] == awi.trading_prices[level + 1]
        assert view["initial_balance"] == spec.initial_balance[i]
        assert view["balance"] == sum(world.profits[i, :day].tolist()) + spec.initial_balance[i] == awi.current_balance
        assert (view["min_quantity"], view["max_quantity"]) == (1, 3 * spec.lines.max())
        assert view["last_day"] == min(day + 10, 11)
        ranges = [
            (0, 0) if none else price_range(awi.trading_prices[level + k]) for k, none in enumerate((first, last))
        ]
        assert (view["min_input_price"], view["max_input_price"]) == ranges[0]
        assert (view["min_output_price"], view["max_output_price"]) == ranges[1]
        for ahead in range(BOOK_DAYS):
            assert view["supplies"][ahead] == awi.total_supplies_at(day + ahead)
            assert view["sales"][ahead] == awi.total_sales_at(day + ahead)
        if not last:
            assert needed_sales(view) == awi.needed_sales
        if not first:
            assert -needed_sales(view) == awi.needed_supplies
        check_books(world, view, i)
        standing = world.contracts[world.contracts["nullified"] == 0]
        wrong_books += np.any(view["supplies"] != booked(standing, "buyer", i, day)[0])
        wrong_books += np.any(view["sales"] != booked(standing, "seller", i, day)[0])
        check_partners(world, view, i)
    assert seen > 30
    assert world.bankrupt.any()
    assert wrong_books > 0, "no view had a nullified contract in its books"


def booked(contracts, side, factory, day):
    """Items and money by days from today that a factory has agreed on, on one side."""
    totals = np.zeros((2, BOOK_DAYS), dtype=np.int64)
    mine = contracts[(contracts[side] == factory) & (contracts["delivery"] >= day)]
    np.add.at(totals[0], mine["delivery"] - day, mine["quantity"])
    np.add.at(totals[1], mine["delivery"] - day, mine["quantity"] * mine["price"])
    return totals


def check_books(world, view, factory):
    """Books are all contracts that were concluded, those that were nullified too."""
    for side, names in (("buyer", ("supplies", "supplies_cost")), ("seller", ("sales", "sales_revenue"))):
        for name, total in zip(names, booked(world.contracts, side, factory, view["day"]), strict=True):
            assert np.array_equal(view[name], total)


def check_partners(world, view, factory):
    """Partners are the factories of the neighbouring levels; what was agreed today are today's contracts."""
    spec, partners = world.spec, view["partners"]
    below, above = (np.flatnonzero(spec.level == spec.level[factory] + step) for step in (-1, 1))
    slots = dict(enumerate(below)) | {MAX_PER_LEVEL + k: other for k, other in enumerate(above)}
    assert set(np.flatnonzero(partners["exists"])) == set(slots)
    assert np.all(partners["running"][partners["my_turn"] == 1] == 1)
    today = world.contracts[world.contracts["day"] == view["day"]]
    for k, other in slots.items():
        mine, theirs = ("seller", "buyer") if k >= MAX_PER_LEVEL else ("buyer", "seller")
        agreed = today[(today[mine] == factory) & (today[theirs] == other)]
        assert len(agreed) <= 1
        found = [int(partners[k][f"agreed_{name}"]) for name in ("quantity", "day", "price")]
        assert found == (list(agreed[0][["quantity", "delivery", "price"]]) if len(agreed) else [0, 0, 0])
        if world.bankrupt[other]:
            assert not partners[k]["running"]
    turn = partners["my_turn"] == 1
    assert np.array_equal(partners["relative_time"][turn], (partners["step"][turn] + 1) / (view["n_rounds"] + 1))
    offers = partners[partners["offer_quantity"] > 0]
    assert np.all((offers["offer_day"] >= view["day"]) & (offers["offer_day"] <= view["last_day"]))


@pytest.mark.parametrize("stock", ["league", "physical"])
def test_the_hidden_state_is_that_of_all_factories(stock):
    spec = poor(league_spec(2, days=8, factories_per_level=(2, 4), n_levels=3), 0.2)
    names = [name for name in HIDDEN_DTYPE.names if name not in ("exists", "bankrupt")]
    n, seen = spec.n_factories, 0
    for world, i, _ in decisions(spec, 2, tuple(range(spec.n_factories)), stock=stock):
        hidden = world.hidden_state()
        assert hidden.dtype == HIDDEN_DTYPE and hidden.shape == (MAX_FACTORIES,)
        assert np.array_equal(hidden["exists"], np.arange(MAX_FACTORIES) < n)
        assert np.array_equal(hidden["bankrupt"][:n] == 1, world.bankrupt)
        view = world.view(i)
        for name in names:
            assert np.array_equal(hidden[i][name], view[name]), name
        seen += 1
    assert seen > 50
    assert not world.hidden_state()["supplies"].any() and not world.hidden_state()["sales"].any()
    assert np.array_equal(world.hidden_state()["stock"][:n], world.stock[:, -1])


def test_a_bankrupt_factory_decides_no_more_and_pays_on():
    spec = poor(league_spec(6, days=10, factories_per_level=3, n_levels=3))
    world = play(spec, 6)
    contracts, broke = world.contracts, np.flatnonzero(world.bankrupt)
    assert len(broke)
    for i in broke:
        balance = spec.initial_balance[i] + np.cumsum(world.profits[i])
        first = int(np.argmax(balance < 0))
        mine = contracts[(contracts["seller"] == i) | (contracts["buyer"] == i)]
        assert not np.any(mine["day"] > first)
        assert np.all(mine["nullified"][mine["delivery"] > first] == 1)
        assert np.all(world.profits[i, first + 1 :] <= 0.0)
    scores = (spec.initial_balance + world.profits.sum(axis=1)) / spec.initial_balance
    assert np.allclose(world.scores, scores, rtol=0, atol=1e-12)


class Careless(RandomAnswers):
    """Gives answers that cannot be played: days, quantities and prices beyond their ranges, acceptances of nothing."""

    def act(self, view):
        """One wrong answer in turn, to every partner, whether asked or not."""
        actions = new_actions()
        actions["response"], actions["quantity"], actions["price"] = OFFER, 1, view["max_output_price"]
        actions["price"][:MAX_PER_LEVEL] = view["max_input_price"]
        actions["day"] = view["last_day"]
        match view["decision"] % 4:
            case 0:
                actions["day"] += 1
            case 1:
                actions["quantity"] = view["max_quantity"] + 1
            case 2:
                actions["price"] += 1
            case 3:
                actions["day"] = view["day"] - 1
        return actions


def test_answers_that_cannot_be_played_end_negotiations_and_are_counted():
    """As negmas has it; the answers of a world are those of the repaired array."""
    spec = league_spec(4, days=5, factories_per_level=2, n_levels=3)
    world = ReferenceWorld(spec, cast(spec, 4, external=(0, 3, 5)), seed=4)
    policies, invalid = {i: Careless(4) for i in (0, 3, 5)}, dict.fromkeys((0, 3, 5), 0)
    world.start()
    while world.pending:
        (i,) = world.pending
        actions = policies[i].act(world.view(i))
        invalid[i] += repair(world.view(i).copy(), actions.copy())
        world.step({i: actions})
    for i in (0, 3, 5):
        assert world.summary(i)["invalid_actions"] == invalid[i] > 0
        assert not np.any((world.contracts["seller"] == i) | (world.contracts["buyer"] == i))


@pytest.mark.usefixtures("own_garbage")
def test_an_abandoned_world_is_freed():
    spec = league_spec(0, days=5, factories_per_level=2)
    world = ReferenceWorld(spec, cast(spec, 1, external=(0, spec.n_factories - 1)))
    world.start()
    assert world.pending
    simulation = weakref.ref(world.world)
    world.close()
    world.close()
    assert world.pending == ()
    del world
    gc.collect()
    assert simulation() is None


def test_summary_and_closed_days():
    spec = league_spec(1, days=6, factories_per_level=2, n_levels=3)
    world = ReferenceWorld(spec, cast(spec, 1, external=(2,)), seed=1)
    policy = cast(spec, 1)[2]
    policy.synchronous = True
    world.start()
    steps, closed = 0, []
    while world.pending:
        steps += 1
        closed += world.closed_days(2)
        world.step({2: policy.act(world.view(2))})
    closed += world.closed_days(2)
    assert [int(view["day"]) for view in closed] == list(range(6))
    summary = world.summary(2)
    mine = world.contracts[(world.contracts["seller"] == 2) | (world.contracts["buyer"] == 2)]
    assert summary["agreements"] == len(mine) == sum(np.sum(v["partners"]["agreed_quantity"] > 0) for v in closed)
    assert summary["decisions"] == steps
    assert summary["negotiations"] == 6 * 4
    assert summary["invalid_actions"] == 0
    assert summary["profit"] == sum(world.profits[2].tolist())


def test_misuse_is_refused():
    spec = league_spec(0, days=5, factories_per_level=2)
    for arguments, message in (
        ({"players": [None]}, "1 players for"),
        ({"stock": "kept"}, "stock='kept'; valid: league, physical"),
        ({"horizon": 11}, "horizon=11; valid: 0 to 10"),
        ({"horizon": -1}, "horizon=-1; valid: 0 to 10"),
        ({"horizon": 2.5}, "horizon=2.5; valid: a whole number, 0 to 10"),
    ):
        with pytest.raises(InputError, match=message):
            ReferenceWorld(**{"spec": spec, "players": cast(spec, 0)} | arguments)
    world = ReferenceWorld(spec, cast(spec, 1, external=(0,)))
    world.start()
    with pytest.raises(InputError, match="factory 0"):
        world.step({})
    with pytest.raises(InputError, match="ended"):
        play(spec, 0).step({})
    with pytest.raises(TypeError, match="cannot be copied"):
        copy.copy(world)
