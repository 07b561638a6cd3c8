"""Alpha: what the coordinator is shown, the teacher, the network fitted to it, every way to alpha of the registry."""

import functools

import numpy as np
import pytest

from scml_gym.agents.hrl_xf.agent_hyperparameters import CoordinatorStage
from scml_gym.agents.hrl_xf.alphas import ALPHAS, teacher
from scml_gym.agents.hrl_xf.coordinator import Coordinator
from scml_gym.agents.hrl_xf.distilling import distil
from scml_gym.agents.hrl_xf.monitor import (
    AFFORDED,
    AHEAD,
    BROADCAST,
    CONSUMER,
    LACKING,
    NEGOTIATION,
    TIME,
    Situation,
    monitor,
)
from scml_gym.agents.hrl_xf.observing import observe, tell_goals
from scml_gym.core.errors import InputError
from scml_gym.standard.players import player_maker
from scml_gym.standard.safety.bounds import COVERED
from scml_gym.standard.view import MAX_PER_LEVEL, StandardView
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.generation import league_spec

GOALS = np.full((2, 11), 3.0)


def situation_of(view, goals=GOALS):
    shown = observe(view, COVERED)
    rows = shown.rows.copy()
    if goals is not None:
        tell_goals(rows, goals[shown.due // MAX_PER_LEVEL], shown.agreed[shown.due // MAX_PER_LEVEL], view["lines"])
    return monitor(view, shown, rows, goals)


@functools.cache
def seen() -> list[StandardView]:
    """What strategies of a world of three levels see at their decisions."""
    views, spec = [], league_spec(4, 4, 3, 3)
    world = CompiledWorld(spec, [player_maker("stock-planner")(4) for _ in range(9)], 4)
    world.look([lambda view, actions: views.append(view.copy())] * 9)
    world.run()
    return [view for view in views if view["partners"]["my_turn"].any()]


@functools.cache
def situations():
    return [situation_of(view) for view in seen()]


def drawn(n, seed=0):
    draws = np.random.default_rng(seed)
    negotiations = draws.random((n, NEGOTIATION), np.float32)
    return Situation(negotiations, draws.random(len(BROADCAST), np.float32))


def test_the_monitor_is_a_function_of_the_view_and_the_goals_and_knows_agreements_at_once():
    agreed = [view for view in seen() if view["partners"]["agreed_quantity"].sum() > 0]
    assert agreed
    for view in agreed[:5]:
        before, told = view.copy(), situation_of(view)
        assert np.array_equal(view, before)
        for again, part in zip(situation_of(view), told, strict=True):
            assert np.array_equal(again, part) and np.isfinite(part).all()
        assert told.negotiations.shape == (view["partners"]["my_turn"].sum(), NEGOTIATION)
        assert told.broadcast.shape == (len(BROADCAST),)
        k = np.flatnonzero(view["partners"]["agreed_quantity"])[0]
        side = ("supplies", "sales")[k // MAX_PER_LEVEL]
        ahead = view["partners"][k]["agreed_day"] - view["day"]
        lacking = BROADCAST.index(f"lacking_{side}_{ahead}")
        view["partners"][k]["agreed_quantity"] += 2
        assert situation_of(view).broadcast[lacking] == pytest.approx(told.broadcast[lacking] - 2 / view["lines"])


def test_without_goals_nothing_is_lacking():
    told = situation_of(seen()[0], None)
    assert not told.negotiations[:, LACKING].any() and told.broadcast[BROADCAST.index("goals_known")] == 0
    assert not any(told.broadcast[i] for i, name in enumerate(BROADCAST) if name.startswith("lacking"))


def test_the_teacher_is_eager_for_what_lacks_is_late_and_near_and_reluctant_where_money_lacks():
    plain = np.zeros((1, NEGOTIATION), np.float32)
    plain[:, AFFORDED], plain[:, LACKING], plain[:, TIME], plain[:, AHEAD] = 1.0, 0.3, 0.5, 0.5
    for column, more in ((LACKING, 0.6), (TIME, 0.9), (AFFORDED, 1.0)):
        other = plain.copy()
        other[:, column] = more
        assert (teacher(other) > teacher(plain)) == (column != AFFORDED)
    for column, less in ((AHEAD, 0.9), (AFFORDED, 0.2), (LACKING, 0.0)):
        other = plain.copy()
        other[:, column] = less
        assert teacher(other) < teacher(plain)
    numbers = np.concatenate([teacher(one.negotiations) for one in situations()])
    assert numbers.min() >= -1 and numbers.max() <= 1 and numbers.std() > 0.05


def test_who_sells_can_afford_it_and_who_buys_only_what_the_money_pays_for():
    view = next(v for v in seen() if v["partners"]["my_turn"][:8].any() and v["partners"]["my_turn"][8:].any())
    poor = view.copy()
    poor["balance"] = view["input_price"]
    rich, short = situation_of(view).negotiations, situation_of(poor).negotiations
    buys = rich[:, CONSUMER] == 0
    assert (rich[:, AFFORDED] == 1).all() and (short[~buys, AFFORDED] == 1).all()
    assert short[buys, AFFORDED] == pytest.approx(1 / (short[buys, LACKING] * view["lines"]), rel=1e-3)


@pytest.mark.parametrize("name", ALPHAS)
def test_every_way_gives_each_negotiation_an_alpha_whatever_the_order_and_the_others(name):
    way, network = ALPHAS.get(name), Coordinator(8, 4, 1)
    some, others = drawn(5), drawn(2, seed=1)
    alphas = way.alphas([some, others], network)
    assert alphas.shape == (7,) and (np.abs(alphas) <= 1).all()
    assert way.alphas([some], network) == pytest.approx(alphas[:5], abs=1e-6)  # of another factory
    turned = some._replace(negotiations=some.negotiations[::-1].copy())
    assert way.alphas([turned], network)[::-1] == pytest.approx(alphas[:5], abs=1e-5)
    if way.fitted:
        assert np.ptp(alphas[:5]) > 0
        with pytest.raises(InputError, match="there is no coordinator yet"):
            way.alphas([some], None)
    assert way.fitted or not way.learns


@pytest.mark.slow
def test_the_distilled_network_coordinates_as_the_teacher():
    stage = CoordinatorStage(
        take="train", width=16, heads=4, layers=1, worlds=1, epochs=40, batch_size=16, learning_rate=3e-3
    )
    network, left = distil(situations(), stage, 0)
    wanted = np.concatenate([teacher(one.negotiations) for one in situations()])
    assert left < 0.1 * wanted.var()
    again, _ = distil(situations(), stage, 0)
    alphas = ALPHAS.get("distilled").alphas(situations(), network)
    assert np.array_equal(alphas, ALPHAS.get("learnt").alphas(situations(), again))
    assert np.corrcoef(alphas, wanted)[0, 1] > 0.95
