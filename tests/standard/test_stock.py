"""The stock family: what it holds and sells, how it finds out the stock rule, and its population."""

import numpy as np
import pytest

from scml_gym.game.strategy import StrategyPolicy
from scml_gym.standard.players import player_maker
from scml_gym.standard.rules import stock_after
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.strategies.stock import DRAWN, KEPT, N_TRAITS, RULE, STOCK_POPULATION, TRAITS, TRAITS_AT, USED
from scml_gym.standard.view import ACCEPT, MAX_PER_LEVEL, OFFER
from scml_gym.standard.worlds.compiled.generation import compiled_spec
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from tests.helpers.standard_views import make_view, random_views

NONE = (0, 0, 0)


def act(name, view, **traits):
    return StrategyPolicy(STRATEGIES.get(name), 0, traits).act(view)


def offered(actions, side=slice(0, MAX_PER_LEVEL)):
    """Items offered by day."""
    totals: dict[int, int] = {}
    for answer in actions[side][actions[side]["response"] == OFFER]:
        totals[int(answer["day"])] = totals.get(int(answer["day"]), 0) + int(answer["quantity"])
    return totals


SALES = slice(MAX_PER_LEVEL, None)


def test_ten_once_fills_its_stock_for_today_and_buys_no_more():
    suppliers = [NONE] * 4
    assert offered(act("ten-once", make_view(suppliers=suppliers, stock=0))) == {3: 10}
    assert offered(act("ten-once", make_view(suppliers=suppliers, stock=4, sales=[6], supplies=[3]))) == {3: 9}
    assert offered(act("ten-once", make_view(suppliers=suppliers, stock=10, sales=[10]))) == {}


def test_ten_once_sells_its_stock_anew_for_each_day():
    actions = act("ten-once", make_view(consumers=[NONE] * 8, stock=10, sales=[10, 4, 10, 10, 10, 10, 10, 10, 10, 10]))
    assert offered(actions, SALES) == {4: 6, 13: 10}
    physical = act("stock-planner", make_view(consumers=[NONE] * 8, stock=10, sales=[5]))
    assert sum(offered(physical, SALES).values()) == 5


@pytest.mark.parametrize("seed", range(2))
def test_ten_once_never_promises_more_than_stock_and_lines(seed):
    for view in random_views(np.random.default_rng(seed), 300):
        actions, partners = act("ten-once", view), view["partners"]
        promised = view["sales"].copy()
        promised[0] += view["exogenous_sales"]
        before = promised.copy()
        for k in range(MAX_PER_LEVEL, 2 * MAX_PER_LEVEL):
            if partners[k]["running"] and not partners[k]["my_turn"] and partners[k]["my_quantity"]:
                before[partners[k]["my_day"] - view["day"]] += partners[k]["my_quantity"]
                promised[partners[k]["my_day"] - view["day"]] += partners[k]["my_quantity"]
            new = {ACCEPT: partners[k][["offer_quantity", "offer_day"]], OFFER: actions[k][["quantity", "day"]]}
            quantity, day = new.get(int(actions[k]["response"]), (0, view["day"]))
            promised[day - view["day"]] += quantity
        stock = int(view["stock"])
        for ahead, sold in enumerate(promised):
            bought = view["supplies"][ahead] + view["exogenous_supply"] * (ahead == 0)
            can_make = min(int(view["lines"]), stock + bought)
            assert sold <= can_make or sold == before[ahead]
            stock = stock_after(False, stock, bought, can_make)


def test_the_dear_one_holds_out_for_half_of_the_rounds_and_offers_more():
    view = make_view(consumers=[(4, 3, 27), NONE], stock=10, time=5)
    assert act("ten-once", view)["response"][8] == ACCEPT
    assert act("ten-once-dear", view)["response"][8] == OFFER
    late = make_view(consumers=[(4, 3, 27), NONE], stock=10, time=12)
    assert act("ten-once-dear", late)["response"][8] == ACCEPT
    last_day = make_view(consumers=[NONE] * 3, stock=10, n_days=4)
    assert offered(act("ten-once-dear", last_day), SALES) == {3: 15}
    first = make_view(level=0, consumers=[NONE] * 3, exogenous_supply=8, n_days=4)
    assert offered(act("ten-once-dear", first), SALES) == {3: 8}


def test_the_weak_one_buys_whatever_is_in_stock():
    assert offered(act("stock-weak", make_view(suppliers=[NONE] * 4, stock=50))) == {3: 8}
    assert offered(act("stock-planner", make_view(suppliers=[NONE] * 4, stock=50))) == {}


@pytest.mark.parametrize(("stock", "rule"), [("league", KEPT), ("physical", USED)])
def test_the_planner_finds_out_the_stock_rule(stock, rule):
    spec = compiled_spec(5, days=12, factories_per_level=4, n_levels=3)
    seat, names = 4, ["sync-random", "just-in-time", "greedy"]
    players = [player_maker(names[i % 3])(5) for i in range(spec.n_factories)]
    players[seat] = None
    world, policy = CompiledWorld(spec, players, stock=stock), StrategyPolicy(STRATEGIES.get("stock-planner"), 5)
    world.start()
    policy.begin(world.view(seat))
    while world.pending:
        world.step({seat: policy.act(world.view(seat))})
        for last in world.closed_days(seat):
            policy.end_day(last)
    assert policy.state[RULE] == rule
    assert world.scores[seat] > 1.0


def drawn_traits(seed=0, factory=0):
    """The traits of a factory of the population after its first decision."""
    policy = StrategyPolicy(STOCK_POPULATION, seed)
    view = make_view(consumers=[NONE] * 3, factory=factory)
    policy.begin(view)
    policy.act(view)
    assert policy.state[DRAWN] == 1.0
    return policy.state[TRAITS_AT : TRAITS_AT + N_TRAITS].copy()


def test_characters_differ_between_factories_and_worlds_and_repeat_by_seed():
    np.testing.assert_array_equal(drawn_traits(3, 2), drawn_traits(3, 2))
    for other in (drawn_traits(3, 1), drawn_traits(4, 2)):
        assert (other != drawn_traits(3, 2)).all()


def test_traits_lie_in_their_ranges_and_fill_them():
    traits = np.array([drawn_traits(seed) for seed in range(300)])
    low, high = STOCK_POPULATION.parameter_array().reshape(-1, 2).T
    assert ((low <= traits) & (traits <= high)).all()
    assert (np.ptp(traits, axis=0) >= 0.9 * (high - low)).all()


def test_a_population_of_one_character_plays_as_that_member():
    equal = {f"{trait}_{end}": value for trait, value in TRAITS.items() for end in ("min", "max")}
    for view in random_views(np.random.default_rng(1), 40):
        np.testing.assert_array_equal(act("stock-population", view, **equal), act("ten-once", view))


def test_strong_members_beat_weak_ones_in_the_same_seats():
    """Middle and last level of worlds of the track's other strategies, by the league's rule."""
    scores: dict[str, list[float]] = {"stock-weak": [], "stock-population": [], "ten-once": []}
    others = ["sync-random", "just-in-time", "greedy"]
    for seed in range(4):
        spec = compiled_spec(seed, days=25, factories_per_level=4, n_levels=3)
        for name, found in scores.items():
            for seat in (5, 9):
                names = [others[i % 3] for i in range(spec.n_factories)]
                names[seat] = name
                world = CompiledWorld(spec, [player_maker(n)(seed) for n in names])
                world.run()
                found.append(float(world.scores[seat]))
    weak, drawn, strong = (np.mean(found) for found in scores.values())
    assert weak + 0.1 < drawn < strong - 0.05
