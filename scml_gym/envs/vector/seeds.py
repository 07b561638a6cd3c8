"""The seeds of the episodes of each row of a batch: those that the single environment draws from its generator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from gymnasium.utils import seeding

from scml_gym.compiling import jittable

AHEAD = 64
"""So many are drawn at once, as one at a time takes longer than the rest of a step in Python."""


class Seeds(NamedTuple):
    """Seeds that have been drawn for ``n`` rows."""

    ahead: np.ndarray  # uint64 (n, AHEAD)
    used: np.ndarray  # int64 (n,), how many of a row's


@jittable
def next_seed(seeds: Seeds, i: int) -> int:
    """A row's next seed; there must be one."""
    used = seeds.used[i]
    seeds.used[i] = used + 1
    return seeds.ahead[i, used]


class SeedStreams:
    """A stream of seeds for each row, of which some are drawn ahead.

    Args:
        seeds: Of the rows, as given to ``reset``.

    Attributes:
        drawn: For compiled code, which may take one seed of each row before it is `refilled`.
    """

    def __init__(self, seeds: Sequence[int | None]):
        n = len(seeds)
        self._generators = [seeding.np_random(None if seed is None else int(seed))[0] for seed in seeds]
        self.drawn = Seeds(np.zeros((n, AHEAD), dtype=np.uint64), np.full(n, AHEAD))
        self.refill()

    def renew(self, i: int, seed: int) -> None:
        """Begin a row's stream anew."""
        self._generators[i], self.drawn.used[i] = seeding.np_random(int(seed))[0], AHEAD
        self.refill()

    def refill(self) -> None:
        """Draw further ones for the rows that have none left."""
        ahead, used = self.drawn
        for i in np.flatnonzero(used == AHEAD):
            ahead[i], used[i] = self._generators[i].integers(2**62, size=AHEAD), 0

    def peek(self, indices: np.ndarray) -> np.ndarray:
        """The next seed of each of some rows, uint64, as long as ``indices``; it stays the next one."""
        return self.drawn.ahead[indices, self.drawn.used[indices]]

    def draw(self, indices: np.ndarray) -> np.ndarray:
        """The next seed of each of some rows, uint64, as long as ``indices``."""
        seeds = self.peek(indices)
        self.drawn.used[indices] += 1
        self.refill()
        return seeds
