"""The compiled generator of worlds beside scml's own: whether they draw from one distribution, and their speed.

    python benchmarks/generation.py oneshot --worlds 1500 --days 50-200 --out docs/results/generation

Draws as many worlds of a game from each, compares their statistics (`worlds/statistics.py` of the game) with Holm's
correction, then does the same with generators altered in one constant each, which must be rejected. Exits with 1 where
the true one is rejected or an altered one is not. ``--real`` keeps scml's worlds (a `SpecPool`) for later runs.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import io
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from scml_gym.core.arguments import Range
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.core.registry import load_object
from scml_gym.core.reporting import progress_bar
from scml_gym.jit.compile import compiled
from scml_gym.simulator.pool_command import add_range_options
from scml_gym.simulator.spec_pool import ArrayPool
from scml_gym.simulator.two_samples import Comparison, compare
from scml_gym.simulator.world_statistics import table_of

ALTERED: dict[str, Any] = {
    "predictability": 0.15,
    "supply": -0.01,
    "productivity": -0.01,
    "profit": 0.03,
    "price_deviation": 0.02,
    "cash": 0.1,
    "greatest_cost": 1,
    "supply_price": 1,
    "lines": -1,
    "rounds": 1,
    "shortfall": 0.1,
    "shortfall_deviation": 0.01,
    "leftover": 0.02,
    "leftover_deviation": 0.002,
}
"""By how much constants of a generator are altered: a sample of 1,500 worlds must tell. Of ranges it is the higher end,
of predictability, which is hard to see, the lower one."""

LEVEL = 0.05
"""Chance that any true hypothesis of a family is rejected."""


class Generators:
    """The generators of a game's worlds.

    Args:
        game: Its folder in scml_gym.

    Attributes:
        compiled: The module of the compiled one.
        pool: The class of pools, which draw by scml's own.
        statistics: The module of what is compared.
    """

    def __init__(self, game: str):
        folder = f"scml_gym.{game}.worlds"
        self.compiled: Any = importlib.import_module(f"{folder}.compiled.generation")
        self.statistics: Any = importlib.import_module(f"{folder}.statistics")
        self.pool: type[ArrayPool] = load_object(f"{folder}.pool:SpecPool")

    @contextmanager
    def altered(self, name: str) -> Iterator[tuple[Any, Any]]:
        """Alter a constant, as plain Python reads it, for the length of a ``with`` block; gives both values."""
        before = self.compiled.LEAGUE
        value, change = getattr(before, name), ALTERED[name]
        low, high = value if isinstance(value, tuple) else (None, value)
        after: Any = high + change if low is None else (low, high + change)
        if name == "predictability":
            after = (low + change, high)
        self.compiled.LEAGUE = before._replace(**{name: after})
        try:
            yield value, after
        finally:
            self.compiled.LEAGUE = before

    def plain(self, seed: int, ranges: list[Range]) -> Any:
        """A world of the compiled generator in plain Python, which sees altered constants."""
        ends = [end for pair in self.pool.tables.ends(*ranges).values() for end in pair]
        record, daily = self.memory(ends[1])
        self.compiled.generate(seed, *ends, record, daily)
        return self.compiled.read_spec(record, daily)

    def memory(self, days: int) -> tuple[Any, Any]:
        """What a world is written to."""
        tables = self.pool.tables
        return np.zeros(1, tables.spec_dtype)[0], np.zeros((days, tables.factories), tables.daily_dtype)

    def table(self, make: Callable[[int, list[Range]], Any], seeds: range, ranges: list[Range]) -> Any:
        """The statistics of worlds."""
        return table_of(self.statistics.world_statistics, (make(seed, ranges) for seed in seeds))


def real_worlds(pool: type[ArrayPool], options: argparse.Namespace, ranges: list[Range]) -> ArrayPool:
    """scml's worlds, from the file of an earlier run where there is one that fits."""
    seeds = range(options.seed, options.seed + options.worlds)
    if options.real and options.real.exists():
        kept = pool.load(options.real)
        if kept.ranges != pool.tables.ends(*ranges) or list(kept.seeds[: len(seeds)]) != list(seeds):
            raise InputError(f"--real {options.real}: worlds of other seeds or ranges; name another file")
        n = len(seeds)
        return pool(kept.specs[:n], kept.daily[:n], kept.ranges, kept.seeds[:n])
    with progress_bar(options.worlds, "scml's worlds") as bar:
        made = pool.from_seeds(seeds, *ranges, progress=bar.update)
    if options.real:
        made.save(options.real)
    return made


def speed(generators: Generators, repeats: int = 5, days: int = 50) -> dict[str, list[float]]:
    """Microseconds of CPU time a world of 50 days and otherwise the league's ranges, each repeat by turns."""
    tables, generate, make = generators.pool.tables, generators.compiled.generate, generators.compiled.compiled_spec
    ranges = [days, *(valid.default for name, valid in tables.ranges.items() if name != "days")]
    ends = tuple(end for pair in tables.ends(*ranges).values() for end in pair)
    record, daily = generators.memory(days)

    @compiled
    def generate_many(worlds: int, ends: Any, record: Any, daily: Any) -> None:
        """The generator as a batch of worlds calls it."""
        for seed in range(worlds):
            generate(seed, *ends, record, daily)

    generate_many(1, ends, record, daily)
    make(0, *ranges)
    tables.draw(0, *ranges)
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, worlds, run in (
            ("scml's generator (league_spec)", 30, lambda n: [tables.draw(seed, *ranges) for seed in range(n)]),
            ("in plain Python (generate)", 30, lambda n: [generators.plain(seed, ranges) for seed in range(n)]),
            ("to a WorldSpec (compiled_spec)", 1000, lambda n: [make(seed, *ranges) for seed in range(n)]),
            ("in compiled code (generate)", 5000, lambda n: generate_many(n, ends, record, daily)),
        ):
            start = time.process_time()
            run(worlds)
            found.setdefault(name, []).append((time.process_time() - start) / worlds * 1e6)
    return found


def summary(rows: list[Comparison]) -> str:
    rejected = [row.statistic for row in rows if row.adjusted < LEVEL]
    return f"{len(rejected)} of {len(rows)} rejected; smallest adjusted p {rows[0].adjusted:.3g} ({rows[0].statistic})"


def write_rows(path: Path, rows: list[Comparison]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Comparison)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: v if isinstance(v, str) else f"{v:.6g}" for k, v in asdict(row).items()})
    replace_file(path, text.getvalue())


def markdown(rows: list[Comparison]) -> str:
    """All comparisons as a table."""
    lines = ["| statistic of a world | test | scml | compiled | p | adjusted p |", "|---|---|---|---|---|---|"]
    for row in rows:
        means = (f"{m:.4g} ± {d:.3g}" for m, d in
                 ((row.first_mean, row.first_deviation), (row.second_mean, row.second_deviation)))  # fmt: skip
        lines.append(f"| {row.statistic} | {row.test} | {' | '.join(means)} | {row.p:.3f} | {row.adjusted:.3f} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    games = parser.add_subparsers(dest="game", required=True)
    for game in ("oneshot", "standard"):
        of_game = games.add_parser(game)
        of_game.add_argument("--worlds", type=int, default=1500, help="of each generator")
        add_range_options(of_game, Generators(game).pool.tables.ranges)
        of_game.add_argument("--seed", type=int, default=0, help="of the first world")
        of_game.add_argument("--real", type=Path, help="file of scml's worlds, made where it is missing")
        of_game.add_argument("--no-controls", action="store_true", help="leave the altered generators out")
        of_game.add_argument("--name", default="league", help="of the files in --out")
        of_game.add_argument("--out", type=Path, help="folder for tables (csv, md) and figures (json)")
    options = parser.parse_args()
    console = Console(soft_wrap=True, markup=False)
    generators = Generators(options.game)
    pairs = generators.statistics.PAIRS
    seeds = range(options.seed, options.seed + options.worlds)
    ranges = [getattr(options, name) for name in generators.pool.tables.ranges]
    try:
        real = table_of(generators.statistics.world_statistics, real_worlds(generators.pool, options, ranges))
        drawn = generators.table(lambda seed, given: generators.compiled.compiled_spec(seed, *given), seeds, ranges)
    except InputError as error:
        parser.exit(2, f"error: {error}\n")
    rows = compare(real, drawn, pairs)
    console.print(f"compiled generator: {summary(rows)}")
    failed = rows[0].adjusted < LEVEL
    controls: dict[str, dict[str, Any]] = {}
    for name in () if options.no_controls else ALTERED:
        with generators.altered(name) as (before, after):
            found = compare(real, generators.table(generators.plain, seeds, ranges), pairs)
        console.print(f"{name} = {after} instead of {before}: {summary(found)}")
        failed |= found[0].adjusted >= LEVEL
        controls[name] = {
            "instead of": before,
            "value": after,
            "rejected": sum(row.adjusted < LEVEL for row in found),
            "first": found[0].statistic,
            "adjusted p": found[0].adjusted,
        }
    times = speed(generators)
    for name, microseconds in times.items():
        low, high = min(microseconds), max(microseconds)
        console.print(f"{name}: {low:.1f} to {high:.1f} microseconds a world of 50 days")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        write_rows(options.out / f"{options.name}.csv", rows)
        replace_file(options.out / f"{options.name}.md", markdown(rows))
        record = {
            "worlds": options.worlds,
            **{
                name.replace("_", " "): given for name, given in zip(generators.pool.tables.ranges, ranges, strict=True)
            },
            "seeds": [seeds[0], seeds[-1]],
            "versions": _versions(),
            "comparisons": len(rows),
            "rejected": sum(row.adjusted < LEVEL for row in rows),
            "controls": controls,
            "microseconds a world of 50 days": times,
        }
        replace_file(options.out / f"{options.name}.json", json.dumps(record, indent=1) + "\n")
    return int(failed)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    packages = ("scml", "negmas", "numpy", "numba", "scipy")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


if __name__ == "__main__":
    sys.exit(main())
