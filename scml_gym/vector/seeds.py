"""The seeds of the episodes of each row of a batch: those that the single environment draws from its generator."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from gymnasium.utils import seeding

from scml_gym.jit.compile import jittable

AHEAD = 64
"""So many are drawn at once, as one at a time takes longer than the rest of a step in Python."""

GENERATORS = "generators"
"""Name of the generators among the arrays of a state: texts, of no certain length."""


class Seeds(NamedTuple):
    """Seeds that have been drawn for ``n`` rows."""

    ahead: np.ndarray  # uint64 (n, AHEAD)
    used: np.ndarray  # int64 (n,), how many of a row's
    dry: np.ndarray  # bool (1,): some row has none left


@jittable
def next_seed(seeds: Seeds, i: int) -> int:
    """A row's next seed; there must be one."""
    used = seeds.used[i]
    seeds.used[i] = used + 1
    if used + 1 == AHEAD:
        seeds.dry[0] = True
    return seeds.ahead[i, used]


class SeedStreams:
    """A stream of seeds for each row, of which some are drawn ahead.

    Args:
        seeds: Of the rows, as given to ``reset``.
    """

    def __init__(self, seeds: Sequence[int | None]):
        n = len(seeds)
        self._generators = [_generator(seed) for seed in seeds]
        self._drawn = Seeds(np.zeros((n, AHEAD), dtype=np.uint64), np.full(n, AHEAD), np.ones(1, dtype=np.bool_))

    def __len__(self) -> int:
        return len(self._generators)

    def renew(self, i: int, seed: int) -> None:
        """Begin a row's stream anew."""
        self._generators[i], self._drawn.used[i], self._drawn.dry[0] = _generator(seed), AHEAD, True

    def ready(self) -> Seeds:
        """For compiled code that takes one seed of each row at most."""
        ahead, used, dry = self._drawn
        if dry[0]:
            for i in np.flatnonzero(used == AHEAD):
                ahead[i], used[i] = self._generators[i].integers(2**62, size=AHEAD), 0
            dry[0] = False
        return self._drawn

    def peek(self, indices: np.ndarray) -> np.ndarray:
        """The next seed of each of some rows, uint64, as long as ``indices``; it stays the next one."""
        ahead, used, _ = self.ready()
        return ahead[indices, used[indices]]

    def draw(self, indices: np.ndarray) -> np.ndarray:
        """The next seed of each of some rows, uint64, as long as ``indices``, which names a row once."""
        seeds = self.peek(indices)
        self._drawn.used[indices] += 1
        self._drawn.dry[0] = (self._drawn.used[indices] == AHEAD).any()
        return seeds

    def state(self) -> dict[str, np.ndarray]:
        """Where the streams stand, as arrays."""
        ahead, used, _ = self._drawn
        texts = [json.dumps(generator.bit_generator.state) for generator in self._generators]
        return {"seeds": ahead, "seeds_used": used, GENERATORS: np.array(texts)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on where as many streams stood."""
        for generator, text in zip(self._generators, state[GENERATORS].tolist(), strict=True):
            generator.bit_generator.state = json.loads(text)
        self._drawn.ahead[:], self._drawn.used[:] = state["seeds"], state["seeds_used"]
        self._drawn.dry[0] = (self._drawn.used == AHEAD).any()


def _generator(seed: int | None) -> np.random.Generator:
    return seeding.np_random(int(seed) if isinstance(seed, np.integer) else seed)[0]
