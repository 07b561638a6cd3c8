"""Kills at random moments: what goes on afterwards must end as if there had been none, and leave no process behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from attacks.tries import ROOT, Try
from scml_gym.evaluation.isolation.descendants import descendants

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PATIENCE = 15.0
"""Seconds in which all processes must be gone; a process that is asked to stop first saves what it has."""

LONGEST = 300.0
"""Seconds that a command may take."""


class Job(NamedTuple):
    """A command that is killed.

    Attributes:
        name: Of it.
        begin: ``(folder) -> arguments``: begins it.
        again: ``(folder) -> arguments``: goes on.
        made: Pattern of the files in its folder that are the same however often it was killed.
    """

    name: str
    begin: Callable[[Path], list[str]]
    again: Callable[[Path], list[str]]
    made: str


def _training(folder: Path) -> list[str]:
    options = ["agent.training.worlds=1500", "agent.training.log_every=50", "checkpoint_minutes=0.02", "env.days=5"]
    return ["train.py", "q_learning", *(w for o in options for w in ("--set", o)), "--out", str(folder)]


def _resumed(folder: Path) -> list[str]:
    return ["train.py", "--resume", str(folder)] if (folder / "run.json").exists() else _training(folder)


def _study(folder: Path) -> list[str]:
    options = ["trainings=4", "negotiations=2", "train.rounds=10", "test.rounds=10", "dqn.total_steps=2000"]
    options += ["dqn.net_arch=[8]", "rewards={accept: [a, b], offer: [a, b], failure_penalty: [0.0]}"]
    sets = [w for o in options for w in ("--set", o)]
    return ["evaluate.py", "study", "dqn_acceptance", *sets, "--workers", "2", "--out", str(folder)]


def _tournament(folder: Path) -> list[str]:
    small = ["--background", "greedy,scml:SyncRandomOneShotAgent", "--days", "5", "--factories", "2", "--worlds", "10"]
    return ["evaluate.py", "best-subset", *small, "--workers", "2", "--record", "--out", str(folder)]


JOBS = (
    Job("training", _training, _resumed, "learning_curve.csv"),
    Job("study", _study, _study, "*.csv"),
    Job("tournament", _tournament, _tournament, "*s.csv"),
)


def attack(quick: bool, seed: int, folder: Path) -> Iterator[Try]:
    """Kill each command so often, at moments over the time that it takes, and let it end; then begin anew."""
    draw, times = random.Random(seed), 1 if quick else 34
    for job in JOBS:
        whole = folder / f"{job.name}-whole"
        start = time.monotonic()
        code = _start(job.begin(whole), folder).wait(LONGEST)
        takes = time.monotonic() - start
        expected = _results(job, whole)
        yield Try(f"{job.name}: ends by itself", code == 0 and len(expected) > 0, f"exit code {code}")
        yield from _killed(job, folder, expected, takes, times, draw)


def _killed(
    job: Job, folder: Path, expected: dict[str, bytes], takes: float, times: int, draw: random.Random
) -> Iterator[Try]:
    place, round_ = folder / f"{job.name}-0", 0
    while times > 0:
        process = _start((job.again if place.exists() else job.begin)(place), folder)
        number = draw.choice(SIGNALS)
        seconds = draw.uniform(0, takes)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            below = descendants(process.pid)
            process.send_signal(number)
            left = _left([process.pid, *below], process)
            times -= 1
            yield Try(f"{job.name}: {number.name} after {seconds:.1f} s", not left, f"{len(left)} processes left")
            if _results(job, place) != expected:
                continue
            process.returncode = 0  # it was killed when all was written
        yield _ended(job, folder, place, expected, process.returncode)
        round_ += 1
        place = folder / f"{job.name}-{round_}"
    yield _ended(
        job, folder, place, expected, _start((job.again if place.exists() else job.begin)(place), folder).wait()
    )


def _start(arguments: list[str], folder: Path) -> subprocess.Popen[bytes]:
    script, *rest = arguments
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (folder / "said.txt").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, str(ROOT / script), *rest], cwd=folder, env=environment, stdout=said, stderr=said
        )


def _left(processes: list[int], leader: subprocess.Popen[bytes]) -> list[int]:
    """Those that are there after a while; they are ended then."""
    end = time.monotonic() + PATIENCE
    while (left := [pid for pid in processes if _runs(pid)]) and time.monotonic() < end:
        leader.poll()
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    leader.wait()
    return left


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _results(job: Job, place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.glob(job.made)}


def _ended(job: Job, folder: Path, place: Path, expected: dict[str, bytes], code: int) -> Try:
    """Whether what was killed and went on ended as what was not, and nothing of it is left beside its folder."""
    found = _results(job, place)
    wrong = sorted(name for name in {**found, **expected} if found.get(name) != expected.get(name))
    beside = [p.name for p in folder.iterdir() if p.name.startswith((f".{place.name}", f"{place.name}."))]
    message = f"exit code {code}, other results: {', '.join(wrong) or 'none'}, left: {', '.join(beside) or 'nothing'}"
    return Try(f"{job.name}: ends as without kills", code == 0 and not wrong and not beside, message)
