"""Kills at random moments: what goes on afterwards must end as if there had been none, and leave no process behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from attacks.tries import ROOT, Try
from scml_gym.core.files import remove_tree

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PATIENCE = 60.0
"""Seconds in which all processes must be gone; a process that is asked to stop first saves what it has."""

LONGEST = 900.0
"""Seconds that a command may take, with many others on the machine."""

TIMES = 25
"""That each command is killed."""

MARK = "SCML_GYM_ATTACK"
"""Variable of the environment by which the processes of a command are found."""


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


def _script(name: str, *arguments: str) -> list[str]:
    return [str(ROOT / name), *arguments]


def _sets(options: Sequence[str]) -> list[str]:
    return [word for option in options for word in ("--set", option)]


def _training(folder: Path) -> list[str]:
    options = ["agent.training.worlds=600", "agent.training.log_every=50", "checkpoint_minutes=0.02", "env.days=5"]
    return _script("train.py", "q_learning", *_sets(options), "--out", str(folder))


def _resumed(folder: Path) -> list[str]:
    return _script("train.py", "--resume", str(folder)) if (folder / "run.json").exists() else _training(folder)


def _study(folder: Path) -> list[str]:
    options = ["trainings=4", "negotiations=2", "train.rounds=10", "test.rounds=10", "dqn.total_steps=1000"]
    options += ["dqn.net_arch=[8]", "rewards={accept: [a, b], offer: [a, b], failure_penalty: [0.0]}"]
    return _script("evaluate.py", "study", "dqn_acceptance", *_sets(options), "--workers", "2", "--out", str(folder))


def _tournament(folder: Path) -> list[str]:
    small = ["--background", "greedy,scml:SyncRandomOneShotAgent", "--days", "5", "--factories", "2", "--worlds", "6"]
    return _script("evaluate.py", "best-subset", *small, "--workers", "2", "--record", "--out", str(folder))


def _dataset(folder: Path) -> list[str]:
    program = "import sys; from scml_gym.commands.program import main; sys.exit(main())"
    small = ["--env", "concurrent", "--set", "days=10", "--episodes", "300", "--namespace", "attacked"]
    return ["-c", program, "dataset", "best-subset", *small]


JOBS = (
    Job("training", _training, _resumed, "learning_curve.csv"),
    Job("study", _study, _study, "*.csv"),
    Job("tournament", _tournament, _tournament, "*s.csv"),
    Job("dataset", _dataset, _dataset, "attacked/*/data/*"),
)


def attack(quick: bool, seed: int, folder: Path) -> Iterator[Try]:
    """Kill each command so often, at moments over the time that it takes, and let it end; then begin anew."""
    draw, times = random.Random(seed), 1 if quick else TIMES
    for job in JOBS:
        _start(job.begin(folder / "compiled"), folder / "compiled").wait(LONGEST)  # once, and not while it is killed
        remove_tree(folder / "compiled")
        whole = folder / f"{job.name}-whole"
        start = time.monotonic()
        code = _start(job.begin(whole), whole).wait(LONGEST)
        takes = time.monotonic() - start
        expected = _results(job, whole)
        yield Try(f"{job.name}: ends by itself", code == 0 and len(expected) > 0, f"exit code {code}", job.name)
        yield from _killed(job, folder, expected, takes, times, draw)


def _killed(
    job: Job, folder: Path, expected: dict[str, bytes], takes: float, times: int, draw: random.Random
) -> Iterator[Try]:
    place, round_ = folder / f"{job.name}-0", 0
    while True:
        process = _start((job.again if place.exists() else job.begin)(place), place)
        number = draw.choice(SIGNALS)
        seconds = draw.uniform(0, takes)
        try:
            code = process.wait(seconds if times > 0 else LONGEST)
        except subprocess.TimeoutExpired:
            times -= 1
            process.send_signal(number)
            left = _left(place, process)
            yield Try(
                f"{job.name}: {number.name} after {seconds:.1f} s", not left, f"{len(left)} processes left", job.name
            )
            if _results(job, place) != expected or _beside(place):
                continue
            code = 0  # it was killed when all was written
        yield (ended := _ended(job, place, expected, code))
        if times <= 0 or not ended.held:  # it might fail for ever
            return
        round_ += 1
        place = folder / f"{job.name}-{round_}"


def _start(arguments: list[str], place: Path) -> subprocess.Popen[bytes]:
    """A command that makes what is in a place; datasets are made there by Minari's variable."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), MARK: str(place), "MINARI_DATASETS_PATH": str(place)}
    with (place.parent / "said.txt").open("ab") as said:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=place.parent,
            env=environment,
            stdout=said,
            stderr=said,
            preexec_fn=_heed_interrupts,
        )


def _heed_interrupts() -> None:
    """In a new process: a shell has what it starts in the background ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _left(place: Path, leader: subprocess.Popen[bytes]) -> list[int]:
    """Processes of a command that are there after a while; they are ended then."""
    end = time.monotonic() + PATIENCE
    while (left := _running(place)) and time.monotonic() < end:
        leader.poll()
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    leader.wait()
    return left


def _running(place: Path) -> list[int]:
    """The processes of a command, whoever is their parent now."""
    mark, found = f"{MARK}={place}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = mark in (process / "environ").read_bytes().split(b"\0")
            if ours and (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(int(process.name))
        except OSError:
            continue
    return found


def _results(job: Job, place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.glob(job.made)}


def _beside(place: Path) -> list[str]:
    """What is left in its own folder, hidden, and beside it."""
    inside = [path.name for path in place.glob(".*") if path.name != ".lock"] if place.is_dir() else []
    names = (path.name for path in place.parent.iterdir())
    return inside + [name for name in names if name.startswith((f".{place.name}.", f"{place.name}."))]


def _ended(job: Job, place: Path, expected: dict[str, bytes], code: int) -> Try:
    """Whether what was killed and went on ended as what was not, and nothing of it is left beside its folder."""
    found, beside = _results(job, place), _beside(place)
    wrong = sorted(name for name in {**found, **expected} if found.get(name) != expected.get(name))
    message = f"exit code {code}, other results: {', '.join(wrong) or 'none'}, left: {', '.join(beside) or 'nothing'}"
    return Try(f"{job.name}: ends as without kills", code == 0 and not wrong and not beside, message, job.name)
