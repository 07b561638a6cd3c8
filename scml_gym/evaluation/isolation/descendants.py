"""The processes below this one, and how they are ended: grandchildren too, and those that left their group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterator
from pathlib import Path

_PATIENCE = 10.0
"""Seconds in which killed processes must be gone."""


def descendants(process: int) -> list[int]:
    """The processes that another one started, and those that these started, parents first."""
    found = [process]
    for parent in found:
        found += [child for child in _children(parent) if child not in found]
    return found[1:]


def end_descendants(kept: Collection[int] = ()) -> None:
    """Kill all processes below this one but some, and wait until they are gone.

    Args:
        kept: Processes that stay; what they started goes.
    """
    end = time.monotonic() + _PATIENCE
    while (left := [p for p in descendants(os.getpid()) if p not in kept]) and time.monotonic() < end:
        for process in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        for process in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, os.WNOHANG)
        if any(_running(process) for process in left):
            time.sleep(0.002)
        elif all(_parent(process) in kept for process in left):
            return  # dead, and their parent will see it


def stopped(child: int) -> bool:
    """Whether a child of this process was stopped by a signal."""
    try:
        return os.waitid(os.P_PID, child, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


def ended(child: int) -> bool:
    """Whether a child of this process has ended; nothing is lost for who waits for it."""
    try:
        return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def computes(process: int, seconds: float) -> bool:
    """Whether a process is at work, or would be if it had a processor, and has had less than so many CPU seconds."""
    stat = _stat(process)
    if not stat or stat[0] not in "RD":
        return False
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK") < seconds


def death(child: int) -> str:
    """How a child of this process ended, in words."""
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        with contextlib.suppress(ChildProcessError):
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                code = os.waitstatus_to_exitcode(status)
                return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        time.sleep(0.01)
    return "ended"


def _children(process: int) -> Iterator[int]:
    tasks = Path(f"/proc/{process}/task")
    if not Path("/proc/self/task").exists():
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False).stdout
        yield from (int(child) for child, parent in map(str.split, listed.splitlines()) if int(parent) == process)
        return
    for path in tasks.glob("*/children"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            yield from map(int, path.read_text().split())


def _stat(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _running(process: int) -> bool:
    return _stat(process)[:1] not in ([], ["Z"])


def _parent(process: int) -> int:
    return int((_stat(process) or ["", "0"])[1])
