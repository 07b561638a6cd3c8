"""Pools: worlds drawn by scml's own generator beforehand and kept in one file, to draw from at no cost.

A game's ``SpecPool`` says which tables its worlds are kept in and from which ranges they may be drawn.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from scml_gym.core.arguments import Range, brief, whole, whole_range
from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, replace_file
from scml_gym.core.registry import Registry
from scml_gym.core.worker_processes import worker_processes
from scml_gym.jit.arrays import scratch_bits
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import below, open_stream


@jittable
def pool_index(seed: int, size: int) -> int:
    """Which of ``size`` worlds a seed, 0 to 2**64 - 1, draws; the same in Python and compiled."""
    stream = scratch_bits(1)
    open_stream(stream, seed)
    return below(stream, size)


class PoolRange(NamedTuple):
    """A range that worlds are drawn from.

    Attributes:
        key: In files.
        option: Of the command that makes a pool.
        default: Where the option is not given.
        low: The least that is valid.
        high: The most.
    """

    key: str
    option: str
    default: Range
    low: int
    high: int


class Tables(NamedTuple):
    """How the worlds of a game are drawn and kept.

    Attributes:
        schema: Of files.
        track: Whose worlds they are, as users know it.
        draw: ``(seed, *ranges) -> spec``.
        ranges: By the names of arguments of ``draw``, in their order; ``days`` is the first.
        spec_dtype: Of a world's record.
        daily_dtype: Of its table of days.
        derived: Columns of that which are no part of a spec.
        factories: Columns of a table of days.
        fill: ``(spec, record, daily)``.
        read: ``(record, daily) -> spec``.
        sizes: ``(records) -> numbers``: for each range an array ``(n, 1 or more)`` of what must lie within it.
    """

    schema: str
    track: str
    draw: Callable[..., Any]
    ranges: dict[str, PoolRange]
    spec_dtype: np.dtype
    daily_dtype: np.dtype
    derived: tuple[str, ...]
    factories: int
    fill: Callable[[Any, Any, np.ndarray], None]
    read: Callable[[Any, np.ndarray], Any]
    sizes: Callable[[np.ndarray], dict[str, np.ndarray]]

    @property
    def spec_names(self) -> tuple[str, ...]:
        """Columns of records that are kept."""
        return tuple(self.spec_dtype.names or ())

    @property
    def daily_names(self) -> tuple[str, ...]:
        """Columns of tables of days that are kept."""
        return tuple(name for name in self.daily_dtype.names or () if name not in self.derived)

    def ends(self, *ranges: Range) -> dict[str, tuple[int, int]]:
        """Both ends of each range, by its name.

        Raises:
            InputError: if one is empty or outside what a world can hold.
        """
        pairs = zip(self.ranges.items(), ranges, strict=True)
        return {name: whole_range(name, given, valid.low, valid.high) for (name, valid), given in pairs}


@dataclass(frozen=True, eq=False)
class ArrayPool:
    """Worlds with the ranges that they were drawn from; what the pools of all games share.

    A game's pool is a world generator: called with a seed and its ranges it gives what ``draw`` does.

    Attributes:
        tables: Of the game.
        specs: Records of shape ``(n,)``.
        daily: Tables of days, shape ``(n, most days, factories)``, 0 beyond a world's days and factories.
        ranges: Both ends of each range that they were drawn from.
        seeds: uint64 ``(n,)``, of the generator, modulo 2**64.
    """

    tables: ClassVar[Tables]

    specs: np.ndarray
    daily: np.ndarray
    ranges: dict[str, tuple[int, int]]
    seeds: np.ndarray
    _subsets: dict[Any, np.ndarray] = field(default_factory=dict, repr=False)

    @classmethod
    def from_seeds(
        cls,
        seeds: Sequence[int],
        *ranges: Range,
        workers: int = 1,
        progress: Callable[[int], None] | None = None,
    ) -> Self:
        """Draw worlds.

        Args:
            seeds: One for each world.
            *ranges: As the game's generator takes them.
            workers: Processes; changes no result. Above 1, the calling script needs an
                ``if __name__ == "__main__"`` guard.
            progress: Called with the number of worlds drawn so far.

        Raises:
            InputError: if there is no seed, no worker, or a range that the generator refuses.
        """
        tables, seeds, workers = cls.tables, list(seeds), whole("workers", workers)
        if not seeds:
            raise InputError("a pool of 0 worlds: at least one is needed")
        draw = partial(_draw, tables.draw, ranges)
        specs = [draw(seeds[0])]  # refuses bad ranges before workers are started
        with worker_processes(workers) if workers > 1 else nullcontext() as pool:
            for spec in pool.map(draw, seeds[1:], chunksize=16) if pool else map(draw, seeds[1:]):
                specs.append(spec)
                if progress:
                    progress(len(specs))
        records = np.zeros(len(specs), tables.spec_dtype)
        days = max(spec.n_days for spec in specs)
        daily = np.zeros((len(specs), days, tables.factories), tables.daily_dtype)
        for i, spec in enumerate(specs):
            tables.fill(spec, records[i], daily[i])
        numbers = np.array([seed & 0xFFFFFFFFFFFFFFFF for seed in seeds], dtype=np.uint64)
        return cls(records, daily, tables.ends(*ranges), numbers)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an npz file, whole or not at all."""
        arrays: dict[str, Any] = {name: self.specs[name] for name in self.tables.spec_names}
        arrays |= {name: self.daily[name] for name in self.tables.daily_names}
        arrays |= {valid.key: self.ranges[name] for name, valid in self.tables.ranges.items()}
        arrays |= {"schema": self.tables.schema, "seeds": self.seeds}
        content = io.BytesIO()
        np.savez_compressed(content, **arrays)
        replace_file(Path(path), content.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InputError: if the file is missing, is no pool, is of another schema, or its arrays do not fit together.
        """
        content = read_arrays(path, "a pool of world specs")
        with content_of(path, "a pool of world specs"):
            return cls._of_arrays(path, content)

    @classmethod
    def _of_arrays(cls, path: str | os.PathLike[str], content: dict[str, np.ndarray]) -> Self:
        tables = cls.tables
        schema = str(content.pop("schema", "none"))
        keys = {"seeds", *(valid.key for valid in tables.ranges.values()), *tables.spec_names, *tables.daily_names}
        if schema != tables.schema or set(content) != keys:
            raise InputError(f"{path}: schema {schema!r} instead of {tables.schema!r}")
        n, longest = len(np.atleast_1d(content["seeds"])), (*content[tables.daily_names[0]].shape, 0, 0)[1]
        specs = np.zeros(n, tables.spec_dtype)
        daily = np.zeros((n, longest, tables.factories), tables.daily_dtype)
        for table, names in ((specs, tables.spec_names), (daily, tables.daily_names)):
            for name in names:
                if content[name].shape != table[name].shape or content[name].dtype != table[name].dtype:
                    raise InputError(
                        f"{path}: {name} is {content[name].dtype} of shape {content[name].shape},"
                        f" not {table[name].dtype} of shape {table[name].shape}"
                    )
                table[name] = content[name]
        ends = {name: content[valid.key].tolist() for name, valid in tables.ranges.items()}
        ranges = {name: (int(low), int(high)) for name, (low, high) in ends.items()}
        pool = cls(specs, daily, ranges, content["seeds"])
        try:
            for _ in pool:
                pass
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        return pool

    def __len__(self) -> int:
        """How many worlds."""
        return len(self.specs)

    def __getitem__(self, index: int) -> Any:
        """One world, as arrays of its own.

        Raises:
            IndexError: beyond the last.
        """
        return self.tables.read(self.specs[index], self.daily[index])

    def __iter__(self) -> Iterator[Any]:
        """All worlds in their order."""
        return map(self.__getitem__, range(len(self)))

    def draw(self, seed: int, *ranges: Range) -> Any:
        """The world that a seed draws among those within the ranges; see `select`."""
        indices = self._within(*ranges)
        return self[int(indices[pool_index(seed & 0xFFFFFFFFFFFFFFFF, len(indices))])]

    def select(self, *ranges: Range) -> Self:
        """The worlds within ranges, in their order: distributed as if drawn from these.

        Raises:
            InputError: if a range reaches beyond what the pool was drawn from, or no world is within all of them.
        """
        indices = self._within(*ranges)
        return type(self)(self.specs[indices], self.daily[indices], self.tables.ends(*ranges), self.seeds[indices])

    def records(self) -> tuple[np.ndarray, np.ndarray]:
        """``specs`` and ``daily``, the form that compiled worlds read; not copies."""
        return self.specs, self.daily

    def _within(self, *ranges: Range) -> np.ndarray:
        ends = self.tables.ends(*ranges)
        key = tuple(ends.values())
        if key not in self._subsets:
            for name, asked in ends.items():
                if asked[0] < self.ranges[name][0] or asked[1] > self.ranges[name][1]:
                    raise InputError(
                        f"{name}={_text(asked)}, but the pool of worlds was drawn with"
                        f" {name}={_text(self.ranges[name])}; ask for that or a part of it, or make another pool"
                    )
            inside = np.ones(len(self), dtype=np.bool_)
            for name, sizes in self.tables.sizes(self.specs).items():
                inside &= ((sizes >= ends[name][0]) & (sizes <= ends[name][1])).all(axis=1)
            if not inside.any():
                asked = [f"{name}={_text(pair)}" for name, pair in ends.items()]
                raise InputError(f"none of the pool's {len(self)} worlds has {' and '.join(asked)}")
            self._subsets[key] = np.flatnonzero(inside)
        return self._subsets[key]


def named_generator(generator: Any, generators: Registry, pool: type[ArrayPool]) -> Callable[..., Any]:
    """The world generator that an argument ``generator`` gives: one of a registry, a pool, or any other callable.

    Args:
        generator: A name, or the generator itself.
        generators: The game's.
        pool: The game's kind of pools.

    Raises:
        InputError: if there is no such name, it is no generator, or a pool of another track.
    """
    if isinstance(generator, str):
        return generators.get(generator, "generator")
    if isinstance(generator, ArrayPool) and not isinstance(generator, pool):
        raise InputError(f"generator: a pool of {generator.tables.track}, not of {pool.tables.track}", "generator")
    if not callable(generator):
        valid = f"{', '.join(generators)}, a SpecPool, or a callable"
        raise InputError(f"generator={brief(generator)}; valid: {valid}", "generator")
    return generator


def _draw(draw: Callable[..., Any], ranges: tuple[Range, ...], seed: int) -> Any:
    """A world, as worker processes are asked for it."""
    return draw(seed, *ranges)


def _text(ends: tuple[int, int]) -> str:
    return str(ends[0]) if ends[0] == ends[1] else str(ends)
