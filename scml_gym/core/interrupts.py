"""Ctrl-C and SIGTERM, which are one to this package: the user wants a command to stop, and to go on later.

By default both interrupt at once, as Python does for Ctrl-C (`run_main` makes SIGTERM do the same). Work that has safe
places to stop at asks for `stop_requests`, and looks there. Whoever leads the work catches the ``KeyboardInterrupt``
and raises an `Interrupted`, which says what is kept and how to go on.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_NOTICE = b"\nstopping at the next place from which it can go on; once more to stop at once\n"


class Interrupted(KeyboardInterrupt):
    """The user stopped what was running; the text says, in one line, what is kept and how to go on."""


class StopRequest:
    """Whether the user has asked to stop.

    Attributes:
        made: True as soon as the user has.
    """

    made = False


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Inside, the first Ctrl-C or SIGTERM only sets ``made``; a second one interrupts at once.

    In any thread but the main one, where Python handles no signals, it is never set. A signal that this process was
    started to ignore stays ignored.
    """
    request = StopRequest()

    def ask(number: int, frame: Any) -> None:
        if request.made:
            raise KeyboardInterrupt
        request.made = True
        os.write(2, _NOTICE)  # print may be what was interrupted

    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, ask)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def interrupt_on_sigterm() -> None:
    """From now on SIGTERM interrupts this process as Ctrl-C does; only in the main thread."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def children_without_interrupts() -> Iterator[None]:
    """Processes that are started inside never see a Ctrl-C, which a terminal sends to all: their parent ends them."""
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # or its start would let the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
