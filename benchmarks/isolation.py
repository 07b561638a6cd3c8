"""What a tournament costs in CPU time: with isolated players and without, or in two checkouts, by turns.

    python benchmarks/isolation.py isolated                 # none and agents; their scores must be the same
    python benchmarks/isolation.py checkouts OLD NEW        # folders of two checkouts, without isolation

Each turn plays the same tournament by ``evaluate.py`` with one worker, and counts the CPU seconds of all its processes.
"""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from scml_gym.core.cli import command_app, run_cli
from scml_gym.evaluation.independent import mean_interval
from scml_gym.evaluation.isolation.kinds import ISOLATION

ROOT = Path(__file__).resolve().parents[1]
BUILTIN = "best-subset,greedy,sequential,scml:SyncRandomOneShotAgent,scml:EqualDistOneShotAgent"
ALL = f"{BUILTIN},scml-agents:2023/KanbeAgent,scml-agents:2024/CPDistAgent"

app = command_app(help=__doc__)

Names = Annotated[str, typer.Option(help="Competitors, by commas.")]
Worlds = Annotated[int, typer.Option(help="Configurations.")]
Days = Annotated[int, typer.Option(help="Simulated days.")]
Turns = Annotated[int, typer.Option(help="Of each.")]


def play(checkout: Path, out: Path, names: str, worlds: int, days: int, more: tuple[str, ...] = ()) -> float:
    """CPU seconds of a tournament."""
    command = [sys.executable, str(checkout / "evaluate.py"), *names.split(","), "--worlds", str(worlds)]
    command += ["--days", str(days), "--workers", "1", "--out", str(out), *more]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(checkout), os.environ.get("PYTHONPATH", "")])}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=checkout, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@app.command()
def isolated(names: Names = ALL, worlds: Worlds = 10, days: Days = 30, turns: Turns = 1) -> int:
    """Without and with isolation: the same scores, at which cost?"""
    times: dict[str, list[float]] = {name: [] for name in ISOLATION}
    tables = set()
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(turns):
            for name in ISOLATION[:: 1 if turn % 2 else -1]:
                out = Path(folder) / f"{name}-{turn}"
                times[name].append(play(ROOT, out, names, worlds, days, ("--isolate", name)))
                tables.add((out / "scores.csv").read_bytes() + (out / "failures.csv").read_bytes())
    _tell(times)
    print("the same scores and failures" if len(tables) == 1 else "DIFFERENT scores or failures")
    return len(tables) - 1


@app.command()
def checkouts(
    old: Path, new: Path, names: Names = BUILTIN, worlds: Worlds = 10, days: Days = 30, turns: Turns = 5
) -> None:
    """Two checkouts, without isolation."""
    times: dict[str, list[float]] = {"old": [], "new": []}
    folders = {"old": old.resolve(), "new": new.resolve()}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(-1, turns):  # the first one warms up
            for name in ("old", "new")[:: 1 if turn % 2 else -1]:
                seconds = play(folders[name], Path(folder) / f"{name}-{turn}", names, worlds, days)
                times[name] += [seconds] if turn >= 0 else []
    _tell(times)


def _tell(times: dict[str, list[float]]) -> None:
    first, second = times
    for name, seconds in times.items():
        print(f"{name}: CPU seconds {np.mean(seconds):.2f}, of {', '.join(f'{s:.2f}' for s in seconds)}")
    pairs = np.array(times[second]) / np.array(times[first])
    print(f"{second} to {first}: {sum(times[second]) / sum(times[first]):.3f}", end="")
    if len(pairs) > 1:
        interval = mean_interval(np.log(pairs))
        low, high = math.exp(interval.low), math.exp(interval.high)
        print(
            f", median of the pairs {np.median(pairs):.3f}, 95 % interval of their mean {low:.3f} to {high:.3f}", end=""
        )
    print()


if __name__ == "__main__":
    run_cli(app)
