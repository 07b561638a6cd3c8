"""SpecPool: worlds drawn by scml's own generator beforehand and kept in one file, to draw from at no cost.

    python -m scml_gym.oneshot.worlds.pool --worlds 1000 --days 50 --out pool.npz

A pool is a world generator: ``gymnasium.make(..., generator=SpecPool.load("pool.npz"), days=50)``. Its worlds are the
league's to the last bit; there are only as many of them as it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np

from scml_gym.core.arguments import Range
from scml_gym.core.cli import run_main
from scml_gym.oneshot.view import MAX_PARTNERS
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES, WorldSpec
from scml_gym.oneshot.worlds.spec_record import DAILY_DTYPE, SPEC_DTYPE, fill_spec, read_spec
from scml_gym.simulator.pool_command import make_pool
from scml_gym.simulator.spec_pool import ArrayPool, PoolRange, Tables
from scml_gym.simulator.world_spec import MOST_DAYS


def _sizes(specs: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "days": specs["n_days"][:, None],
        "factories_per_level": np.stack([specs["n_sellers"], specs["n_buyers"]], axis=1),
    }


class SpecPool(ArrayPool):
    """A pool of OneShot worlds; see `ArrayPool`."""

    tables = Tables(
        schema="scml-gym-spec-pool-1",
        track=WorldSpec.track,
        draw=league_spec,
        ranges={
            "days": PoolRange("days", "--days", 50, 1, MOST_DAYS),
            "factories_per_level": PoolRange("factories_per_level", "--factories", (4, 8), 1, MAX_PARTNERS),
        },
        spec_dtype=SPEC_DTYPE,
        daily_dtype=DAILY_DTYPE,
        derived=("profit",),
        factories=MAX_FACTORIES,
        fill=fill_spec,
        read=read_spec,
        sizes=_sizes,
    )

    @classmethod
    def generate(
        cls,
        seeds: Sequence[int],
        days: Range = 50,
        factories_per_level: Range = (4, 8),
        workers: int = 1,
        progress: Callable[[int], None] | None = None,
    ) -> Self:
        """Draw worlds with `league_spec`; see `ArrayPool.from_seeds`."""
        return cls.from_seeds(seeds, days, factories_per_level, workers=workers, progress=progress)

    def __call__(self, seed: int, days: Range, factories_per_level: Range) -> WorldSpec:
        """The world that a seed draws among those within the ranges; see `select`."""
        return self.draw(seed, days, factories_per_level)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a pool and write it; exits with code 2 and one line for bad input."""
    make_pool(SpecPool, arguments, "python -m scml_gym.oneshot.worlds.pool")


if __name__ == "__main__":
    run_main(main)
