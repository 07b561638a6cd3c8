"""The stages before the hierarchy plays: runs of other learners, each in a folder of its own.

A run that is there already is used as it is where it was configured as it would be now, and trained on where it is not
finished. So several runs of the whole agent share what was recorded and pre-trained.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scml_gym.agents import AGENTS
from scml_gym.agents.hrl_xf.agent_hyperparameters import ManagerStage
from scml_gym.agents.training import build, take_over
from scml_gym.core.config import Loaded, load_experiment
from scml_gym.core.errors import InputError
from scml_gym.experiments.checkpoints import playable
from scml_gym.experiments.run_folder import Run
from scml_gym.offline.command import dataset_command, dataset_name
from scml_gym.offline.datasets import datasets_in
from scml_gym.offline.playing import AGENT

OF_WORLDS = ("opponents", "days", "factories_per_level", "n_levels", "level", "stock", "horizon", "generator")
"""Arguments of the hierarchy's environment that the manager's has too."""

OF_EXECUTORS = ("stock", "quantity_bins", "price_bins")
"""Arguments of the hierarchy's environment that what the executor learns from depends on."""

NAMESPACE = "hrl-xf"


def _of_run(run: Run) -> tuple[list[str], str]:
    """What the runs of stages have of the whole run, as options; and the command to be noted in them."""
    config = run.config
    options = [f"{name}={json.dumps(config[name])}" for name in ("checkpoint_minutes", "threads", "loggers")]
    return options, (run.path / "command.txt").read_text().splitlines()[-1]


def of_env(env: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Some arguments of an ``env`` section as options."""
    return [f"env.{name}={json.dumps(env[name])}" for name in names if name in env]


def of_agent(settings: Mapping[str, Any]) -> list[str]:
    """Settings of an ``agent`` section as options."""
    return [f"agent.{name}={json.dumps(value)}" for name, value in settings.items()]


def trained(run: Run, folder: Path, experiment: str, options: Sequence[str], beginning: Path | None = None) -> Path:
    """A run of another learner, finished: used, gone on with, or trained.

    Args:
        run: The whole one.
        folder: Of the stage's run.
        experiment: Its name.
        options: Over the experiment.
        beginning: A run with whose knowledge it begins.

    Returns:
        The folder.

    Raises:
        InputError: if it is there and was configured otherwise, or anything is wrong with its settings.
    """
    of_run, command = _of_run(run)
    loaded = load_experiment(experiment, [*of_run, *options], run.config["seed"])
    stage = Run.open(folder) if (folder / "run.json").is_file() else None
    if stage is not None:
        _check_config(stage, loaded)
        if stage.finished:
            return folder
    agent = build(loaded)
    checkpoint = None if beginning is None else take_over(agent, loaded, beginning)
    if stage is None:
        stage = Run.create(folder, loaded.config, command, checkpoint)
    else:
        stage.resumed(command)
    try:
        stage.hold()
        agent.train(stage)
    except Exception:
        stage.remove_unless_begun()
        raise
    stage.finish()
    return folder


def _check_config(run: Run, loaded: Loaded) -> None:
    """Refuse a run with other settings; its seed may be any."""
    for section in ("env", "agent"):
        then, now = _flat(run.config[section]), _flat(loaded.config[section])
        for key in [*then, *now]:
            if then.get(key) != now.get(key):
                told = f"{section}.{key}={then.get(key)!r}, not {now.get(key)!r}"
                raise InputError(f"{run.path} was trained with {told}; valid: another folder, or the same settings")


def _flat(section: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    parts = {}
    for key, value in section.items():
        parts |= _flat(value, f"{before}{key}.") if isinstance(value, Mapping) else {f"{before}{key}": value}
    return parts


def taken(path: str, learners: Sequence[str]) -> tuple[Run, Path]:
    """A run that takes the place of a stage, and its checkpoint.

    Args:
        path: Its folder.
        learners: Which may have trained it; none for any.

    Raises:
        InputError: if it has no checkpoint, or another learner trained it.
    """
    run, checkpoint = playable(Path(path))
    if learners and run.info["agent"] not in learners:
        raise InputError(f"{path} was trained by {run.info['agent']!r}; valid: {', '.join(learners)}")
    return run, checkpoint


def manager_of(path: Path) -> tuple[str, Any, dict[str, Any]]:
    """A trained manager: its learner's name, the learner, and its ``env`` section."""
    run, checkpoint = taken(str(path), ())
    learner = AGENTS.get(run.info["agent"]).load(checkpoint)
    return run.info["agent"], learner, dict(run.config["env"])


def train_manager(run: Run, stage: ManagerStage, shared: Path, env: Mapping[str, Any]) -> Path:
    """Record plans and imitate them, once for all runs that share the folder, where there is an expert; and learn in
    this run.

    Returns:
        The folder of the manager's run.
    """
    worlds = of_env(env, OF_WORLDS)
    learning = [*worlds, *of_agent(stage.learning)]
    clone = None if stage.expert is None else _imitated(run, stage, stage.expert, shared, worlds)
    return trained(run, run.path / "manager", stage.experiment, learning, clone)


def _imitated(run: Run, stage: ManagerStage, expert: str, shared: Path, worlds: Sequence[str]) -> Path:
    """The run that imitates an expert's plans."""
    told = [option.removeprefix("env.") for option in worlds]
    of_worlds = hashlib.sha256(" ".join(told).encode()).hexdigest()[:8]
    namespace = f"{NAMESPACE}/{stage.episodes}-from-{stage.seed}-{of_worlds}"  # so that others are recorded beside them
    with _datasets(shared / "datasets") as folder:
        name = dataset_name(namespace, expert, AGENT)
        if not (folder / name).is_dir():
            dataset_command([expert], "standard_manager", told, stage.episodes, stage.seed, namespace)
        options = [*worlds, f"agent.data=[{name}]", *of_agent(stage.imitation)]
        return trained(run, shared / "imitation", "standard_manager_imitation", options)


@contextmanager
def _datasets(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    with datasets_in(folder.resolve()):
        yield folder.resolve()
