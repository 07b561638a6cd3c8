"""What a run shows while it works: its progress."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from scml_gym.core.text import printable

Show = Callable[[int, str], None]
"""``show(step, note)``: how many steps are done, and a short text."""

BAR_SECONDS = 0.1
"""Between two states of a bar."""

LINE_SECONDS = (1.0, 10.0)
"""Between two lines: at least, and at most where steps are told that often. A line also comes with each tenth."""


class Progress:
    """Whom a work tells how far it is; see `progress_bar`.

    Args:
        show: Shows it.
        least: Seconds between two calls of ``show``; what comes earlier waits for the next, or for `finish`.
        most: Seconds after which it is called with whatever has been done.
        steps: Steps after which it is called before that.
    """

    def __init__(self, show: Show, least: float, most: float, steps: float):
        self._show, self._least, self._most, self._steps = show, least, most, steps
        self._shown, self._told = (-1, ""), (0, "")
        self._at = -math.inf

    def update(self, step: int, note: str = "") -> None:
        """Tell that ``step`` of the total are done, and a short text; cheap enough to be called at every step."""
        self._told = (step, note)
        waited = time.monotonic() - self._at
        if waited >= self._most or (waited >= self._least and step - self._shown[0] >= self._steps):
            self.finish()

    def finish(self) -> None:
        """Show what was told last."""
        if self._told != self._shown:
            self._show(*self._told)
            self._shown, self._at = self._told, time.monotonic()


@contextmanager
def progress_bar(total: int, description: str) -> Iterator[Progress]:
    """How far a work is, on stderr: a bar with the remaining time; without a terminal, a line now and then.

    Args:
        total: Steps that are 100 %.
        description: A word or two, shown on the left.
    """
    terminal = sys.stderr is not None and sys.stderr.isatty()
    shown: AbstractContextManager[Show] = (_bar if terminal else _lines)(total, printable(description))
    with shown as show:
        pauses = (BAR_SECONDS, BAR_SECONDS) if terminal else LINE_SECONDS
        progress = Progress(show, *pauses, steps=total / 10)
        try:
            yield progress
        finally:
            progress.finish()


@contextmanager
def _lines(total: int, description: str) -> Iterator[Show]:
    started = time.monotonic()

    def show(step: int, note: str) -> None:
        percent = min(100, 100 * step // total) if total else 100
        after = f"  {printable(note)}" if note else ""
        print(
            f"{description}: {step}/{total} ({percent} %), {time.monotonic() - started:.0f} s{after}",
            file=sys.stderr,
            flush=True,
        )

    yield show


@contextmanager
def _bar(total: int, description: str) -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total, note="")
        yield lambda step, note: bar.update(task, completed=step, note=printable(note))
