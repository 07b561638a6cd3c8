"""The compiled generator of OneShot worlds: the rules of what it draws; see tests/simulator/test_generation.py."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scml_gym.core.errors import InputError
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.spec_record import fill_spec, read_spec
from tests.helpers.generators import TRACKS, empty

seeds = st.integers(0, 2**64 - 1)
day_ranges = st.tuples(st.integers(1, 30), st.integers(0, 20)).map(lambda r: (r[0], r[0] + r[1]))
factory_ranges = st.tuples(st.integers(1, 8), st.integers(1, 8)).map(lambda r: (min(r), max(r)))


@settings(max_examples=60)
@given(seed=seeds, days=day_ranges, factories=factory_ranges)
def test_rules_of_a_drawn_world(seed, days, factories):
    spec = compiled_spec(seed, days, factories)
    n = spec.n_sellers
    assert days[0] <= spec.n_days <= days[1]
    assert factories[0] <= n <= factories[1] and factories[0] <= spec.n_buyers <= factories[1]
    assert (spec.lines == 10).all() and spec.rounds == 20
    assert set(spec.production_cost[:n]) <= {1, 2, 3, 4} and set(spec.production_cost[n:]) <= {2, 4, 6, 8}
    quantity, price = spec.exogenous_quantity, spec.exogenous_price
    assert quantity.min() >= 0 and quantity.max() <= 10
    assert ((quantity > 0) == (price > 0)).all()
    supply, sales = quantity[:n].sum(axis=0), quantity[n:].sum(axis=0)
    # what a level was to share out, to the error that scml's rounding leaves (``distribute_quantities``)
    assert (supply > 8 * n - 2 * n).all()
    assert (sales < 10 * min(n, spec.n_buyers) + 2 * spec.n_buyers).all()
    low, high = spec.penalty_profile.min(axis=0), spec.penalty_profile.max(axis=0)
    assert low[0] >= 0.2 and high[0] <= 1.0 and low[2] >= 0.0 and high[2] <= 0.2 and low.min() >= 0
    assert (spec.penalty_profile[:, 1] <= 0.1 * spec.penalty_profile[:, 0]).all()
    assert (spec.penalty_profile[:, 3] <= 0.02 * spec.penalty_profile[:, 2]).all()
    assert spec.shortfall_penalty.min() >= 0 and spec.disposal_cost.min() >= 0
    first, middle, last = spec.catalog_prices
    assert first == 10 and 11 * 1.1 <= middle <= 14 * 1.2 + 1
    assert (middle - 1 + spec.production_cost[n:].max()) * 1.1 - 1 <= last
    assert len(set(spec.initial_balance[:n])) == 1 and len(set(spec.initial_balance[n:])) == 1
    inputs = supply.sum() * (10 + spec.production_cost[:n].max())
    assert 1.5 * inputs <= spec.initial_balance[0] * n <= 2.5 * inputs + 4 * n


@pytest.mark.parametrize("days", [1, 2])
def test_short_worlds_take_their_catalog_prices_from_the_last_day(days):
    for seed in range(20):
        spec = compiled_spec(seed, days, (2, 3))
        supplied = spec.exogenous_quantity[: spec.n_sellers, -1].sum()
        assert supplied > 0 and spec.n_days == days
        assert spec.catalog_prices[1] >= 12 and spec.catalog_prices[2] > spec.catalog_prices[1]


def test_a_known_world():
    known = compiled_spec(7, (3, 50), (1, 8))
    assert (known.n_sellers, known.n_buyers, known.n_days) == KNOWN_SHAPE
    assert (known.exogenous_quantity[:, 0].tolist(), known.exogenous_price[:, 0].tolist()) == KNOWN_DAY


KNOWN_SHAPE = (1, 5, 43)
KNOWN_DAY = ([9, 2, 2, 0, 3, 2], [9, 26, 30, 0, 31, 26])


@pytest.mark.parametrize(("name", "value"), [("n_sellers", 0), ("n_buyers", 9)])
def test_record_form_refuses_levels_that_do_not_fit(name, value):
    record, daily = empty(TRACKS["oneshot"], 5)
    fill_spec(compiled_spec(0, 5, 2), record, daily)
    record[name] = value
    with pytest.raises(InputError, match=f"{name}={value}"):
        read_spec(record, daily)
