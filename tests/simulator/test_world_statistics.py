"""Statistics of worlds: the moments are those of SciPy."""

import numpy as np
import pytest
from scipy import stats

from scml_gym.simulator.world_statistics import correlation, moment


@pytest.mark.parametrize("values", [np.arange(7) % 3, np.random.default_rng(0).lognormal(size=(4, 9))])
def test_moments_and_correlations_are_those_of_scipy(values):
    assert moment(values, 3) == pytest.approx(stats.skew(values.ravel()), rel=1e-12)
    assert moment(values, 4) - 3 == pytest.approx(stats.kurtosis(values.ravel()), rel=1e-12)
    a, b = values.ravel()[1:], values.ravel()[:-1]
    assert correlation(a, b) == pytest.approx(stats.pearsonr(a, b).statistic, rel=1e-12)


def test_equal_numbers_have_neither():
    assert np.isnan(moment(np.full(5, 0.1), 3)) and np.isnan(correlation(np.full(5, 0.1), np.arange(5)))
