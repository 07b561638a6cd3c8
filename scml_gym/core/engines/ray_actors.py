"""Objects in the processes of a Ray cluster, as `scml_gym.core.engines.base.Held`, on the machine that leads."""

from __future__ import annotations

import contextlib
import pickle
import queue
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from scml_gym.core.engines.ray_host import Host, Origin, told_to_begin, value_of
from scml_gym.core.errors import InputError

PATIENCE = 180.0
"""Seconds without any object after which the cluster counts as occupied or lost."""

MOST_LOSSES = 5
"""Machines that one job may lose; who loses so many is what kills them."""

_CLOSING = 10.0
"""Seconds that an object has to end by itself."""

BEGINNING = "beginning of a Ray actor"
"""Name of the threads that wait for one."""

_LOOK = 1.0
"""Seconds between two looks whether an object that is waited for was closed."""


class MachineLostError(Exception):
    """The process that holds an object has gone, with its machine or alone."""


class Actors:
    """So many objects, each made as soon as the cluster has a core for it; one that is lost is made again.

    Args:
        ray: The module, connected.
        packed: Where Ray keeps the files.
        origin: What each machine must have in common with this one.
        make: See `scml_gym.core.engines.base.Engine.hold`.
        most: How many.
        output: See there.
    """

    def __init__(
        self,
        ray: Any,
        packed: Any,
        origin: Origin,
        make: Callable[[Path | None], Any],
        most: int,
        output: Path | None = None,
    ):
        self._ray, self._packed, self._output = ray, packed, output
        self._begin = told_to_begin(origin, make, output)
        self._ready: queue.SimpleQueue[Actor | Exception] = queue.SimpleQueue()
        self._members: set[Actor] = set()
        self._beginning: set[threading.Thread] = set()
        self._changing = threading.Lock()
        self._last_alive = time.monotonic()
        self._closed = False
        with self._changing:
            for _ in range(most):
                self._recruit()

    def _recruit(self) -> None:
        """Holding the lock."""
        thread = threading.Thread(target=self._begin_one, name=BEGINNING, daemon=True)
        self._beginning.add(thread)
        thread.start()

    def _begin_one(self) -> None:
        """In a thread: wait for a core, and for an object there."""
        member = Actor(self._ray, self._output)
        try:
            with self._changing:
                if self._closed:
                    return
                member.create()
                self._members.add(member)
            member.begin(self._packed, self._begin)
        except MachineLostError:
            self._gone(member)
        except Exception as error:
            if not self._closed:
                self._ready.put(error)
        else:
            member.ready = True
            self._ready.put(member)
        finally:
            with self._changing:
                self._beginning.discard(threading.current_thread())

    def _gone(self, member: Actor) -> None:
        with self._changing:
            self._members.discard(member)
            if not self._closed:
                self._recruit()

    def take(self) -> Actor:
        """One that is free, waiting for it.

        Raises:
            InputError: if a machine is refused, or if there is none for too long.
            CancelledError: if this was closed.
        """
        while True:
            with contextlib.suppress(queue.Empty):
                found = self._ready.get(timeout=1.0)
                if isinstance(found, Exception):
                    self._ready.put(found)  # for all who wait
                    raise found
                self._last_alive = time.monotonic()
                return found
            if self._closed:
                raise CancelledError
            with self._changing:
                if any(member.ready for member in self._members):
                    self._last_alive = time.monotonic()
            if time.monotonic() - self._last_alive > PATIENCE:
                raise InputError(
                    f"no machine of the Ray cluster has had a free core for {PATIENCE:.0f} s; what is finished is kept"
                )

    def put_back(self, member: Actor) -> None:
        """It is free again."""
        self._ready.put(member)

    def lost(self, member: Actor) -> None:
        """It will not come back: say so, and have another one made."""
        if not self._closed:
            print(f"\nthe machine {member.machine} is lost; its jobs are played again", file=sys.stderr, flush=True)
        self._gone(member)

    def call(self, method: str, *arguments: Any) -> Any:
        """See `scml_gym.core.engines.base.Held`; where the machine is lost, the call is made again elsewhere.

        Raises:
            InputError: if it was lost `MOST_LOSSES` times.
        """
        for _ in range(MOST_LOSSES):
            member = self.take()
            try:
                value = member.call(method, *arguments)
            except MachineLostError as lost:
                if self._closed:
                    raise CancelledError from lost
                self.lost(member)
                continue
            except BaseException:
                self.put_back(member)
                raise
            self.put_back(member)
            return value
        raise InputError(f"a job was lost with its machine {MOST_LOSSES} times; what is finished is kept")

    def each(self, method: str) -> list[Any]:
        """What a method gives of each object that is there, also while they are called."""
        with self._changing:
            members = [member for member in self._members if member.ready]
        answers = []
        for member in members:
            with contextlib.suppress(MachineLostError):
                answers.append(member.call(method))
        return answers

    def close(self) -> None:
        """End all objects, and the processes that hold them; no thread asks Ray for anything then, which would crash
        this process once Ray is shut down."""
        with self._changing:
            self._closed = True
            members, self._members = self._members, set()
            beginning = list(self._beginning)
        for member in members:
            member.ask_to_close()
        for member in members:
            member.close(_CLOSING)
        for thread in beginning:
            thread.join()


class Actor:
    """One object, in a process of the cluster.

    Attributes:
        machine: Its name, once the object is made.
        ready: Whether the object is made.
    """

    def __init__(self, ray: Any, output: Path | None):
        self._ray, self._output = ray, output
        self._actor: Any = None
        self._closing: Any = None
        self._closed = False
        self.machine = "of a worker"
        self.ready = False

    def create(self) -> None:
        """Ask the cluster for a core, and a process on it."""
        actor = self._ray.remote(num_cpus=1, max_restarts=0, max_concurrency=4)(Host)
        self._actor = actor.options(scheduling_strategy="SPREAD").remote()

    def begin(self, packed: Any, told: bytes) -> None:
        """Wait for the process, and have the object made.

        Raises:
            MachineLostError: if it was lost meanwhile.
            InputError: if the machine is refused.
        """
        self.machine = self._answer("begin", packed, told)

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the object.

        Raises:
            MachineLostError: if the process has gone.
            Exception: that the method raised.
        """
        return self._answer("call", pickle.dumps((method, arguments)))

    def _answer(self, name: str, *arguments: Any) -> Any:
        try:
            asked = getattr(self._actor, name).remote(*arguments)
            while not self._closed:
                with contextlib.suppress(self._ray.exceptions.GetTimeoutError):
                    return value_of(self._ray.get(asked, timeout=_LOOK), self._output)
        except self._ray.exceptions.RayTaskError:
            raise
        except self._ray.exceptions.RayError as error:
            raise MachineLostError(str(error)) from error
        raise MachineLostError("closed")

    def ask_to_close(self) -> None:
        """Let the object end by itself."""
        with contextlib.suppress(Exception):
            self._closing = self._actor.close.remote() if self.ready else None

    def close(self, seconds: float) -> None:
        """End the process, and the object where it has not ended in time."""
        with contextlib.suppress(Exception):
            if self._closing is not None:
                self._ray.wait([self._closing], timeout=seconds)
            self._ray.kill(self._actor)
        self._closed = True
