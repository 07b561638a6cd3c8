"""Who may ask the server: on loopback whoever uses this machine, elsewhere who knows the token.

A page of another site cannot ask it either: a name that leads to this machine by a trick (DNS rebinding) is refused,
and the pages fetch and run nothing from elsewhere. What no page of the analyzer asks is refused, and is a line in the
terminal.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
import sys
from typing import Any
from urllib.parse import urlsplit

from scml_gym.core.text import printable

COOKIE = "scml-analyzer"

LONGEST = 300
"""Characters that the terminal says of a request."""

ASK = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>SCML analyzer</title><h1>SCML analyzer</h1>
<form method="post" action="/token"><label>Token, as the terminal says it:
<input name="token" type="password" autocomplete="off" autofocus></label> <button>Open</button></form></html>
"""


def guard(app: Any, host: str, token: str | None) -> None:
    """Let the server of a Dash application answer only to whom it should.

    Args:
        app: Of Dash.
        host: The name or address at which it listens.
        token: That is asked for; None for nothing.
    """
    from flask import Response, redirect, request
    from werkzeug.exceptions import HTTPException

    policy = content_policy(app)
    names = {"localhost", host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}

    @app.server.before_request
    def refuse() -> Any:
        if not known_host(request.headers.get("Host", ""), names):
            return Response("This name is not that of the analyzer.\n", 421, mimetype="text/plain")
        if token is None or _same(request.cookies.get(COOKIE, ""), token):
            return None
        if request.path != "/token" or request.method != "POST":
            return Response(ASK, 401, mimetype="text/html")
        if not _same(request.form.get("token", ""), token):
            return Response(ASK, 403, mimetype="text/html")
        answer = redirect("/", 303)
        answer.set_cookie(COOKIE, token, httponly=True, samesite="Strict")
        return answer

    @app.server.errorhandler(Exception)
    def say(error: Exception) -> Any:
        """Pages tell of their own failures, see `scml_gym.analyzer.web.app.answer`; what is left is about requests."""
        if isinstance(error, HTTPException):
            return error
        told = printable(f"{request.method} {request.path}: {type(error).__name__}: {error}")
        print(f"refused: {told[:LONGEST]}", file=sys.stderr)
        return Response("No page of the analyzer asks this.\n", 400, mimetype="text/plain")

    @app.server.after_request
    def add_headers(answer: Any) -> Any:
        answer.headers["Content-Security-Policy"] = policy
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer


def content_policy(app: Any) -> str:
    """What a browser may fetch and run: from this server, and Dash's own lines in the page."""
    scripts = " ".join(["'self'", *app.csp_hashes()])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def known_host(header: str, names: set[str]) -> bool:
    """Whether a request's ``Host`` names this machine: by an address, which no trick can change, or a name of its."""
    try:
        name = (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return False
    return name in names or is_address(name)


def is_address(name: str) -> bool:
    """Whether a name of a host is an address in numbers."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a name or an address."""
    return host.lower() == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())
