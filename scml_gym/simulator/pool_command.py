"""The command that makes a pool of worlds, for any game."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from scml_gym.core.arguments import Range
from scml_gym.core.errors import InputError
from scml_gym.core.reporting import progress_bar
from scml_gym.simulator.spec_pool import ArrayPool, PoolRange


def parse_range(text: str) -> Range:
    """A range as a command line gives it: ``50`` or ``50-200``.

    Raises:
        argparse.ArgumentTypeError: if it is neither.
    """
    low, _, high = text.partition("-")
    try:
        return (int(low), int(high)) if high else int(low)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}; valid: a number, or a range as in 50-200") from None


def add_range_options(parser: argparse.ArgumentParser, ranges: dict[str, PoolRange]) -> None:
    """The options of a command for all ranges of a game; each is found by the range's name."""
    for name, given in ranges.items():
        described = f"{name.replace('_', ' ')}: a number, or a range as in 50-200 ({_text_of(given.default)})"
        parser.add_argument(given.option, dest=name, type=parse_range, default=given.default, help=described)


def _text_of(value: Range) -> str:
    return str(value) if isinstance(value, int) else f"{value[0]}-{value[1]}"


def make_pool(pool: type[ArrayPool], arguments: Sequence[str] | None, prog: str) -> None:
    """Make a pool and write it; exits with code 2 and one line for bad input."""
    parser = argparse.ArgumentParser(prog=prog, description=make_pool.__doc__)
    parser.add_argument("--worlds", type=int, default=1000)
    add_range_options(parser, pool.tables.ranges)
    parser.add_argument("--seed", type=int, default=0, help="of the first world; the next has the next (0)")
    parser.add_argument("--workers", type=int, default=1, help="processes; changes no result (1)")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    options = parser.parse_args(arguments)
    try:
        if not options.out.parent.is_dir():
            raise InputError(f"--out {options.out}: there is no folder {options.out.parent}")
        seeds = range(options.seed, options.seed + options.worlds)
        ranges = [getattr(options, name) for name in pool.tables.ranges]
        with progress_bar(options.worlds, "worlds") as bar:
            made = pool.from_seeds(seeds, *ranges, workers=options.workers, progress=bar.update)
    except InputError as error:
        parser.exit(2, f"error: {error}\n")
    made.save(options.out)
    print(f"{options.out}: {len(made)} worlds, {options.out.stat().st_size / 1e6:.1f} MB")
