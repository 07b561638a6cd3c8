"""The compiled generator of Standard worlds: the rules of what it draws; see tests/simulator/test_generation.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scml_gym.core.errors import InputError
from scml_gym.standard.worlds.compiled.generation import compiled_spec
from scml_gym.standard.worlds.spec_record import fill_spec, read_spec
from tests.helpers.generators import TRACKS, empty

seeds = st.integers(0, 2**64 - 1)
day_ranges = st.tuples(st.integers(1, 30), st.integers(0, 20)).map(lambda r: (r[0], r[0] + r[1]))
factory_ranges = st.tuples(st.integers(1, 8), st.integers(1, 8)).map(lambda r: (min(r), max(r)))
level_ranges = st.tuples(st.integers(2, 4), st.integers(2, 4)).map(lambda r: (min(r), max(r)))


@settings(max_examples=80)
@given(seed=seeds, days=day_ranges, factories=factory_ranges, levels=level_ranges)
def test_rules_of_a_drawn_world(seed, days, factories, levels):
    spec = compiled_spec(seed, days, factories, levels)
    sizes, last = spec.level_sizes, spec.n_levels - 1
    assert days[0] <= spec.n_days <= days[1] and levels[0] <= spec.n_levels <= levels[1]
    assert all(factories[0] <= size <= factories[1] for size in sizes)
    assert (spec.lines == 10).all() and spec.rounds == 20
    for level in range(spec.n_levels):
        members = spec.level == level
        assert set(spec.production_cost[members] / (level + 1)) <= {1, 2, 3, 4}
        assert len(set(spec.initial_balance[members])) == 1
    quantity, price = spec.exogenous_quantity, spec.exogenous_price
    assert quantity.min() >= 0 and ((quantity > 0) == (price > 0)).all()
    assert not quantity[(spec.level > 0) & (spec.level < last)].any()
    supply, sales = quantity[spec.level == 0].sum(axis=0), quantity[spec.level == last].sum(axis=0)
    # what a level was to share out, to the error that scml's rounding leaves (``distribute_quantities``)
    first, least = sizes[0], min(sizes)
    assert supply.min() > 0 and (supply < 10 * first + 2 * first).all()
    assert (sales < 10 * least + 2 * sizes[last]).all()
    profile = spec.penalty_profile
    assert profile[:, 0].min() >= 0.2 and profile[:, 0].max() <= 1.0
    assert profile[:, 2].min() >= 0.01 and profile[:, 2].max() <= 0.05
    assert (profile[:, 1] >= 0).all() and (profile[:, 1] <= 0.1 * profile[:, 0]).all() and not profile[:, 3].any()
    assert spec.shortfall_penalty.min() >= 0 and (spec.storage_cost == profile[:, 2:3]).all()
    prices = spec.catalog_prices
    assert prices[0] == 10 and not prices[spec.n_levels + 1 :].any()
    for level in range(spec.n_levels):
        cost = spec.production_cost[spec.level == level].max()
        assert (prices[level] - 1 + cost) * 1.1 - 1 <= prices[level + 1] <= (prices[level] + cost) * 1.2 + 1
    inputs = supply.sum() * (10 + spec.production_cost[:first].max())
    assert 1.5 * inputs <= spec.initial_balance[0] * first <= 2.5 * inputs + 4 * first


@pytest.mark.parametrize("days", [1, 2, 3])
def test_short_worlds_take_their_catalog_prices_from_the_last_day(days):
    for seed in range(20):
        spec = compiled_spec(seed, days, (2, 3), 4)
        assert spec.n_days == days and (np.diff(spec.catalog_prices) > 0).all()


def test_levels_are_equally_likely():
    counts = np.bincount([compiled_spec(seed, 5, 1).n_levels for seed in range(1200)], minlength=5)
    assert counts[:2].sum() == 0 and counts.sum() == 1200
    assert (np.abs(counts[2:] - 400) < 4 * np.sqrt(1200 * 2 / 9)).all()


def test_a_world_may_be_dealt_anew_every_day():
    """Of a hundred worlds about one has a level without shares of its own (predictability below 0.01)."""
    worlds = [compiled_spec(seed, 60, 8, 2) for seed in range(400)]
    spread = [spec.exogenous_quantity[spec.level == 0].mean(axis=1).std() for spec in worlds]
    assert min(spread) < 0.4 < np.median(spread)


def test_a_known_world():
    spec = compiled_spec(5, (3, 50), (1, 8))
    assert (spec.level_sizes, spec.n_days) == KNOWN_SHAPE
    assert (spec.exogenous_quantity[:, 0].tolist(), spec.exogenous_price[:, 0].tolist()) == KNOWN_DAY


KNOWN_SHAPE = ((6, 4, 1, 2), 21)
KNOWN_DAY = ([0, 5, 21, 12, 6, 5, 0, 0, 0, 0, 0, 7, 3], [0, 8, 11, 9, 11, 10, 0, 0, 0, 0, 0, 56, 54])


@pytest.mark.parametrize("levels", [1, 5, (3, 2), (2, 5), 2.5])
def test_refuses_impossible_levels(levels):
    with pytest.raises(InputError, match="n_levels="):
        compiled_spec(0, 5, 4, levels)


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [("n_levels", 5, "n_levels=5"), ("n_factories", 3, "in all 3"), ("sizes", [0, 4, 0, 0], r"sizes=\[0, 4")],
)
def test_record_form_refuses_levels_that_do_not_fit(name, value, part):
    record, daily = empty(TRACKS["standard"], 5)
    fill_spec(compiled_spec(0, 5, 2, 2), record, daily)
    record[name] = value
    with pytest.raises(InputError, match=part):
        read_spec(record, daily)
