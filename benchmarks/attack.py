"""Attacks the package: files from others, odd arguments, misused environments, full disks, competitors, kills.

All areas take at most 45 minutes on two cores, and ``--quick``, with some tries of each, takes at most 3. Each try must
give a result or one line: no traceback, no hang, nothing lost, no code run, no process left. Prints the counts by area
as a table, and each try that did not hold on stderr. Exits 1 if there is one. With ``--out`` the counts by kind are
kept in a file too, those of areas that are not tried now as they were.
"""

from __future__ import annotations

import csv
import importlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from scml_gym.core.cli import command_app, run_cli
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.files import replace_file
from scml_gym.core.provenance import commit
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
    out: Annotated[Path | None, typer.Option(help="Table of counts (.csv), which is added to.")] = None,
) -> int:
    """Try all, and count."""
    for area in areas or ():
        if area not in AREAS:
            raise InputError(f"unknown area {area!r}{nearest(area, AREAS)}")
    failed = 0
    print("| area | tried | held | CPU seconds | seconds | load |\n|---|---|---|---|---|---|", flush=True)
    for area in areas or AREAS:
        start, used, kinds = time.monotonic(), _cpu(), dict[str, list[bool]]()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            for one in importlib.import_module(f"attacks.{area}").attack(quick, seed, Path(folder)):
                kinds.setdefault(one.kind, []).append(one.held)
                if not one.held:
                    print(f"{area}: {printable(one.what)}: {printable(one.message)}", file=sys.stderr, flush=True)
        all_held = [held for of_kind in kinds.values() for held in of_kind]
        failed += all_held.count(False)
        took = f"{_cpu() - used:.0f} | {time.monotonic() - start:.0f} | {os.getloadavg()[2]:.1f}"
        print(f"| {area} | {len(all_held)} | {sum(all_held)} | {took} |", flush=True)
        if out is not None:
            _keep(out, area, took.split(" | "), kinds)
    return 1 if failed else 0


def _cpu() -> float:
    """Seconds of this process, and of those below it that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


COLUMNS = ("area", "kind", "tried", "held", "cpu_seconds", "seconds", "load", "commit")
"""Of the table; the first row of an area, without a kind, is of all of it."""


def _keep(out: Path, area: str, took: Sequence[str], kinds: Mapping[str, Sequence[bool]]) -> None:
    """Put what was counted of an area into the table."""
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines())) if out.exists() else []
    rows = [row for row in rows if row["area"] != area]
    counts = {"": [held for of_kind in kinds.values() for held in of_kind], **kinds}
    more = [*took, str(commit() or "")]
    for kind, of_kind in counts.items():
        values = [area, kind, len(of_kind), sum(of_kind), *(more if kind == "" else [""] * len(more))]
        rows.append(dict(zip(COLUMNS, map(str, values), strict=True)))
    rows.sort(key=lambda row: AREAS.index(row["area"]))
    text = io.StringIO()
    lines = [COLUMNS, *([row[name] for name in COLUMNS] for row in rows)]
    csv.writer(text, lineterminator="\n").writerows(lines)
    replace_file(out, text.getvalue())


if __name__ == "__main__":
    run_cli(app)
