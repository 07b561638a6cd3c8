"""Elementary functions of float32 are those of NumPy, within a few units in the last place."""

import numpy as np
import pytest

from scml_gym.jit.compile import compiled
from scml_gym.jit.elementary import exponential, tanh


@compiled
def exponentials(values):
    for i in range(len(values)):
        values[i] = exponential(values[i])


@pytest.mark.parametrize(
    ("compute", "expected", "low", "high"), [(exponentials, np.exp, -87, 88), (compiled(tanh), np.tanh, -30, 30)]
)
def test_they_are_those_of_numpy(compute, expected, low, high):
    values = np.linspace(low, high, 100_001).astype(np.float32)
    exact = expected(values.astype(np.float64))
    compute(values)
    assert np.abs(values - exact).max() / max(1.0, exact.max()) < 3e-7
    assert np.all(np.diff(values) >= -3e-7 * np.maximum(1.0, values[1:]))


def test_far_below_the_exponential_is_zero():
    values = np.array([-1e8, -1e30, -88], np.float32)
    exponentials(values)
    assert values.tolist() == [0, 0, 0]
