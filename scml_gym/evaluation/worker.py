"""A worker process: ``python -m scml_gym.evaluation.worker``, tasks in on stdin, results out on stdout, JSON lines.

The worker itself only loads; every task runs in a child that it forks. So each world starts from the same state of the
process, whichever worker plays it and whatever was played before; a child that crashes or hangs costs that child alone;
and a byte of shared memory tells which player was at work.

Tasks are ``{"kind": "load" | "check" | "play", "limit": seconds, ...arguments}``. Results are ``{"value": ...}``, or
``{"failure": "input" | "exception" | "crash" | "hang", "message": text, "player": index or -1}``.
"""

from __future__ import annotations

import contextlib
import gc
import json
import mmap
import os
import select
import signal
import sys
import time
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.core.process import limit_threads

Result = dict[str, Any]

_GRACE = 5.0
"""Seconds after which a task's process ends by itself, where nobody is left to end it at its limit."""


def main() -> None:
    """Answer tasks until stdin is closed."""
    limit_threads()
    answers = os.fdopen(os.dup(1), "w")
    _silence(1)
    from scml_gym.evaluation import play

    mark = memoryview(mmap.mmap(-1, 8)).cast("q")
    for line in sys.stdin:
        task = json.loads(line)
        limit = task.pop("limit")
        if task["kind"] == "load":
            play.prepare(task["game"], task["names"], task["recorded"])
            gc.collect()
            gc.freeze()
            result: Result = {"value": None}
        else:
            result = _in_a_child(task, limit, mark, answers.fileno())
        answers.write(json.dumps(result) + "\n")
        answers.flush()


def _silence(*descriptors: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _in_a_child(task: dict[str, Any], limit: float, mark: Any, answers: int) -> Result:
    """Fork, run the task there, and wait for its result, its death or the end of its time.

    Should this process be killed meanwhile, whoever waits for ``answers`` must see their end at once, so the child does
    not hold them; and the system itself ends the child when its time is over.
    """
    from scml_gym.evaluation.exceptions import NOBODY

    mark[0] = NOBODY
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        signal.setitimer(signal.ITIMER_REAL, limit + _GRACE)
        os.close(reader)
        os.close(answers)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _silence(1, 2)
        with os.fdopen(writer, "w") as file:
            file.write(json.dumps(_run(task, mark)) + "\n")
        os._exit(0)
    os.close(writer)
    text = _read(reader, time.monotonic() + limit)
    os.close(reader)
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
    status = os.waitpid(pid, 0)[1]
    if text is None:
        return {"failure": "hang", "message": f"no end within {limit:g} seconds", "player": mark[0]}
    if not text.endswith(b"\n"):
        return {"failure": "crash", "message": _death(status), "player": mark[0]}
    return json.loads(text)


def _read(reader: int, deadline: float) -> bytes | None:
    """What the child writes, to its end; None where the deadline passes first. Ends this process with its parent."""
    text = b""
    while not text.endswith(b"\n"):
        ready = select.select([reader, 0], [], [], max(0.0, deadline - time.monotonic()))[0]
        if reader in ready:
            part = os.read(reader, 1 << 16)
            if not part:
                break
            text += part
        elif 0 in ready or time.monotonic() >= deadline:  # nothing is sent while a task runs: stdin was closed
            return None
    return text


def _death(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"the process ended with exit code {code}"


def _run(task: dict[str, Any], mark: Any) -> Result:
    """In the child: the value of a task, or how it failed."""
    from scml_gym.evaluation import play
    from scml_gym.evaluation.exceptions import describe

    functions = {"check": play.check, "play": play.play}
    function = functions[task.pop("kind")]
    try:
        return {"value": function(**task, mark=mark)}
    except InputError as error:
        return {"failure": "input", "message": str(error), "player": mark[0]}
    except BaseException as error:  # SystemExit and KeyboardInterrupt of a player too
        return {"failure": "exception", "message": describe(error), "player": mark[0]}


if __name__ == "__main__":
    main()
