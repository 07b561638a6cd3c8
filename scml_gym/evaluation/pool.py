"""The worker processes of a tournament, seen from the process that leads it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scml_gym.core.engines.base import Engine
from scml_gym.core.engines.local import Local
from scml_gym.evaluation.exceptions import STRICT
from scml_gym.evaluation.isolation.descendants import stopped
from scml_gym.evaluation.isolation.kinds import AGENTS, SLOWEST, TOGETHER, Result
from scml_gym.game.definition import Setting
from scml_gym.games import DEFAULT_GAME

_GRACE = 120.0
"""Seconds beyond the limits of a task's players after which the worker itself counts as dead."""

_POLL = 0.5
"""Seconds between two looks at whether a worker was stopped."""


def start_process(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a worker, with pipes to it, in a session of its own."""
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )


Loading = dict[str, Any]
"""The arguments of a task of the kind ``load``."""


class Worker:
    """One worker process, see `scml_gym.evaluation.worker`.

    It starts with ``PYTHONHASHSEED=0``, because scml's built-in agents iterate over sets of names; with one thread for
    numerical libraries; and with this process's import path and the current folder, where users keep modules of their
    own. It is in a session of its own: an interrupt from the terminal reaches the leading process only.

    Args:
        recording: The folder in which worlds are recorded that are to be; None for none.
    """

    def __init__(self, recording: Path | None = None) -> None:
        self._recording = recording
        environment = dict(os.environ) | {
            "PYTHONHASHSEED": "0",
            "PYTHONSAFEPATH": "1",
            "PYTHONPATH": os.pathsep.join(path for path in [*sys.path, os.getcwd()] if path),
        }
        environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        command = [sys.executable, "-W", "ignore", "-m", "scml_gym.evaluation.worker"]
        self._process = start_process(command, environment)
        self._loaded: Loading | None = None

    def ask(self, task: dict[str, Any], loading: Loading | None = None) -> Result | None:
        """Send a task and wait for its result; None where the worker dies, is stopped or does not answer.

        Args:
            task: See `scml_gym.evaluation.worker`.
            loading: What is loaded before it, once, so that the worlds that are forked then have it.
        """
        if loading is not None and loading != self._loaded:
            self._loaded = loading
            self._send({"kind": "load", **loading})
        if "record" in task:
            task = task | {"record": task["record"] | {"folder": str(self._recording)}}
        return self._send(task)

    def _send(self, task: dict[str, Any]) -> Result | None:
        assert self._process.stdin is not None and self._process.stdout is not None
        players = len(task.get("names", ())) + 2  # they may play once together, then each in turn, and be loaded
        end = time.monotonic() + players * (2 * SLOWEST * task["limit"] + _GRACE)
        answer = b""
        try:
            self._process.stdin.write(json.dumps(task).encode() + b"\n")
            self._process.stdin.flush()
            while not answer.endswith(b"\n"):
                if select.select([self._process.stdout], [], [], _POLL)[0]:
                    part = os.read(self._process.stdout.fileno(), 1 << 20)
                    if not part:
                        break
                    answer += part
                elif stopped(self._process.pid) or time.monotonic() > end:
                    break
        except (OSError, ValueError):  # the pipe is broken, or closed from this side
            answer = b""
        if answer.endswith(b"\n"):
            return json.loads(answer)
        self._process.kill()
        self._process.wait()
        return None

    @property
    def alive(self) -> bool:
        """Whether it can take another task."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process; a world that it plays is given up."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class WorkerPool:
    """Plays worlds in parallel; a ``with`` block ends its processes.

    Args:
        workers: How many processes, each started when first needed and replaced when it dies.
        limit: Seconds that a task may take.
        game: Whose worlds they are.
        errors: What exceptions of players cost, a name in `scml_gym.evaluation.exceptions.ERRORS`.
        isolate: How players are kept from each other, a name in `scml_gym.evaluation.isolation.kinds.ISOLATION`.
        recording: The folder in which some of them are recorded; None for none.
        engine: Where the processes are.
    """

    def __init__(
        self,
        workers: int,
        limit: float,
        game: str = DEFAULT_GAME,
        errors: str = STRICT,
        isolate: str = TOGETHER,
        recording: Path | None = None,
        engine: Engine | None = None,
    ):
        self._engine = Local() if engine is None else engine
        self._isolate = isolate
        self._recorded = recording is not None
        self._limit = limit
        self._errors = errors
        self._game = game
        self._names: tuple[str, ...] = ()
        self._threads = ThreadPoolExecutor(workers)
        self._workers = self._engine.hold(Worker, workers, recording)
        self._closed = False

    def check(self, names: Sequence[str], seed: int) -> Result:
        """Try out players, each in turn; ``player`` of a failure is an index of ``names``."""
        return self._ask({"kind": "check", "names": list(names), "seed": seed})

    def load(self, names: Sequence[str]) -> None:
        """These players have passed the check: every worker may load them itself."""
        self._names = tuple(dict.fromkeys(names))

    def play(self, names: Sequence[str], seed: int, setting: Setting, **record: Any) -> Future[Result]:
        """Play a world; ``record`` and the value of the result are those of `scml_gym.evaluation.play.play`."""
        world = {"names": list(names), "seed": seed, "setting": list(setting), "errors": self._errors}
        world["isolate"] = self._isolate
        return self._threads.submit(self._ask, {"kind": "play"} | world | record)

    def _ask(self, task: dict[str, Any]) -> Result:
        """The result of a task. A worker that dies costs time: another one does its task, the last time with isolated
        players, as one of them may have done it."""
        for isolate in (task.get("isolate"), task.get("isolate"), AGENTS):
            result = self._ask_one(task | {"isolate": isolate} if "isolate" in task else task)
            if result is not None or self._closed:
                break
        return result or {"failure": "crash", "message": "the worker process died", "player": -1}

    def _ask_one(self, task: dict[str, Any]) -> Result | None:
        common = {"game": self._game, "limit": self._limit}
        task = common | task | {"names": self._engine.bring(task["names"])}
        if not self._names:
            return self._workers.call("ask", task)
        names = self._engine.bring(list(self._names))
        return self._workers.call("ask", task, common | {"names": names, "recorded": self._recorded})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._workers.close()
        self._threads.shutdown(wait=True)
