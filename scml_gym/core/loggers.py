"""Where a training's numbers go beside its learning curve, by name: TensorBoard, CSV, a service, or a user's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from scml_gym.core.curve_file import CurveFile
from scml_gym.core.registry import Registry


class Logger(Protocol):
    """Takes numbers."""

    def add(self, step: int, numbers: Mapping[str, float]) -> None:
        """Write one value of each name at this step, through to wherever they go."""
        ...


MakeLogger = Callable[[Path, int], Logger]
"""``make(run_folder, first_step)``: numbers from that step on are cut, as they are written again after a resumption."""

LOGGERS = Registry("logger")
"""Of `MakeLogger`."""


def tensorboard(folder: Path, first_step: int) -> Logger:
    """Event files in ``tb/``."""
    return ScalarWriter(folder / "tb", first_step)


class CSVWriter:
    """``scalars.csv``, which has what depends on the machine too, such as speeds.

    Args:
        folder: Of the run.
        first_step: Rows from this step on are cut.
    """

    def __init__(self, folder: Path, first_step: int):
        self._file = CurveFile(folder / "scalars.csv")
        self._file.truncate(first_step - 1)

    def add(self, step: int, numbers: Mapping[str, float]) -> None:
        """See `Logger.add`."""
        self._file.append({"step": step, **numbers})


LOGGERS.register("tensorboard", tensorboard)
LOGGERS.register("csv", CSVWriter)
LOGGERS.register("wandb", "scml_gym.core.wandb_logger:WandbLogger")
LOGGERS.register("mlflow", "scml_gym.core.mlflow_logger:MLflowLogger")


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
