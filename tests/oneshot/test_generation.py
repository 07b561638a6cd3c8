"""The compiled generator: the distribution of scml's own, the rules of what it draws, the same numbers in Python."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scml_gym.core.errors import InputError
from scml_gym.jit import random as random_stream
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.worlds.compiled import generation
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec, generate
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES, WorldSpec
from scml_gym.oneshot.worlds.spec_record import DAILY_DTYPE, SPEC_DTYPE, fill_spec, read_spec
from scml_gym.oneshot.worlds.statistics import compare, holm, table_of

WORLDS, DAYS = 150, (20, 30)

seeds = st.integers(0, 2**64 - 1)
day_ranges = st.tuples(st.integers(1, 30), st.integers(0, 20)).map(lambda r: (r[0], r[0] + r[1]))
factory_ranges = st.tuples(st.integers(1, 8), st.integers(1, 8)).map(lambda r: (min(r), max(r)))


def empty(days, content=0):
    """Memory that a world is written to."""
    record, daily = np.zeros(1, SPEC_DTYPE)[0], np.zeros((days, MAX_FACTORIES), DAILY_DTYPE)
    for table in (record, daily):
        for name in table.dtype.names:
            table[name] = content
    return record, daily


def plain_spec(seed, days=DAYS, factories=(4, 8)):
    record, daily = empty(days[1])
    generate(seed, *days, *factories, record, daily)
    return read_spec(record, daily)


@compiled
def compiled_generate(seed, days_low, days_high, factories_low, factories_high, record, daily):
    generate(seed, days_low, days_high, factories_low, factories_high, record, daily)


@pytest.fixture(scope="module")
def real():
    return table_of(league_spec(seed, DAYS) for seed in range(WORLDS))


@pytest.mark.slow
def test_draws_from_the_distribution_of_the_league_generator(real):
    rows = compare(real, table_of(compiled_spec(seed, DAYS) for seed in range(WORLDS)))
    assert len(rows) > 130
    assert [row for row in rows if row.adjusted < 0.01] == []


@pytest.mark.slow
def test_league_generator_agrees_with_itself(real):
    rows = compare(real, table_of(league_spec(seed, DAYS) for seed in range(1000, 1000 + WORLDS)))
    assert [row for row in rows if row.adjusted < 0.01] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "statistic"),
    [
        ("PREDICTABILITY", (0.8, 0.9), "change from day to day"),
        ("PRICE_DEVIATION", (0.12, 0.24), "price"),
        ("CASH", (1.5, 3.0), "cash"),
        ("SHORTFALL_DEVIATION", (0.0, 0.15), "shortfall"),
    ],
)
def test_altered_generator_is_told_apart(real, monkeypatch, name, value, statistic):
    monkeypatch.setattr(generation, name, value)
    rows = compare(real, table_of(plain_spec(seed) for seed in range(WORLDS)))
    assert [row for row in rows if row.adjusted < 0.01 and statistic in row.statistic]


@settings(max_examples=40)
@given(seed=seeds, days=day_ranges, factories=factory_ranges)
def test_equal_in_python_and_compiled_whatever_was_there_before(seed, days, factories):
    rows = days[1] + 3
    record, daily = empty(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as NumPy's on overflow
        generate(seed, *days, *factories, record, daily)
    other_record, other_daily = empty(rows, content=7)
    compiled_generate(np.uint64(seed), *days, *factories, other_record, other_daily)
    assert record.tobytes() == other_record.tobytes() and daily.tobytes() == other_daily.tobytes()
    n, n_days = record["n_sellers"] + record["n_buyers"], record["n_days"]
    for name in DAILY_DTYPE.names:
        assert not daily[name][n_days:].any() and not daily[name][:, n:].any()
    assert not daily["profit"].any() and not record["lines"][n:].any() and not record["penalty_profile"][n:].any()
    assert read_spec(record, daily).equals(compiled_spec(seed, days, factories))


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


def test_pure_function_of_the_seed():
    assert compiled_spec(3).equals(compiled_spec(3)) and compiled_spec(-3).equals(compiled_spec(2**64 - 3))
    worlds = [compiled_spec(seed, 5) for seed in range(40)]
    assert not any(a.equals(b) for i, a in enumerate(worlds) for b in worlds[:i])
    known = compiled_spec(7, (3, 50), (1, 8))
    assert (known.n_sellers, known.n_buyers, known.n_days) == KNOWN_SHAPE
    assert (known.exogenous_quantity[:, 0].tolist(), known.exogenous_price[:, 0].tolist()) == KNOWN_DAY


KNOWN_SHAPE = (1, 5, 43)
KNOWN_DAY = ([9, 2, 2, 0, 3, 2], [9, 26, 30, 0, 31, 26])


@pytest.mark.parametrize(
    ("days", "factories"), [(0, 4), ((5, 4), 4), (10_001, 4), ((1, 2, 3), 4), (5, 0), (5, 9), (5, (3, 2))]
)
def test_refuses_impossible_ranges(days, factories):
    with pytest.raises(InputError, match=r"give a number or a pair"):
        compiled_spec(0, days, factories)


@pytest.mark.parametrize("make", [league_spec, compiled_spec])
def test_record_form_holds_a_whole_spec(make):
    for seed in range(4):
        spec = make(seed, (3, 12), (1, 8))
        record, daily = empty(spec.n_days + seed, content=5)
        fill_spec(spec, record, daily)
        again = read_spec(record, daily)
        assert again.equals(spec)
        clean_record, clean_daily = empty(spec.n_days + seed)
        fill_spec(again, clean_record, clean_daily)
        assert record.tobytes() == clean_record.tobytes() and daily.tobytes() == clean_daily.tobytes()
        daily["exogenous_quantity"] = record["lines"][0] = 3
        assert again.equals(spec)  # arrays of its own


def test_record_form_refuses_what_does_not_fit():
    spec = compiled_spec(0, 5, 2)
    record, daily = empty(4)
    with pytest.raises(InputError, match="5 days does not fit a table of 4 days"):
        fill_spec(spec, record, daily)
    for wrong_record, wrong_daily in (
        (record, np.zeros((5, 8), DAILY_DTYPE)),
        (record, np.zeros((5, MAX_FACTORIES))),
        (np.zeros(1, SPEC_DTYPE), daily),
        (None, daily),
    ):
        with pytest.raises(InputError, match="give"):
            fill_spec(spec, wrong_record, wrong_daily)
        with pytest.raises(InputError, match="give"):
            read_spec(wrong_record, wrong_daily)
    record, daily = empty(5)
    with pytest.raises(InputError, match="says 0 days"):
        read_spec(record, daily)
    for name, value, part in (("n_days", 6, "6 days"), ("n_sellers", 0, "n_sellers=0"), ("n_buyers", 9, "n_buyers=9")):
        fill_spec(spec, record, daily)
        record[name] = value
        with pytest.raises(InputError, match=part):
            read_spec(record, daily)


@pytest.mark.parametrize("name", ["next_bits", "uniform", "normal"])
def test_streams_are_equal_in_python_and_compiled(name):
    draw = getattr(random_stream, name)

    @compiled
    def many(stream, out):
        for i in range(len(out)):
            out[i] = draw(stream)

    for seed in (0, 1, 2**63, 2**64 - 1):
        streams = np.zeros((2, 1), np.uint64)
        for stream in streams:
            random_stream.open_stream(stream, seed)
        out = np.zeros(3000, np.uint64 if name == "next_bits" else np.float64)
        many(streams[0], out)
        assert [draw(streams[1]) for _ in out] == out.tolist()
        assert streams[0] == streams[1]


def test_normal_numbers_are_normal():
    from scipy import stats

    @compiled
    def many(stream, out):
        for i in range(len(out)):
            out[i] = random_stream.normal(stream)

    stream, out = np.zeros(1, np.uint64), np.zeros(2_000_000)
    random_stream.open_stream(stream, 11)
    many(stream, out)
    edges = np.concatenate([[-np.inf], np.linspace(-4.2, 4.2, 169), [np.inf]])  # beyond the ziggurat's tail too
    counts = np.histogram(out, edges)[0]
    assert stats.chisquare(counts, np.diff(stats.norm.cdf(edges)) * len(out)).pvalue > 0.001
    assert abs(np.corrcoef(out[1:], out[:-1])[0, 1]) < 0.003


def test_holm_is_stricter_for_the_first():
    assert holm([0.01, 0.02, 0.9]) == pytest.approx([0.03, 0.04, 0.9])
    assert holm([0.02, 0.02, 0.03, 0.5]) == pytest.approx([0.08, 0.08, 0.08, 0.5])


def test_spec_of_the_generator_is_a_world_that_can_be_saved(tmp_path):
    compiled_spec(5, 4, 2).save(tmp_path / "spec.npz")
    assert WorldSpec.load(tmp_path / "spec.npz").equals(compiled_spec(5, 4, 2))
