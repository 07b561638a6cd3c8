"""Attacks the package: files from others, odd arguments, misused environments, full disks, competitors, kills.

All areas take at most 45 minutes on two cores, and ``--quick``, with some tries of each, takes at most 3. Each try must
give a result or one line: no traceback, no hang, nothing lost, no code run, no process left. Prints the counts by area
as a table, and each try that did not hold on stderr. Exits 1 if there is one.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from scml_gym.core.cli import command_app, run_cli
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.text import printable

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # `tests.helpers`, which areas share with the tests

AREAS = ("files", "arguments", "environments", "disks", "competitors", "kills")
"""Each a module of `attacks` with ``attack(quick, seed, folder) -> Iterator[Try]``, which may fill the folder."""

app = command_app()


@app.command(help=__doc__)
def attack(
    areas: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(AREAS)}. [all]")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Some tries of each kind.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
) -> int:
    """Try all, and count."""
    for area in areas or ():
        if area not in AREAS:
            raise InputError(f"unknown area {area!r}{nearest(area, AREAS)}")
    failed = 0
    print("| area | tried | held | seconds |\n|---|---|---|---|", flush=True)
    for area in areas or AREAS:
        start = time.monotonic()
        tried = held = 0
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            for one in importlib.import_module(f"attacks.{area}").attack(quick, seed, Path(folder)):
                tried, held = tried + 1, held + one.held
                if not one.held:
                    print(f"{area}: {printable(one.what)}: {printable(one.message)}", file=sys.stderr, flush=True)
        failed += tried - held
        print(f"| {area} | {tried} | {held} | {time.monotonic() - start:.0f} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    run_cli(app)
