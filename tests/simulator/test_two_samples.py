"""Two samples compared: what is equal is not told apart, and what differs in a mean, a spread or a dependence is."""

import numpy as np
import pytest

from scml_gym.simulator.two_samples import compare, holm


def sample(seed, shift=0.0, spread=1.0, tied=0.0):
    rng = np.random.default_rng(seed)
    a, noise = rng.normal(size=400), rng.normal(size=400)
    return {"a": shift + spread * a, "b": tied * a + (1 - tied) * noise, "few": rng.integers(0, 3, 400).astype(float)}


def test_equal_distributions_are_not_told_apart():
    rows = compare(sample(0), sample(1), [("a", "b")])
    assert [row.statistic for row in rows if row.adjusted < 0.05] == [] and len(rows) == 4
    assert {row.test for row in rows if row.statistic == "few"} == {"chi-square"}


@pytest.mark.parametrize(
    ("change", "statistic"), [({"shift": 0.5}, "a"), ({"spread": 1.6}, "a"), ({"tied": 0.9}, "a x b")]
)
def test_a_difference_is_seen(change, statistic):
    rows = compare(sample(0), sample(1, **change), [("a", "b")])
    assert statistic in [row.statistic for row in rows if row.adjusted < 0.01]


def test_a_statistic_that_some_worlds_lack_is_compared_by_that_too():
    first, second = sample(0), sample(1)
    second["b"][:100] = np.nan
    assert compare(first, second)[0].statistic == "b"


def test_holm_is_stricter_for_the_first():
    assert holm([0.01, 0.02, 0.9]) == pytest.approx([0.03, 0.04, 0.9])
    assert holm([0.02, 0.02, 0.03, 0.5]) == pytest.approx([0.08, 0.08, 0.08, 0.5])
