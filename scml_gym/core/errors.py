"""The one exception for bad input.

Command lines print it as a single line and exit with code 2; libraries and tests catch it as a ``ValueError``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

MOST_MESSAGE = 1_500
"""Characters."""


class InputError(ValueError):
    """Bad input by the user: a wrong value, where it stood, and what would have been valid, in one line.

    Args:
        message: That line.
        key: The argument, or the key path in a configuration, whose value is wrong; empty where it is none's.

    Attributes:
        key: As given.
    """

    def __init__(self, message: str = "", key: str = ""):
        if "\n" in message or "\r" in message:  # of an array, or of another package
            message = " ".join(message.split())
        if len(message) > MOST_MESSAGE:  # a value was longer than anybody reads
            message = f"{message[: MOST_MESSAGE // 2]} ... {message[-MOST_MESSAGE // 4 :]}"
        super().__init__(message)
        self.key = key


@contextmanager
def about(key: str) -> Iterator[None]:
    """What is refused inside, without saying which argument or key path is wrong, is refused for this one."""
    try:
        yield
    except InputError as error:
        error.key = error.key or key
        raise


def require_reset(begun: bool, method: str) -> None:
    """Refuse what an environment can do in an episode only.

    Raises:
        InputError: before ``reset``, and after ``close``.
    """
    if not begun:
        raise InputError(f"call reset before {method}")


RENAMED = {
    "diary": "decision_log",
    "field": "background",
    "league": "self_play",
    "oneshot_threads_v0": "oneshot_negotiations_v0",
}
"""Names of earlier versions and those that they have now."""


def shown(value: object, most: int = 200) -> str:
    """A wrong value for a message, cut where it is longer than anybody reads."""
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}..."


def nearest(name: str, valid: Iterable[str]) -> str:
    """A hint for a misspelt name.

    Args:
        name: What the user wrote.
        valid: All names that would have been valid.

    Returns:
        ``"; did you mean 'x'?"`` where one is near, else ``"; valid: a, b, c"``.
    """
    names = sorted(valid)
    renamed = [RENAMED[name]] if RENAMED.get(name) in names else []
    close = renamed or difflib.get_close_matches(str(name)[:200], names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; valid: {', '.join(names)}"
