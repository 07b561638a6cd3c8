"""How the players of a world, each in a process of its own, and the process that leads the world tell each other.

A socket each, messages of a length and JSON. The leading process asks one player after the other: it sends what came of
the other players' calls since then, and waits for what comes of the next call of this one. It believes a player nothing
but its own answers.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from scml_gym.evaluation.isolation.descendants import computes
from scml_gym.evaluation.isolation.kinds import SLOWEST
from scml_gym.simulator.global_rng import state_heard
from scml_gym.simulator.lockstep import TURN, Event, ProtocolError, answer_heard

_LENGTH = struct.Struct("!I")
MOST_BYTES = 1 << 26
"""Of a message."""

_POLL = 0.5
"""Seconds between two looks at a player that is slow."""

LOADING = 60.0
"""Seconds that a player may take to be loaded and made, where the limit is less."""


class Fault(BaseException):
    """A player that ends its world; no ``except Exception`` of the simulation may swallow that.

    Args:
        player: Its factory.
        failure: As in the results of `scml_gym.evaluation.worker`.
        message: What happened, in one line.
    """

    def __init__(self, player: int, failure: str, message: str):
        super().__init__(message)
        self.player, self.failure, self.message = player, failure, message


def send(line: socket.socket, message: Any) -> None:
    """Send what JSON has."""
    text = json.dumps(message, separators=(",", ":")).encode()
    line.sendall(_LENGTH.pack(len(text)) + text)


def receive(line: socket.socket, left: Callable[[], float] = lambda: float("inf")) -> Any:
    """What the other side sent.

    Args:
        line: To it.
        left: Seconds after which it is asked again; at 0 or less patience is over.

    Raises:
        TimeoutError: if it is not there in time.
        EOFError: if the other side has ended.
        ProtocolError: if it is no message.
    """
    (length,) = _LENGTH.unpack(_read(line, _LENGTH.size, left))
    if length > MOST_BYTES:
        raise ProtocolError(f"a message of {length} bytes")
    try:
        return json.loads(_read(line, length, left))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"a message that is no JSON ({error})") from error


def _read(line: socket.socket, length: int, left: Callable[[], float]) -> bytes:
    parts = b""
    while len(parts) < length:
        seconds = left()
        if seconds <= 0:
            raise TimeoutError
        line.settimeout(None if seconds == float("inf") else seconds)
        try:
            part = line.recv(min(length - len(parts), 1 << 20))
        except TimeoutError:
            continue
        if not part:
            raise EOFError
        parts += part
    return parts


class Leader:
    """The leading process's side: every player is elsewhere.

    Args:
        lines: To the players, by factory.
        pids: Of their processes.
        limit: Seconds that each of them may take in all, when it is loaded. One that is only slow, because others have
            the processor, may take `SLOWEST` times as long.
    """

    def __init__(self, lines: Sequence[socket.socket], pids: Sequence[int], limit: float):
        self._lines, self._pids, self._limit = lines, pids, limit
        self._left = [limit] * len(lines)
        self._begun: set[int] = set()
        self._untold: list[list[Event]] = [[] for _ in lines]

    def tell(self, event: Event) -> None:
        """Nobody plays here."""
        raise AssertionError("the leading process has no player")

    def hear(self, factory: int, what: str) -> Event:
        """What came of the next call of a player; see `scml_gym.simulator.lockstep.Exchange`."""
        told = self.ask(factory)
        if not (isinstance(told, list) and len(told) == 3 and told[0] == what):
            raise Fault(factory, "exception", f"it misses the protocol: its copy of the world is not at {what!r}")
        event = Event(factory, *told)
        try:
            if event.generators is not None:
                state_heard(event.generators)
            if what == TURN:
                answer_heard(event.value)
        except (ProtocolError, ValueError) as error:
            raise Fault(factory, "exception", f"it misses the protocol: {error}") from None
        for other, untold in enumerate(self._untold):
            if other != factory:
                untold.append(event)
        return event

    def ask(self, factory: int) -> Any:
        """What a player says when it has heard what it does not know yet.

        Raises:
            Fault: as `call`.
        """
        untold, self._untold[factory] = self._untold[factory], []
        return self.call(factory, untold)

    def call(self, factory: int, message: Any) -> Any:
        """What a player says to a message.

        Raises:
            Fault: if it ends, raises, takes too long, or says what is no message.
        """
        line = self._lines[factory]
        start, begins = time.monotonic(), factory not in self._begun
        seconds = max(self._limit, LOADING) if begins else max(self._left[factory], 0.001)
        self._begun.add(factory)

        def left() -> float:
            over = time.monotonic() - start - seconds
            slow = over >= 0 and over < SLOWEST * self._limit and computes(self._pids[factory], self._limit)
            return _POLL if slow else -over

        try:
            line.settimeout(seconds)
            send(line, message)
            told = receive(line, left)
        except TimeoutError:
            raise Fault(factory, "hang", f"no end within {self._limit:g} seconds") from None
        except (EOFError, OSError):
            raise Fault(factory, "crash", "its process ended") from None
        except ProtocolError as error:
            raise Fault(factory, "exception", f"it misses the protocol: {error}") from None
        self._left[factory] -= 0.0 if begins else time.monotonic() - start
        if isinstance(told, dict) and told.get("failure") in ("input", "exception"):
            raise Fault(factory, told["failure"], str(told.get("message"))[:2000])
        return told


class Player:
    """The side of a player's process.

    Args:
        line: To the leading process.
    """

    def __init__(self, line: socket.socket):
        self.line = line
        self._heard: deque[list[Any]] = deque()
        self._asked = False

    def tell(self, event: Event) -> None:
        """See `scml_gym.simulator.lockstep.Exchange`; said when it is asked for."""
        self._wait()
        send(self.line, event[1:])
        self._asked = False

    def say(self, message: Any) -> None:
        """The last message."""
        self._wait()
        send(self.line, message)

    def hear(self, factory: int, what: str) -> Event:
        """See `scml_gym.simulator.lockstep.Exchange`."""
        while not self._heard:
            if self._asked:
                raise ProtocolError("this copy of the world is ahead of the others")
            self._listen()
        event = Event(*self._heard.popleft())
        if event[:2] != (factory, what):
            raise ProtocolError(f"this copy of the world is not at {event.what!r} of factory {event.factory}")
        return event

    def _wait(self) -> None:
        while not self._asked:
            self._listen()

    def _listen(self) -> None:
        self._heard += receive(self.line)
        self._asked = True
