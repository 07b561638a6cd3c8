"""A process in which the players' modules are loaded, and from which each world is forked.

So each world starts from the same state, whichever worker plays it and whatever was played before, and modules are
loaded once. Their code runs as soon as they are loaded, so this is not the worker, which judges what came of a world.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pickle
import select
import signal
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any

from scml_gym.evaluation.isolation.confinement import confine, end_with_parent

_GRACE = 5.0
"""Seconds after which a world's process ends by itself, where nobody is left to end it at its limit."""

_LENGTH = struct.Struct("!I")

Run = Callable[[dict[str, Any]], Any]
"""``(task) -> result``: what is done in the process of a world."""


class ForkServer:
    """Seen from the worker, whose child it is.

    Args:
        load: Loads the players' modules; called in it.
        run: Called in the process of each world.
    """

    def __init__(self, load: Callable[[], None], run: Run):
        self._told = True
        """Whether the end of the last world is known."""
        self.line, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            with contextlib.suppress(BaseException):
                self.line.close()
                _serve(theirs, load, run)
            os._exit(0)
        theirs.close()

    def start(self, task: Mapping[str, Any], limit: float) -> int:
        """Begin a world: a descriptor from which its result is read.

        Raises:
            OSError: if it has ended, or the world before does not end.
        """
        if not self.ended(_GRACE):
            raise TimeoutError("the process of a world does not end")
        reader, writer = os.pipe()
        content = pickle.dumps((task, limit))
        try:
            socket.send_fds(self.line, [_LENGTH.pack(len(content))], [writer])
            self.line.sendall(content)
        except OSError:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        self._told = False
        return reader

    def ended(self, patience: float = 0.0) -> bool:
        """Whether the process of the last world has ended, or does within so many seconds; what it started may be
        there still, and hold what it had open."""
        if not self._told and select.select([self.line], [], [], patience)[0]:
            self.line.recv(1)
            self._told = True
        return self._told

    def end(self) -> None:
        """End it, and what its modules started."""
        self.line.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _serve(line: socket.socket, load: Callable[[], None], run: Run) -> None:
    os.setsid()
    end_with_parent()
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.closerange(3, line.fileno())
    os.closerange(line.fileno() + 1, 1 << 16)
    load()
    gc.collect()
    gc.freeze()
    while True:
        head, descriptors, _, _ = socket.recv_fds(line, _LENGTH.size, 1)
        if len(head) < _LENGTH.size:
            return
        content = b""
        while len(content) < _LENGTH.unpack(head)[0]:
            content += line.recv(1 << 20)
        task, limit = pickle.loads(content)
        world = fork_world(descriptors[0], task, limit, run)
        os.close(descriptors[0])
        os.waitpid(world, 0)  # the worker ends it, and asks for no other one before
        line.sendall(b".")


def fork_world(writer: int, task: dict[str, Any], limit: float, run: Run) -> int:
    """Fork a process that does a task, writes the result as a line of JSON, and ends.

    Args:
        writer: Descriptor that it writes to.
        task: What to do.
        limit: Seconds that it may take; where nobody ends it then, the system does so a little later.
        run: Does it.
    """
    pid = os.fork()
    if pid == 0:
        try:
            confine(writer)
            signal.setitimer(signal.ITIMER_REAL, limit + _GRACE)
            text = json.dumps(run(task)) + "\n"
            with os.fdopen(writer, "w") as file:
                file.write(text)
        finally:
            os._exit(0)
    return pid


def read_result(content: bytes) -> Any:
    """What a process of a world wrote, all of it; None where that is no result.

    It is what players can write too: nothing in it is believed.
    """
    if not content.endswith(b"\n"):
        return None
    try:
        result = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return result if isinstance(result, dict) else None
