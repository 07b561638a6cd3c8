"""Seeds of later episodes, drawn ahead, are those that the single environment draws one at a time."""

from __future__ import annotations

import numpy as np
from gymnasium.utils import seeding

from scml_gym.vector.seeds import AHEAD, SeedStreams, next_seed


def one_at_a_time(seed: int, n: int) -> list[int]:
    """As an unseeded ``reset()`` does."""
    generator = seeding.np_random(seed)[0]
    return [int(generator.integers(2**62)) for _ in range(n)]


def test_streams_are_those_of_the_generators() -> None:
    """Through several fillings, however rows take turns."""
    n, streams = 3 * AHEAD, SeedStreams([7, 8])
    drawn: list[list[int]] = [[], []]
    for turn in range(n):
        rows = np.array([0, 1] if turn % 3 else [1])
        for row, seed in zip(rows, streams.draw(rows), strict=True):
            drawn[row].append(int(seed))
    assert drawn == [one_at_a_time(7 + row, len(drawn[row])) for row in range(2)]


def test_compiled_code_may_take_one_of_each_row() -> None:
    """`next_seed` gives what `peek` has shown, and a row without a seed is filled before the next use."""
    streams, rows = SeedStreams([5]), np.array([0])
    taken = []
    for _ in range(2 * AHEAD + 1):
        shown = int(streams.peek(rows)[0])
        taken.append(int(next_seed(streams.ready(), 0)))
        assert taken[-1] == shown
    assert taken == one_at_a_time(5, len(taken))


def test_a_renewed_stream_begins_anew() -> None:
    """And the others go on."""
    streams, both = SeedStreams([1, 2]), np.array([0, 1])
    streams.draw(both)
    streams.renew(0, 9)
    assert streams.draw(both).tolist() == [one_at_a_time(9, 1)[0], one_at_a_time(2, 2)[1]]
