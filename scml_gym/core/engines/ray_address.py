"""Finding a Ray cluster, and joining it."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scml_gym.core.engines.local import Local
from scml_gym.core.errors import InputError

SECONDS = 5.0
"""That an address has to answer, at each of two steps."""

_HERE = {"address": "local", "include_dashboard": False}

_STARTS = 3
"""Times that the start of a cluster of this machine is tried: Ray gives up after 30 s, which a busy one may need."""

_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
_SETTINGS = 4
"""With a frame of this type a gRPC server, as the head of a Ray cluster is, answers the greeting (RFC 9113, 3.4)."""


def check_address(address: str) -> None:
    """Refuse an address at which no head of a Ray cluster answers; Ray itself would try for minutes.

    Raises:
        InputError: in one line, within twice `SECONDS`.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536 or "/" in host:
        raise InputError(f"--address {address!r} is not valid; valid: HOST:PORT, as `ray start --head` tells it")
    try:
        with socket.create_connection((host, int(port)), SECONDS) as connection:
            connection.settimeout(SECONDS)
            connection.sendall(_GREETING)
            answer = b""
            while len(answer) < 9 and (part := connection.recv(9 - len(answer))):
                answer += part
    except OSError as error:
        reason = error.strerror or str(error) or "no answer"
        raise InputError(f"--address {address}: nobody answers there ({reason})") from error
    if len(answer) < 9 or answer[3] != _SETTINGS:
        raise InputError(f"--address {address}: whoever answers there is no head of a Ray cluster")


def import_ray() -> Any:
    """Ray, which tells nobody that it is used.

    Raises:
        InputError: if it is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # the way that Ray will go, and a warning less
    try:
        import ray
    except ImportError as error:
        raise InputError("--engine ray needs the package ray: pip install 'scml-gym[ray]'") from error
    return ray


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Ray, as part of a cluster; without an address a cluster of this machine alone, which ends with the block.

    Raises:
        InputError: if the cluster does not take this process.
    """
    ray = import_ray()
    if ray.is_initialized():
        raise InputError("--engine ray: this process is part of a Ray cluster already")
    before = signal.getsignal(signal.SIGTERM)
    try:
        _join(ray, address)
        _set_handler(before)  # Ray would exit where this package tells how to go on
        yield ray
    finally:
        ray.shutdown()
        _set_handler(before)


def _join(ray: Any, address: str | None) -> None:
    """Become part of a cluster, or start one."""
    where = {"address": address} if address else _HERE | {"num_cpus": Local().cores()}
    error: BaseException | None = None
    for _ in range(1 if address else _STARTS):
        try:
            ray.init(**where, log_to_driver=False, logging_level="FATAL", namespace="scml-gym")
            return
        except (SystemExit, Exception) as failure:
            error = failure
            ray.shutdown()
    reason = " ".join(str(error).split()) or type(error).__name__
    tried = f"--address {address}: cannot be joined" if address else "a Ray cluster cannot be started here"
    raise InputError(f"--engine ray: {tried} ({reason})") from error


def _set_handler(handler: Any) -> None:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)
