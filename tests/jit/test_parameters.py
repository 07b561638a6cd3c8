"""Parameters by name: the same numbers in Python and compiled, not copies."""

import numpy as np
import pytest

from scml_gym.jit.arrays import scratch_floats
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.parameters import parameters_dtype, record_of

PAIR = parameters_dtype({"rate": 0.5, "slack": 0.1})
NESTED = np.dtype([("pairs", PAIR, (2,)), ("small", np.float32, (3,)), ("last", np.float64)])


@jittable
def double(pair):
    pair["rate"] = 2.0 * pair["rate"]
    return pair["rate"] + pair["slack"]


def use(numbers, first):
    own = record_of(scratch_floats(2), PAIR, 0)
    own["slack"] = 100.0
    return double(record_of(numbers, PAIR, first)) + own["slack"] + own["rate"]


def use_nested(numbers):
    record = record_of(numbers, NESTED, 1)
    small = record["small"]
    for i in range(3):
        small[i] = i + 1
    record["last"] = record["pairs"][1]["slack"]
    return record["pairs"][0]["rate"]


@pytest.mark.parametrize("function", [use, compiled(use)], ids=["python", "compiled"])
def test_numbers_are_read_and_written_by_name(function):
    numbers = np.arange(1.0, 6.0)
    assert function(numbers, 2) == 100.0 + 6.0 + 4.0
    assert numbers.tolist() == [1.0, 2.0, 6.0, 4.0, 5.0]


@pytest.mark.parametrize("function", [use_nested, compiled(use_nested)], ids=["python", "compiled"])
def test_records_may_be_nested_and_of_other_numbers(function):
    numbers = np.arange(10.0)
    assert function(numbers) == 1.0
    found = numbers[1:].view(np.uint8)[: NESTED.itemsize].view(NESTED)[0]
    assert found["small"].tolist() == [1.0, 2.0, 3.0] and found["last"] == 4.0
