"""Comparisons of independent samples, against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scml_gym.evaluation.independent import contrast, effect_size, holm, mean_interval, welch

samples = st.lists(st.floats(-10, 10).map(lambda x: round(x, 3)), min_size=2, max_size=20).map(np.array)


@given(samples, samples)
def test_welch_is_scipys(first, second):
    ours = welch(first, second)
    if np.ptp(first) == np.ptp(second) == 0:
        assert ours.low == ours.high
        return
    theirs = stats.ttest_ind(first, second, equal_var=False)
    interval = theirs.confidence_interval(0.95)
    assert ours.p == pytest.approx(theirs.pvalue, abs=1e-9)
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high))
    assert ours.freedom == pytest.approx(theirs.df)


def test_the_interval_of_a_mean_is_students():
    sample = np.array([1.0, 2.0, 4.0, 3.5])
    expected = stats.t.interval(0.95, 3, sample.mean(), stats.sem(sample))
    assert mean_interval(sample)[1:3] == pytest.approx(expected)


def test_a_contrast_covers_what_it_estimates():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        groups = [rng.normal(mean, sd, 6) for mean, sd in ((0, 0.1), (1, 2.0), (3, 1.0))]
        found = contrast(groups, [0.5, 0.5, -1.0])
        covered += found.low <= -2.5 <= found.high
    assert 0.92 * 400 <= covered <= 0.985 * 400


def test_effect_sizes():
    rng = np.random.default_rng(0)
    first, second = rng.normal(1, 1, 4000), rng.normal(0, 1, 4000)
    size = effect_size(first, second)
    assert size.low < 1 < size.high
    assert size.high - size.low < 0.1
    assert np.isnan(effect_size(np.ones(3), np.ones(3)).g)


def test_holm_of_a_known_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
