"""The server of the analyzer: of werkzeug, in threads of this process."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import webbrowser
from contextlib import suppress
from typing import Any

from scml_gym.analyzer.sources import Recordings
from scml_gym.core.arguments import brief, whole
from scml_gym.core.errors import InputError
from scml_gym.core.text import printable

LOOPBACK = "127.0.0.1"


def make_server(recordings: Recordings, host: str, port: int, token: str | None) -> Any:
    """A server of the analyzer's pages, which is not yet serving.

    Args:
        recordings: Open.
        host: The name or address at which to listen.
        port: 0 for one that is free.
        token: That is asked for; None for nothing.

    Raises:
        InputError: if Dash is not installed, or nobody can listen there.
    """
    try:
        from werkzeug.serving import WSGIRequestHandler
        from werkzeug.serving import make_server as listen

        from scml_gym.analyzer.web.app import make_app
        from scml_gym.analyzer.web.guard import guard
    except ModuleNotFoundError as error:
        raise InputError(f"the analyzer's pages need {error.name}: pip install 'scml-gym[analyzer]'") from error

    class Quiet(WSGIRequestHandler):
        """Answers requests without a line for each."""

        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    with _socket(host, port) as listening:
        app = make_app(recordings)
        guard(app, host, token)
        at, number = listening.getsockname()[:2]
        return listen(at, number, app.server, threaded=True, request_handler=Quiet, fd=listening.fileno())


def _socket(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        InputError: if that cannot be.
    """
    port = whole("port", port, 0, 65535)
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
    except (OSError, UnicodeError) as error:  # UnicodeError: it is no name of a host
        raise InputError(f"host={brief(host)}: {getattr(error, 'strerror', None) or error}", "host") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        told = getattr(error, "strerror", None) or error
        raise InputError(f"cannot listen at {host}, port {port}: {told}", "port") from error
    return listening


def serve(recordings: Recordings, host: str = LOOPBACK, port: int = 0) -> None:
    """Serve the analyzer's pages until it is interrupted; where there is a screen, a browser opens them.

    Args:
        recordings: Open.
        host: The name or address at which to listen; other than on loopback a token is printed and asked for.
        port: 0 for one that is free.

    Raises:
        InputError: see `make_server`.
    """
    from scml_gym.analyzer.web.guard import is_loopback

    token = None if is_loopback(host) else secrets.token_urlsafe(24)
    server = make_server(recordings, host, port, token)
    name = f"[{host}]" if ":" in host else host
    address = f"http://{name}:{server.socket.getsockname()[1]}/"
    print(f"The analyzer: {printable(address)} (Ctrl-C ends it)", flush=True)
    if token is not None:
        print(f"Others than this machine can reach it. It asks for this token: {token}", flush=True)
    elif _screen():
        with suppress(webbrowser.Error):
            webbrowser.open(address)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


def _screen() -> bool:
    """Whether a browser would have a window."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
