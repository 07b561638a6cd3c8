# pyright: reportAttributeAccessIssue=false, reportArgumentType=false, reportCallIssue=false
"""The compiled generator of worlds beside scml's own: whether they draw from one distribution, and their speed.

    python benchmarks/generation.py --worlds 1500 --days 50-200 --out docs/results/generation

Draws as many worlds from each, compares their statistics (`scml_gym.oneshot.worlds.statistics`) with Holm's correction,
then does the same with generators altered in one constant each, which must be rejected. Exits with 1 where the true one
is rejected or an altered one is not. ``--real`` keeps scml's worlds (a `SpecPool`) for later runs.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.core.reporting import progress_bar
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.worlds.compiled import generation
from scml_gym.oneshot.worlds.generation import Range, league_spec
from scml_gym.oneshot.worlds.pool import SpecPool, parse_range
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES, WorldSpec
from scml_gym.oneshot.worlds.spec_record import DAILY_DTYPE, SPEC_DTYPE
from scml_gym.oneshot.worlds.statistics import Comparison, compare, table_of

ALTERED: dict[str, Any] = {
    "PREDICTABILITY": (0.75, 0.9),
    "PRICE_DEVIATION": (0.1, 0.22),
    "PROFIT": (0.1, 0.23),
    "PRODUCTIVITY": (0.8, 0.99),
    "CASH": (1.5, 2.6),
    "MAX_COST": 5,
    "SUPPLY_PRICE": 11,
    "LINES": 9,
    "ROUNDS": 21,
    "SHORTFALL": (0.2, 1.1),
    "SHORTFALL_DEVIATION": (0.0, 0.11),
    "DISPOSAL": (0.0, 0.22),
    "DISPOSAL_DEVIATION": (0.0, 0.022),
}
"""Constants of the generator and what they are replaced by, by little: a sample of 1,500 worlds must tell."""

LEVEL = 0.05
"""Chance that any true hypothesis of a family is rejected."""


@contextmanager
def altered(name: str, value: Any) -> Iterator[None]:
    """Replace a constant of the generator, as plain Python reads it, for the length of a ``with`` block."""
    before = getattr(generation, name)
    setattr(generation, name, value)
    try:
        yield
    finally:
        setattr(generation, name, before)


def plain_spec(seed: int, days: Range, factories: Range) -> WorldSpec:
    """`compiled_spec` in plain Python, which sees altered constants."""
    (low, high), (least, most) = ((r, r) if isinstance(r, int) else r for r in (days, factories))
    record, daily = np.zeros(1, SPEC_DTYPE)[0], np.zeros((high, MAX_FACTORIES), DAILY_DTYPE)
    generation.generate(seed, low, high, least, most, record, daily)
    return generation.read_spec(record, daily)


def real_worlds(options: argparse.Namespace) -> SpecPool:
    """scml's worlds, from the file of an earlier run where there is one that fits."""
    seeds = range(options.seed, options.seed + options.worlds)
    if options.real and options.real.exists():
        pool = SpecPool.load(options.real)
        if (pool.days, pool.factories_per_level) != (_ends(options.days), _ends(options.factories)) or list(
            pool.seeds[: len(seeds)]
        ) != list(seeds):
            raise InputError(f"--real {options.real}: worlds of other seeds, days or factories; name another file")
        first = np.arange(len(seeds))
        return SpecPool(pool.specs[first], pool.daily[first], pool.days, pool.factories_per_level, pool.seeds[first])
    with progress_bar(options.worlds, "scml's worlds") as bar:
        pool = SpecPool.generate(seeds, options.days, options.factories, progress=bar.update)
    if options.real:
        pool.save(options.real)
    return pool


def _ends(value: Range) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


@compiled
def generate_many(worlds: int, days: int, record: Any, daily: Any) -> None:
    """The generator as a batch of worlds calls it."""
    for seed in range(worlds):
        generation.generate(seed, days, days, 4, 8, record, daily)


def speed(repeats: int = 5, days: int = 50) -> dict[str, list[float]]:
    """Microseconds of CPU time a world of 50 days and 4 to 8 factories a level, each repeat by turns."""
    record, daily = np.zeros(1, SPEC_DTYPE)[0], np.zeros((days, MAX_FACTORIES), DAILY_DTYPE)
    generate_many(1, days, record, daily)
    generation.compiled_spec(0, days)
    league_spec(0, days)
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, worlds, run in (
            ("scml's generator (league_spec)", 30, lambda n: [league_spec(seed, days) for seed in range(n)]),
            ("in plain Python (generate)", 30, lambda n: [plain_spec(seed, days, (4, 8)) for seed in range(n)]),
            ("to a WorldSpec (compiled_spec)", 1000, lambda n: [generation.compiled_spec(s, days) for s in range(n)]),
            ("in compiled code (generate)", 5000, lambda n: generate_many(n, days, record, daily)),
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
    parser.add_argument("--worlds", type=int, default=1500, help="of each generator")
    parser.add_argument("--days", type=parse_range, default=(50, 200))
    parser.add_argument("--factories", type=parse_range, default=(4, 8), help="of each level")
    parser.add_argument("--seed", type=int, default=0, help="of the first world")
    parser.add_argument("--real", type=Path, help="file of scml's worlds, made where it is missing")
    parser.add_argument("--no-controls", action="store_true", help="leave the altered generators out")
    parser.add_argument("--name", default="league", help="of the files in --out")
    parser.add_argument("--out", type=Path, help="folder for tables (csv, md) and figures (json)")
    options = parser.parse_args()
    console = Console(soft_wrap=True, markup=False)
    seeds = range(options.seed, options.seed + options.worlds)
    try:
        real = table_of(real_worlds(options))
        drawn = table_of(generation.compiled_spec(seed, options.days, options.factories) for seed in seeds)
    except InputError as error:
        parser.exit(2, f"error: {error}\n")
    rows = compare(real, drawn)
    console.print(f"compiled generator: {summary(rows)}")
    failed = rows[0].adjusted < LEVEL
    controls: dict[str, dict[str, Any]] = {}
    for name, value in () if options.no_controls else ALTERED.items():
        with altered(name, value):
            found = compare(real, table_of(plain_spec(s, options.days, options.factories) for s in seeds))
        console.print(f"{name} = {value} instead of {getattr(generation, name)}: {summary(found)}")
        failed |= found[0].adjusted >= LEVEL
        controls[name] = {
            "instead of": getattr(generation, name),
            "value": value,
            "rejected": sum(row.adjusted < LEVEL for row in found),
            "first": found[0].statistic,
            "adjusted p": found[0].adjusted,
        }
    times = speed()
    for name, microseconds in times.items():
        low, high = min(microseconds), max(microseconds)
        console.print(f"{name}: {low:.1f} to {high:.1f} microseconds a world of 50 days")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        write_rows(options.out / f"{options.name}.csv", rows)
        replace_file(options.out / f"{options.name}.md", markdown(rows))
        record = {
            "worlds": options.worlds,
            "days": options.days,
            "factories a level": options.factories,
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
