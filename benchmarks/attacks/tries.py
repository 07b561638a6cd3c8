"""What an attack was, whether the package held, and processes that are tried within limits."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

GIGABYTE = 2**30


class Try(NamedTuple):
    """One attack.

    Attributes:
        what: Was done, in a few words.
        held: Whether the package gave a result or one line, and nothing else happened.
        message: What was told, or what went wrong.
        kind: With which others it is counted.
    """

    what: str
    held: bool
    message: str
    kind: str


class Ended(NamedTuple):
    """A process that has ended.

    Attributes:
        code: Its exit code; of a signal the negative number, as in `subprocess`.
        out: What it said on stdout.
        err: What it said on stderr.
        seconds: It took; the limit where it had to be ended.
        hung: Whether it had to be ended.
        left: Processes of its group that were still there when it had ended.
    """

    code: int
    out: str
    err: str
    seconds: float
    hung: bool
    left: int


def run(
    arguments: Sequence[str],
    folder: Path,
    seconds: float = 60.0,
    limits: Mapping[int, int] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Ended:
    """Run Python in a process group of its own, which is ended whole.

    Args:
        arguments: Of the interpreter; the first of a script of the repository is its path there.
        folder: In which it runs.
        seconds: After which it is ended.
        limits: Of `resource.setrlimit`: bytes of a file, of memory and others.
        variables: Of the environment, over those of this process.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}

    def limit() -> None:
        for kind, most in (limits or {}).items():
            resource.setrlimit(kind, (most, most))

    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment | dict(variables or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=limit,
    )
    hung = False
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        hung = True
        _end(process.pid)
        out, err = process.communicate()
    left = _members(process.pid)
    _end(process.pid)
    return Ended(process.returncode, out, err, time.monotonic() - start, hung, left)


def refusal(ended: Ended) -> str:
    """What is wrong with how a command refused, empty where it is exit code 2 and one line that is no traceback."""
    if ended.hung:
        return f"hung for {ended.seconds:.0f} s"
    if "Traceback" in ended.err:
        return "traceback: " + ended.err.strip().splitlines()[-1]
    if ended.left:
        return f"{ended.left} processes left"
    lines = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    if ended.code != 2 or len(lines) != 1:
        return f"exit code {ended.code}, {len(lines)} lines of error: {ended.err.strip()[-200:]}"
    return ""


def _members(group: int) -> int:
    """Processes of a group that run, zombies not counted."""
    found = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, fields = stat.read_text().rpartition(") ")
        except OSError:
            continue
        state, _, of = fields.split()[:3]
        found += int(of) == group and state != "Z"
    return found


def _end(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
