"""SpecPool: worlds drawn by scml's own generator beforehand and kept in one file, to draw from at no cost.

    python -m scml_gym.oneshot.worlds.pool --worlds 1000 --days 50 --out pool.npz

A pool is a world generator: ``gymnasium.make(..., generator=SpecPool.load("pool.npz"), days=50)``. Its worlds are the
league's to the last bit; there are only as many of them as it holds.
"""

from __future__ import annotations

import argparse
import io
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from scml_gym.core.arguments import Range, whole, whole_range
from scml_gym.core.cli import run_main
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.core.reporting import progress_bar
from scml_gym.core.worker_processes import worker_processes
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import below, open_stream
from scml_gym.oneshot.view import MAX_PARTNERS
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES, WorldSpec
from scml_gym.oneshot.worlds.spec_record import DAILY_DTYPE, SPEC_DTYPE, fill_spec, read_spec
from scml_gym.simulator.world_spec import MOST_DAYS

SCHEMA = "scml-gym-spec-pool-1"
SPEC_FIELDS = tuple(SPEC_DTYPE.names or ())
DAILY_FIELDS = tuple(name for name in DAILY_DTYPE.names or () if name != "profit")


@jittable
def pool_index(seed: int, size: int) -> int:
    """Which of ``size`` worlds a seed, 0 to 2**64 - 1, draws; the same in Python and compiled."""
    stream = np.zeros(1, dtype=np.uint64)
    open_stream(stream, seed)
    return below(stream, size)


@dataclass(frozen=True, eq=False)
class SpecPool:
    """Worlds with the ranges that they were drawn from.

    Attributes:
        specs: ``SPEC_DTYPE`` of shape ``(n,)``.
        daily: ``DAILY_DTYPE`` of shape ``(n, most days, MAX_FACTORIES)``, 0 beyond a world's days and factories.
        days: Both ends of the range of simulated days.
        factories_per_level: Both ends of the range of factories of each level.
        seeds: uint64 ``(n,)``, of `league_spec`, modulo 2**64.
    """

    specs: np.ndarray
    daily: np.ndarray
    days: tuple[int, int]
    factories_per_level: tuple[int, int]
    seeds: np.ndarray
    _subsets: dict[Any, np.ndarray] = field(default_factory=dict, repr=False)

    @classmethod
    def generate(
        cls,
        seeds: Sequence[int],
        days: Range = 50,
        factories_per_level: Range = (4, 8),
        workers: int = 1,
        progress: Callable[[int], None] | None = None,
    ) -> SpecPool:
        """Draw worlds with `league_spec`.

        Args:
            seeds: One for each world.
            days: As in `league_spec`.
            factories_per_level: As in `league_spec`.
            workers: Processes; changes no result. Above 1, the calling script needs an
                ``if __name__ == "__main__"`` guard.
            progress: Called with the number of worlds drawn so far.

        Raises:
            InputError: if there is no seed, no worker, or a range that `league_spec` refuses.
        """
        seeds = list(seeds)
        workers = whole("workers", workers)
        if not seeds:
            raise InputError("a pool of 0 worlds: at least one is needed")
        specs = [league_spec(seeds[0], days, factories_per_level)]  # refuses bad ranges before workers are started
        arguments = (seeds[1:], repeat(days), repeat(factories_per_level))
        with worker_processes(workers) if workers > 1 else nullcontext() as pool:
            for spec in pool.map(league_spec, *arguments, chunksize=16) if pool else map(league_spec, *arguments):
                specs.append(spec)
                if progress:
                    progress(len(specs))
        days_ends, factory_ends = _ends(days, factories_per_level)
        records = np.zeros(len(specs), SPEC_DTYPE)
        daily = np.zeros((len(specs), max(spec.n_days for spec in specs), MAX_FACTORIES), DAILY_DTYPE)
        for i, spec in enumerate(specs):
            fill_spec(spec, records[i], daily[i])
        numbers = np.array([seed & 0xFFFFFFFFFFFFFFFF for seed in seeds], dtype=np.uint64)
        return cls(records, daily, days_ends, factory_ends, numbers)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an npz file, whole or not at all."""
        arrays: dict[str, Any] = {name: self.specs[name] for name in SPEC_FIELDS}
        arrays |= {name: self.daily[name] for name in DAILY_FIELDS}
        arrays |= {"schema": SCHEMA, "seeds": self.seeds, "days": self.days}
        arrays |= {"factories_per_level": self.factories_per_level}
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)
        replace_file(Path(path), content.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SpecPool:
        """Read what ``save`` wrote.

        Raises:
            InputError: if the file is missing, is no pool, is of another schema, or its arrays do not fit together.
        """
        try:
            with np.load(path, allow_pickle=False) as data:
                content = dict(data)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: cannot be read as a pool of world specs ({error})") from error
        except TypeError as error:  # a single array has no names
            raise InputError(f"{path}: an array, not a pool of world specs") from error
        schema = str(content.pop("schema", "none"))
        if schema != SCHEMA or set(content) != {"days", "factories_per_level", "seeds", *SPEC_FIELDS, *DAILY_FIELDS}:
            raise InputError(f"{path}: schema {schema!r} instead of {SCHEMA!r}")
        n, longest = len(np.atleast_1d(content["seeds"])), (*content[DAILY_FIELDS[0]].shape, 0, 0)[1]
        specs, daily = np.zeros(n, SPEC_DTYPE), np.zeros((n, longest, MAX_FACTORIES), DAILY_DTYPE)
        for table, names in ((specs, SPEC_FIELDS), (daily, DAILY_FIELDS)):
            for name in names:
                if content[name].shape != table[name].shape or content[name].dtype != table[name].dtype:
                    raise InputError(
                        f"{path}: {name} is {content[name].dtype} of shape {content[name].shape},"
                        f" not {table[name].dtype} of shape {table[name].shape}"
                    )
                table[name] = content[name]
        for name, most in (("n_days", longest), ("n_sellers", MAX_PARTNERS), ("n_buyers", MAX_PARTNERS)):
            if n == 0 or specs[name].min() < 1 or specs[name].max() > most:
                raise InputError(f"{path}: {name} is not 1 to {most} in each of {n} worlds")
        (day_low, day_high), (low, high) = (map(int, content[name]) for name in ("days", "factories_per_level"))
        return cls(specs, daily, (day_low, day_high), (low, high), content["seeds"])

    def __len__(self) -> int:
        """How many worlds."""
        return len(self.specs)

    def __getitem__(self, index: int) -> WorldSpec:
        """One world, as arrays of its own.

        Raises:
            IndexError: beyond the last.
        """
        return read_spec(self.specs[index], self.daily[index])

    def __iter__(self) -> Iterator[WorldSpec]:
        """All worlds in their order."""
        return map(self.__getitem__, range(len(self)))

    def __call__(self, seed: int, days: Range, factories_per_level: Range) -> WorldSpec:
        """The world that a seed draws among those within the ranges; see `select`."""
        indices = self._within(days, factories_per_level)
        return self[int(indices[pool_index(seed & 0xFFFFFFFFFFFFFFFF, len(indices))])]

    def select(self, days: Range, factories_per_level: Range) -> SpecPool:
        """The worlds within ranges, in their order: distributed as if drawn from these.

        Raises:
            InputError: if a range reaches beyond what the pool was drawn from, or no world is within both.
        """
        indices = self._within(days, factories_per_level)
        ends = _ends(days, factories_per_level)
        return SpecPool(self.specs[indices], self.daily[indices], *ends, self.seeds[indices])

    def records(self) -> tuple[np.ndarray, np.ndarray]:
        """``specs`` and ``daily``, the form that compiled worlds read; not copies."""
        return self.specs, self.daily

    def _within(self, days: Range, factories_per_level: Range) -> np.ndarray:
        key = _ends(days, factories_per_level)
        if key not in self._subsets:
            for name, asked, held in zip(
                ("days", "factories_per_level"), key, (self.days, self.factories_per_level), strict=True
            ):
                if asked[0] < held[0] or asked[1] > held[1]:
                    raise InputError(
                        f"{name}={_text(asked)}, but the pool of worlds was drawn with {name}={_text(held)};"
                        f" ask for that or a part of it, or make another pool"
                    )
            (day_low, day_high), (low, high) = key
            specs = self.specs
            inside = (specs["n_days"] >= day_low) & (specs["n_days"] <= day_high)
            for name in ("n_sellers", "n_buyers"):
                inside &= (specs[name] >= low) & (specs[name] <= high)
            if not inside.any():
                raise InputError(
                    f"none of the pool's {len(self)} worlds has days={_text(key[0])} and"
                    f" factories_per_level={_text(key[1])}"
                )
            self._subsets[key] = np.flatnonzero(inside)
        return self._subsets[key]


def _ends(days: Range, factories_per_level: Range) -> tuple[tuple[int, int], tuple[int, int]]:
    """Both ranges as pairs.

    Raises:
        InputError: if one is empty or outside what a world can hold.
    """
    factories = whole_range("factories_per_level", factories_per_level, 1, MAX_PARTNERS)
    return whole_range("days", days, 1, MOST_DAYS), factories


def _text(ends: tuple[int, int]) -> str:
    return str(ends[0]) if ends[0] == ends[1] else str(ends)


def parse_range(text: str) -> Range:
    """A range as a command line gives it: ``50`` or ``50-200``."""
    low, _, high = text.partition("-")
    return (int(low), int(high)) if high else int(low)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make a pool and write it; exits with code 2 and one line for bad input."""
    parser = argparse.ArgumentParser(prog="python -m scml_gym.oneshot.worlds.pool", description=main.__doc__)
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--days", type=parse_range, default=50, help="a number, or a range as in 50-200")
    parser.add_argument("--factories", type=parse_range, default=(4, 8), help="of each level, likewise (4-8)")
    parser.add_argument("--seed", type=int, default=0, help="of the first world; the next has the next (0)")
    parser.add_argument("--workers", type=int, default=1, help="processes; changes no result (1)")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    options = parser.parse_args(arguments)
    try:
        if not options.out.parent.is_dir():
            raise InputError(f"--out {options.out}: there is no folder {options.out.parent}")
        seeds = range(options.seed, options.seed + options.worlds)
        with progress_bar(options.worlds, "worlds") as bar:
            pool = SpecPool.generate(seeds, options.days, options.factories, options.workers, bar.update)
    except InputError as error:
        parser.exit(2, f"error: {error}\n")
    pool.save(options.out)
    print(f"{options.out}: {len(pool)} worlds, {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    run_main(main)
