"""Loggers of services, without a network: each row arrives, and a resumed training goes on in the same run."""

import json
import re
import sys

import pytest

from scml_gym.core.errors import InputError
from scml_gym.core.loggers import LOGGERS

MODULES = {"wandb": "scml_gym.core.wandb_logger", "mlflow": "scml_gym.core.mlflow_logger"}


@pytest.mark.parametrize("name", MODULES)
def test_without_its_package_a_logger_is_refused_by_a_line_that_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, MODULES[name], raising=False)
    with pytest.raises(InputError, match=rf"'{name}' needs its package: pip install 'scml-gym\[{name}\]'$"):
        LOGGERS.get(name, "loggers")


def test_mlflow_keeps_what_it_is_given(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="pip install 'scml-gym[mlflow]'")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for first, step in ((1, 10), (11, 20)):  # the second time, as resumed
        LOGGERS.get("mlflow")(tmp_path, first).add(step, {"score/all": step / 10, "steps_per_second": 3.0})
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "mlflow").as_uri())
    (experiment,) = [e for e in client.search_experiments() if e.name == "scml-gym"]
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == tmp_path.name
    history = client.get_metric_history(run.info.run_id, "score/all")
    assert [(row.step, row.value) for row in history] == [(10, 1.0), (20, 2.0)]


def test_mlflow_is_told_how_a_training_ended(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="pip install 'scml-gym[mlflow]'")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    client = mlflow.MlflowClient(tracking_uri=(tmp_path / "mlflow").as_uri())
    for finished, status in ((False, "FAILED"), (True, "FINISHED")):
        (tmp_path / "run.json").write_text(json.dumps({"finished": finished}))
        logger = LOGGERS.get("mlflow")(tmp_path, 1)
        logger.add(10, {"score": 1.0})
        logger.close()
        assert client.get_run((tmp_path / "mlflow_id").read_text().strip()).info.status == status


@pytest.mark.slow
def test_wandb_keeps_what_it_is_given_where_there_is_no_network(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="pip install 'scml-gym[wandb]'")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    for first, step in ((1, 10), (11, 20)):
        logger = LOGGERS.get("wandb")(tmp_path, first)
        logger.add(step, {"score/all": step / 10})
        assert logger._run.summary["score/all"] == step / 10
        wandb.finish()
    runs = sorted((tmp_path / "wandb").glob("offline-run-*"))
    # the time, then the id; of two in one second, the second has a number more
    assert len({re.match(r"offline-run-\d+_\d+-(\w+)", run.name)[1] for run in runs}) == 1
