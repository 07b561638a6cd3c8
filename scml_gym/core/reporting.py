"""What a run shows while it works: a progress bar, TensorBoard scalars, plots of its columns."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class Progress:
    """The handle of a progress bar; see `progress_bar`."""

    def __init__(self, bar: RichProgress, task: TaskID):
        self._bar = bar
        self._task = task

    def update(self, step: int, note: str = "") -> None:
        """Show that ``step`` of the total are done, and a short text."""
        self._bar.update(self._task, completed=step, note=note)


@contextmanager
def progress_bar(total: int, description: str) -> Iterator[Progress]:
    """A progress bar on stderr with speed and remaining time; without a terminal, one line at the end.

    Args:
        total: Steps that are 100 %.
        description: A word or two, shown on the left.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        yield Progress(bar, bar.add_task(description, total=total, note=""))


class ScalarWriter:
    """Writes scalars where TensorBoard reads them, without torch.

    Args:
        folder: Made if missing; each process adds a file of its own.
        first_step: TensorBoard drops what earlier files have from this step on (they were cut on resuming).
    """

    def __init__(self, folder: Path, first_step: int):
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._events: Any = event_pb2  # its classes are made at run time
        self._summaries: Any = summary_pb2
        self._writer = EventFileWriter(str(folder))
        start = self._events.SessionLog(status=self._events.SessionLog.START)
        self._writer.add_event(self._events.Event(wall_time=time.time(), step=first_step, session_log=start))

    def add(self, step: int, numbers: Mapping[str, float]) -> None:
        """Write one value of each name at this step, through to the file."""
        values = [self._summaries.Summary.Value(tag=k, simple_value=float(v)) for k, v in numbers.items()]
        summary = self._summaries.Summary(value=values)
        self._writer.add_event(self._events.Event(wall_time=time.time(), step=step, summary=summary))
        self._writer.flush()


def plot_columns(rows: Sequence[Mapping[str, str]], x: str, title: str) -> bytes:
    """A PNG with one panel for each column that has numbers, over the column ``x``.

    Args:
        rows: Texts by column, as read from a CSV; empty ones are left out.
        x: The column of the horizontal axis.
        title: Above the panels.
    """
    from matplotlib.figure import Figure

    series = {}
    for name in rows[0]:
        points = [(float(row[x]), float(row[name])) for row in rows if row[name] and name != x]
        if points:
            series[name] = points
    width = min(2, max(1, len(series)))
    height = max(1, math.ceil(len(series) / width))
    figure = Figure(figsize=(5 * width, 2.8 * height), layout="constrained")
    for index, (name, points) in enumerate(series.items()):
        axes = figure.add_subplot(height, width, index + 1)
        axes.plot(*zip(*points, strict=True))
        axes.set_xlabel(x)
        axes.set_ylabel(name.replace("_", " "))
        axes.grid(alpha=0.3)
    figure.suptitle(title)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110, metadata={"Software": None})
    return picture.getvalue()
