"""What is used by one thread at a time: a second one is told so, and never waits or reads what is half written."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from scml_gym.core.errors import InputError


class WrongThreadError(InputError):
    """What is paused in one thread was to go on in another; it is as it was."""


class Home:
    """The thread that something belongs to from now on.

    Args:
        what: It is, for the message.
    """

    def __init__(self, what: str):
        self._what, self._thread = what, threading.get_ident()

    def check(self) -> None:
        """Refuse every other thread.

        Raises:
            WrongThreadError: there.
        """
        if threading.get_ident() != self._thread:
            raise WrongThreadError(f"{self._what} was started in another thread: go on there, or make another one")


Method = TypeVar("Method", bound=Callable[..., Any])

_busy: dict[int, int] = {}
"""Objects in whose methods a thread is, and that thread."""

_lock = threading.Lock()


def one_thread(method: Method) -> Method:
    """A method that refuses a thread while another one is in such a method of the same object.

    Raises:
        InputError: there.
    """

    @functools.wraps(method)
    def alone(self: Any, *args: Any, **kwargs: Any) -> Any:
        me, key = threading.get_ident(), id(self)
        with _lock:
            owner = _busy.get(key)
            _busy.setdefault(key, me)
        if owner == me:  # called by another of them
            return method(self, *args, **kwargs)
        if owner is not None:
            raise InputError(
                f"{method.__name__}: another thread is in this {type(self).__name__}; give each thread its own"
            )
        try:
            return method(self, *args, **kwargs)
        finally:
            with _lock:
                _busy.pop(key, None)

    return cast(Method, alone)
