"""Streams of random numbers: the same in Python and compiled, normal where they should be."""

import numpy as np
import pytest

from scml_gym.jit import random as random_stream
from scml_gym.jit.compile import compiled


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


def test_an_option_is_chosen_as_often_as_it_is_likely_and_never_one_of_probability_0():
    probabilities = np.array([0.0, 0.25, 0.0, 0.5, 0.25, 0.0])
    points = (np.arange(1000) + 0.5) / 1000
    chosen = [random_stream.choose(probabilities, point) for point in points]
    assert np.bincount(chosen, minlength=6).tolist() == [0, 250, 0, 500, 250, 0]
    assert random_stream.choose(probabilities, 1.0) == 4  # what rounding leaves
