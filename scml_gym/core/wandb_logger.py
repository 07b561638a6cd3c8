"""The logger ``wandb``: a training's numbers at Weights & Biases, or kept for it where there is no network.

Importing this module needs the package (``pip install 'scml-gym[wandb]'``).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file

try:
    wandb: Any = importlib.import_module("wandb")
except ImportError as error:
    raise InputError("the logger 'wandb' needs its package: pip install 'scml-gym[wandb]'") from error

ID = "wandb_id"
"""File of a run folder: under which id the run is known, so that a resumed training goes on in it."""


class WandbLogger:
    """One run of Weights & Biases, set up by its own variables: ``WANDB_PROJECT``, ``WANDB_MODE=offline`` and others.

    Rows that are trained again after a kill are there twice, with the same ``step``: what was sent stays.

    Args:
        folder: Of the run; its name is the run's.
        first_step: Not used.

    Raises:
        InputError: if Weights & Biases refuses, for example for want of a key.
    """

    def __init__(self, folder: Path, first_step: int):
        file = folder / ID
        known = file.read_text().strip() if file.is_file() else None
        try:
            self._run: Any = wandb.init(dir=str(folder), name=folder.name, id=known, resume="allow")
        except wandb.errors.Error as error:
            told = " ".join(str(error).split())
            raise InputError(f"wandb: {told}; WANDB_MODE=offline keeps the numbers here", "loggers") from error
        replace_file(file, f"{self._run.id}\n")
        self._run.define_metric("*", step_metric="step")

    def add(self, step: int, numbers: Mapping[str, float]) -> None:
        """See `scml_gym.core.loggers.Logger.add`."""
        self._run.log({"step": step, **numbers})
