"""The logger ``mlflow``: a training's numbers in MLflow.

Importing this module needs the package (``pip install 'scml-gym[mlflow]'``).
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file

try:
    mlflow: Any = importlib.import_module("mlflow")
except ImportError as error:
    raise InputError("the logger 'mlflow' needs its package: pip install 'scml-gym[mlflow]'") from error

EXPERIMENT = "scml-gym"
"""Name of the experiment, where ``MLFLOW_EXPERIMENT_NAME`` gives no other."""

ID = "mlflow_id"
"""File of a run folder: under which id the run is known, so that a resumed training goes on in it."""


class MLflowLogger:
    """One run of MLflow: at ``MLFLOW_TRACKING_URI``, or else in files in ``mlflow/`` of the run folder.

    Rows that are trained again after a kill are there twice, with the same step: what was sent stays.

    Args:
        folder: Of the run; its name is the run's.
        first_step: Not used.

    Raises:
        InputError: if MLflow refuses, for example because its server cannot be reached.
    """

    def __init__(self, folder: Path, first_step: int):
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if uri is None:
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # mlflow-skinny has no database
            uri = (folder.resolve() / "mlflow").as_uri()
        try:
            self._client: Any = mlflow.MlflowClient(tracking_uri=uri)
            self._run = self._begin(folder)
        except mlflow.exceptions.MlflowException as error:
            raise InputError(f"mlflow at {uri}: {' '.join(str(error).split())}", "loggers") from error
        self._folder = folder
        atexit.register(self.close)

    def _begin(self, folder: Path) -> str:
        """The id of the run, which goes on where the folder has one."""
        file = folder / ID
        if file.is_file():
            known = file.read_text().strip()
            self._client.update_run(known, status="RUNNING")
            return known
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        experiment = self._client.get_experiment_by_name(name)
        number = self._client.create_experiment(name) if experiment is None else experiment.experiment_id
        run = self._client.create_run(number, run_name=folder.name).info.run_id
        replace_file(file, f"{run}\n")
        return run

    def add(self, step: int, numbers: Mapping[str, float]) -> None:
        """See `scml_gym.core.loggers.Logger.add`."""
        now = int(1000 * time.time())
        metrics = [mlflow.entities.Metric(name, float(value), now, step) for name, value in numbers.items()]
        self._client.log_batch(self._run, metrics=metrics)  # in one request

    def close(self) -> None:
        """Say how the training ended: as it was configured, or, as MLflow calls whatever else ends a run, failed."""
        file = self._folder / "run.json"
        finished = file.is_file() and json.loads(file.read_text()).get("finished", False)
        self._client.set_terminated(self._run, "FINISHED" if finished else "FAILED")
