"""The seeds of the episodes of each row of a batch: those that the single environment draws from its generator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium.utils import seeding

AHEAD = 64
"""So many are drawn at once, as one at a time takes longer than the rest of a step in Python."""


class SeedStreams:
    """A stream of seeds for each row.

    Args:
        seeds: Of the rows, as given to ``reset``.
    """

    def __init__(self, seeds: Sequence[int | None]):
        self._generators = [seeding.np_random(None if seed is None else int(seed))[0] for seed in seeds]
        self._ahead = np.zeros((len(seeds), AHEAD), dtype=np.uint64)
        self._used = np.full(len(seeds), AHEAD)

    def renew(self, i: int, seed: int) -> None:
        """Begin a row's stream anew."""
        self._generators[i], self._used[i] = seeding.np_random(int(seed))[0], AHEAD

    def draw(self, indices: np.ndarray) -> np.ndarray:
        """The next seed of each of some rows, uint64, as long as ``indices``."""
        used = self._used[indices]
        if (used == AHEAD).any():
            for i in indices[used == AHEAD]:
                self._ahead[i] = self._generators[i].integers(2**62, size=AHEAD)
            used %= AHEAD
        self._used[indices] = used + 1
        return self._ahead[indices, used]
