"""The compiled generators of all tracks: scml's own distribution, the same numbers in Python, records that fit."""

import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scml_gym.core.errors import InputError
from scml_gym.jit.compile import compiled
from scml_gym.simulator.two_samples import compare
from scml_gym.simulator.world_statistics import table_of
from tests.helpers.generators import TRACKS, empty, plain_spec

WORLDS = 200

seeds = st.integers(0, 2**64 - 1)
day_ranges = st.tuples(st.integers(1, 30), st.integers(0, 20)).map(lambda r: (r[0], r[0] + r[1]))
factory_ranges = st.tuples(st.integers(1, 8), st.integers(1, 8)).map(lambda r: (min(r), max(r)))
level_ranges = st.tuples(st.integers(2, 4), st.integers(2, 4)).map(lambda r: (min(r), max(r)))


@pytest.fixture(scope="module", params=TRACKS)
def track(request):
    return TRACKS[request.param]


def table(track, make, first=0, worlds=WORLDS):
    """Statistics of small worlds."""
    return table_of(track.statistics.world_statistics, (make(first + i, *track.ranges) for i in range(worlds)))


@pytest.fixture(scope="module")
def real(track):
    return table(track, track.real)


def differences(track, real, drawn):
    """Statistics in which two samples differ."""
    rows = compare(real, drawn, track.statistics.PAIRS)
    assert len(rows) > 130
    return [row for row in rows if row.adjusted < 0.01]


@pytest.mark.slow
def test_draws_from_the_distribution_of_the_league_generator(track, real):
    assert differences(track, real, table(track, track.compiled.compiled_spec)) == []


@pytest.mark.slow
def test_league_generator_agrees_with_itself(track, real):
    assert differences(track, real, table(track, track.real, first=1000)) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "statistic", "worlds"),
    [
        ("predictability", None, "day to day", WORLDS),
        ("price_deviation", (0.12, 0.24), "price", WORLDS),
        ("cash", (1.5, 3.0), "cash", WORLDS),
        ("shortfall_deviation", (0.0, 0.15), "shortfall", 50),
        ("supply", (0.85, 1.0), "supply", 50),
    ],
)
def test_altered_generator_is_told_apart(track, real, monkeypatch, name, value, statistic, worlds):
    changed = {name: value or track.predictability}
    monkeypatch.setattr(track.compiled, "LEAGUE", track.compiled.LEAGUE._replace(**changed))
    found = differences(track, real, table(track, partial(plain_spec, track), worlds=worlds))
    assert [row for row in found if statistic in row.statistic]


def compile_generate(track):
    """The generator as compiled code calls it."""
    generate = track.compiled.generate

    @compiled
    def run(seed, ends, record, daily):
        generate(seed, *ends, record, daily)

    return run


GENERATE = {name: compile_generate(track) for name, track in TRACKS.items()}


@pytest.mark.parametrize("name", TRACKS)
@settings(max_examples=25)
@given(seed=seeds, days=day_ranges, factories=factory_ranges, levels=level_ranges)
def test_equal_in_python_and_compiled_whatever_was_there_before(name, seed, days, factories, levels):
    track = TRACKS[name]
    ranges = (days, factories, levels)[: len(track.ranges)]
    ends = tuple(end for pair in ranges for end in pair)
    record, daily = empty(track, days[1] + 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as NumPy's on overflow
        track.compiled.generate(seed, *ends, record, daily)
    other_record, other_daily = empty(track, days[1] + 3, content=7)
    GENERATE[name](np.uint64(seed), ends, other_record, other_daily)
    assert record.tobytes() == other_record.tobytes() and daily.tobytes() == other_daily.tobytes()
    spec = track.records.read_spec(record, daily)
    assert spec.equals(track.compiled.compiled_spec(seed, *ranges))
    clean_record, clean_daily = empty(track, days[1] + 3)
    track.records.fill_spec(spec, clean_record, clean_daily)  # 0 beyond the world's days and factories
    assert record.tobytes() == clean_record.tobytes() and daily.tobytes() == clean_daily.tobytes()


def test_pure_function_of_the_seed(track):
    make = track.compiled.compiled_spec
    assert make(3).equals(make(3)) and make(-3).equals(make(2**64 - 3))
    worlds = [make(seed, 5) for seed in range(40)]
    assert not any(a.n_factories == b.n_factories and a.equals(b) for i, a in enumerate(worlds) for b in worlds[:i])


@pytest.mark.parametrize("ranges", [(0, 4), ((5, 4), 4), (10_001, 4), ((1, 2, 3), 4), (5, 0), (5, 9), (5, (3, 2))])
def test_refuses_impossible_ranges(track, ranges):
    with pytest.raises(InputError, match=r"give a number or a pair"):
        track.compiled.compiled_spec(0, *ranges)


@pytest.mark.parametrize("way", ["real", "compiled"])
def test_record_form_holds_a_whole_spec(track, way):
    make = track.real if way == "real" else track.compiled.compiled_spec
    fill_spec, read_spec = track.records.fill_spec, track.records.read_spec
    for seed in range(4):
        spec = make(seed, (5, 12), (1, 8), *track.ranges[2:])
        record, daily = empty(track, spec.n_days + seed, content=5)
        fill_spec(spec, record, daily)
        again = read_spec(record, daily)
        assert again.equals(spec)
        clean_record, clean_daily = empty(track, spec.n_days + seed)
        fill_spec(again, clean_record, clean_daily)
        assert record.tobytes() == clean_record.tobytes() and daily.tobytes() == clean_daily.tobytes()
        daily["exogenous_quantity"] = record["lines"][0] = 3
        assert again.equals(spec)  # arrays of its own


def test_record_form_refuses_what_does_not_fit(track):
    fill_spec, read_spec = track.records.fill_spec, track.records.read_spec
    spec = track.compiled.compiled_spec(0, 5, 2)
    record, daily = empty(track, 4)
    with pytest.raises(InputError, match="5 days does not fit a table of 4 days"):
        fill_spec(spec, record, daily)
    for wrong_record, wrong_daily in (
        (record, daily[:, :-1]),
        (record, np.zeros(daily.shape)),
        (np.zeros(1, record.dtype), daily),
        (None, daily),
    ):
        with pytest.raises(InputError, match="give"):
            fill_spec(spec, wrong_record, wrong_daily)
        with pytest.raises(InputError, match="give"):
            read_spec(wrong_record, wrong_daily)
    record, daily = empty(track, 5)
    fill_spec(spec, record, daily)
    for days in (0, 6):
        record["n_days"] = days
        with pytest.raises(InputError, match=f"says {days} days"):
            read_spec(record, daily)


def test_drawn_world_can_be_saved(track, tmp_path):
    spec = track.compiled.compiled_spec(5, 4, 2)
    spec.save(tmp_path / "spec.npz")
    assert type(spec).load(tmp_path / "spec.npz").equals(spec)
