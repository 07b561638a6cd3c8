"""Which checkpoint a path means: the last one of a run folder."""

from __future__ import annotations

from pathlib import Path

from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run


def checkpoint_of(path: Path) -> tuple[Run, Path]:
    """The run and the checkpoint of a path.

    Raises:
        InputError: if it is no run folder, is corrupt, or has no checkpoint yet.
    """
    run = Run.open(path)
    checkpoint = run.latest_checkpoint()
    if checkpoint is None:
        raise InputError(f"{path}: the run has no checkpoint yet")
    return run, checkpoint
