"""Surges: prices of one product rise several-fold over some days, trading prices follow, nothing else is changed."""

import dataclasses

import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.standard.envs.config import GENERATORS, StandardConfig
from scml_gym.standard.players import player_maker
from scml_gym.standard.worlds.compiled.generation import compiled_spec
from scml_gym.standard.worlds.compiled.world import CompiledWorld
from scml_gym.standard.worlds.surge import MOST_TIMES, RISE, STAY, surge_of

SURGES = {"surge": -1, "supply-surge": 0}
"""Generator -> the product whose prices rise, and the level that has its exogenous contracts."""


@pytest.mark.parametrize(("name", "at"), SURGES.items())
def test_a_surge_changes_the_prices_of_one_level_on_some_days_alone(name, at):
    begins = set()
    for seed in range(12):
        plain, surged = compiled_spec(seed, 40, 4, (2, 4)), GENERATORS.get(name)(seed, 40, 4, (2, 4))
        begin, times = surge_of(seed, 40)
        begins.add(begin)
        assert 10 <= begin <= 20 and (times[:begin] == 1).all() and times.max() == MOST_TIMES
        assert (np.diff(times[begin - 1 : begin + RISE]) > 0).all() and (times == MOST_TIMES).sum() == STAY
        assert (times[begin + 2 * RISE + STAY :] == 1).all()
        own = plain.level == range(plain.n_levels)[at]
        for field in dataclasses.fields(plain):
            before, after = getattr(plain, field.name), getattr(surged, field.name)
            if field.name == "exogenous_price":
                assert np.array_equal(before[~own], after[~own])
                assert np.array_equal(after[own], np.rint(before[own] * times))
            else:
                assert np.array_equal(before, after)
        again = GENERATORS.get(name)(seed, 40, 4, (2, 4))
        assert np.array_equal(again.exogenous_price, surged.exogenous_price)
    assert len(begins) > 3


@pytest.mark.parametrize(("name", "at"), SURGES.items())
def test_trading_prices_follow_and_say_nothing_before(name, at):
    prices = []
    for spec in (compiled_spec(3, 40, 4, 3), GENERATORS.get(name)(3, 40, 4, 3)):
        world = CompiledWorld(spec, [player_maker("stock-planner")(3) for _ in range(12)], 3)
        world.run()
        prices.append(world.trading_prices[at])
    begin = surge_of(3, 40).begin
    assert np.array_equal(prices[0][: begin + 1], prices[1][: begin + 1])
    rises = prices[1] / prices[0]
    assert rises.max() > 2 and (np.diff(rises[begin : begin + RISE]) > 0).all()
    assert rises[begin + 1] < 1.1  # the first day announces little


def test_environments_take_it_by_name_and_refuse_what_is_none():
    config = StandardConfig(generator="surge", opponents=["greedy"], days=(30, 40), factories_per_level=4, n_levels=3)
    sample = config.sample(5)
    times = surge_of(0, sample.spec.n_days).times
    assert len(times) == sample.spec.n_days and sample.spec.n_levels == 3
    with pytest.raises(InputError, match="unknown world generator 'surges'; did you mean 'surge'"):
        StandardConfig(generator="surges")
    with pytest.raises(InputError, match="days"):
        GENERATORS.get("surge")(1, 0)
