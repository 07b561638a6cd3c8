"""A worker process: ``python -m scml_gym.evaluation.worker``, tasks in on stdin, results out on stdout, JSON lines.

No player's code runs in the worker. It forks a server (`scml_gym.evaluation.isolation.fork_server`), which loads the
players, and from which a process is forked for each world: that plays it and hands over its contracts, or what its
players answered. What they brought is computed here (`scml_gym.evaluation.judging`), from parameters that the seed
gives. Where the process of the world says something else, or
nothing, the world is played once more with each player in a process of its own
(`scml_gym.evaluation.isolation.isolated`), which tells whose fault it is. All processes of a world are killed at its
end, and whatever they started with them.

Tasks are ``{"kind": "load" | "check" | "play", "limit": seconds, ...arguments}``. Results are ``{"value": ...}``, or
``{"failure": "input" | "exception" | "crash" | "hang" | "mismatch", "message": text, "player": index or -1}``.
"""

from __future__ import annotations

import gc
import json
import os
import select
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.core.process import limit_threads
from scml_gym.evaluation.isolation.kinds import AGENTS, MISMATCH, Result

_MOST_BYTES = 1 << 26
"""That a world may hand over."""

_POLL = 0.5
"""Seconds between two looks at whether a world's processes multiply."""


def main() -> None:
    """Answer tasks until stdin is closed."""
    limit_threads()
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    from scml_gym.evaluation.isolation.confinement import adopt_orphans

    adopt_orphans()
    worker = Worker()
    for line in sys.stdin:
        task = json.loads(line)
        act = {"load": worker.load, "check": worker.check, "play": worker.play}[task.pop("kind")]
        answers.write(json.dumps(act(task, task.pop("limit"))) + "\n")
        answers.flush()
    worker.end()


class Worker:
    """What a worker process does."""

    def __init__(self) -> None:
        self._fork_server: Any = None
        self._loaded: Mapping[str, Any] = {}

    def load(self, task: dict[str, Any], limit: float) -> Result:
        """Load the simulation here, and the players of ``names`` in a new fork server."""
        from scml_gym.evaluation import play

        play.prepare(task["game"], task["recorded"])
        gc.collect()
        gc.freeze()
        self._loaded = task
        self._start_fork_server()
        return {"value": None}

    def _start_fork_server(self) -> None:
        from scml_gym.evaluation import play
        from scml_gym.evaluation.isolation.fork_server import ForkServer

        if self._fork_server is not None:
            self._fork_server.end()
        game, names = self._loaded["game"], self._loaded["names"]
        self._fork_server = ForkServer(lambda: play.load_players(game, names), play.in_a_world)

    def check(self, task: dict[str, Any], limit: float) -> Result:
        """Try out all players in one process; where that fails, each in its own, which tells whose fault it is."""
        from scml_gym.evaluation import play

        play.prepare(task["game"])  # once, and not in each trial
        if self._try(task, limit) == {"value": None}:
            return {"value": None}
        for player, name in enumerate(task["names"]):
            result = self._try(task | {"names": [name]}, limit)
            if result != {"value": None}:
                return result | {"player": player}
        return {"failure": "crash", "message": "the players cannot be loaded into one process", "player": -1}

    def _try(self, task: dict[str, Any], limit: float) -> Result:
        from scml_gym.evaluation import play
        from scml_gym.evaluation.isolation import fork_server
        from scml_gym.evaluation.isolation.descendants import death, ended

        reader, writer = os.pipe()
        child = fork_server.fork_world(writer, task, limit, play.in_a_trial)
        os.close(writer)
        content = self._read(reader, time.monotonic() + limit, lambda: ended(child))
        result = fork_server.read_result(content or b"")
        if result is None or not ({"value"} == result.keys() or {"failure", "message"} <= result.keys()):
            how = "hang" if content is None else "crash"
            message = f"no end within {limit:g} seconds" if content is None else f"its process {death(child)}"
            result = {"failure": how, "message": message}
        self._end_worlds()
        return result

    def play(self, task: dict[str, Any], limit: float) -> Result:
        """Play a world, and say what it brought."""
        from scml_gym.evaluation.exceptions import describe
        from scml_gym.evaluation.judging import judging_of

        isolation, judging = task.pop("isolate"), judging_of(task["game"])
        if judging is None:
            return self._as_told(task, limit)
        try:
            spec = judging.spec(task)
        except InputError as error:
            return {"failure": "input", "message": str(error), "player": -1}
        except Exception as error:  # of scml's generator
            return {"failure": "exception", "message": describe(error), "player": -1}
        difference = None
        if isolation != AGENTS:
            result, difference = self._together(task, spec, judging, limit)
            if result is not None:
                return result
        result = self._isolated(task, spec, judging, limit)
        if "value" in result and difference is not None:
            return {"failure": MISMATCH, "message": difference, "player": -1}
        return result

    def _together(
        self, task: dict[str, Any], spec: Any, judging: Any, limit: float
    ) -> tuple[Result | None, str | None]:
        """Play a world in one process: its result, or None where there is reason to isolate its players; and how what
        it says of itself differs from what it hands over."""
        from scml_gym.evaluation.judging import IMPOSSIBLE
        from scml_gym.simulator.line_up import MismatchError

        told = self._ask_fork_server(task if spec is None else task | {"spec": spec}, limit)
        if told is None or told.get("value") is None:
            return None, None
        try:
            rows = judging.rows(task, spec, told["value"])
            changed = told["value"]["changed"]
        except (MismatchError, *IMPOSSIBLE) as error:
            return None, f"the process of the world hands over what cannot be true: {' '.join(str(error).split())}"
        return (None, None) if changed is not None else ({"value": rows}, None)

    def _isolated(self, task: dict[str, Any], spec: Any, judging: Any, limit: float) -> Result:
        from scml_gym.evaluation.isolation.isolated import play_isolated
        from scml_gym.simulator.line_up import MismatchError

        kept = [] if self._fork_server is None else [self._fork_server.pid]
        told = play_isolated(task, spec, judging.take_part, judging.lead, limit, kept, self._ready)
        if "value" not in told:
            return told
        try:
            return {"value": judging.rows(task, spec, told["value"])}
        except MismatchError as error:
            return {"failure": MISMATCH, "message": str(error), "player": -1}

    def _as_told(self, task: dict[str, Any], limit: float) -> Result:
        """The result of a world that cannot be judged, as its own process says it."""
        told = self._ask_fork_server(task, limit)
        if told is None:
            return {"failure": "crash", "message": "the process of the world ended", "player": -1}
        return told

    def _ask_fork_server(self, task: dict[str, Any], limit: float) -> Result | None:
        """What the process of a world writes; None where that is nothing, or no result."""
        from scml_gym.evaluation.isolation.fork_server import read_result

        if self._fork_server is None:
            self._loaded = {"game": task["game"], "names": task["names"], "recorded": False}
            self._start_fork_server()
        server: Any = self._fork_server
        try:
            reader = server.start(task, limit)
        except OSError:
            self._start_fork_server()
            return None
        content = self._read(reader, time.monotonic() + limit, server.ended)
        self._end_worlds()
        if content is None:
            return {"failure": "hang", "message": f"no end within {limit:g} seconds", "player": -1}
        return read_result(content)

    def _read(self, reader: int, deadline: float, ended: Callable[[], bool]) -> bytes | None:
        """What the process of a world writes, a line; None at the deadline. What it started may hold the pipe open."""
        from scml_gym.evaluation.isolation.confinement import MOST_PROCESSES
        from scml_gym.evaluation.isolation.descendants import descendants

        parts: list[bytes] = []
        try:
            while time.monotonic() < deadline:
                if self._ready(reader, min(_POLL, deadline - time.monotonic())):
                    part = os.read(reader, 1 << 20)
                    parts.append(part)
                    if sum(map(len, parts)) > _MOST_BYTES:
                        return b""
                    if not part or part.endswith(b"\n"):
                        return b"".join(parts)
                elif len(descendants(os.getpid())) > MOST_PROCESSES:
                    return b""
                elif ended() and not self._ready(reader, 0.0):
                    return b"".join(parts)
            return None
        finally:
            os.close(reader)

    def _ready(self, descriptor: Any, seconds: float) -> bool:
        """Wait until something can be read. Ends this process with the leading one."""
        ready = select.select([descriptor, 0], [], [], max(0.0, seconds))[0]
        if 0 in ready:  # nothing is sent while a task runs: stdin was closed
            self.end()
            sys.exit(0)
        return descriptor in ready

    def _end_worlds(self) -> None:
        from scml_gym.evaluation.isolation.descendants import end_descendants

        end_descendants([] if self._fork_server is None else [self._fork_server.pid])

    def end(self) -> None:
        """End all processes below this one."""
        from scml_gym.evaluation.isolation.descendants import end_descendants

        end_descendants()


if __name__ == "__main__":
    main()
