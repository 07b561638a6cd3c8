"""From an experiment, or from a run folder, to a training."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from agents import AGENTS
from agents.base import Agent
from scml_gym.core.config import Loaded, load_experiment
from scml_gym.core.process import limit_threads
from scml_gym.experiments.run_folder import Run, check_free


def start(
    experiment: str | Path,
    options: Sequence[str] = (),
    seed: int | None = None,
    out: str | Path | None = None,
    command: str = "",
) -> Run:
    """Train as an experiment says, into a new run folder.

    Args:
        experiment: A YAML file, or a name in configs/experiment.
        options: ``key.path=value`` each.
        seed: Replaces the experiment's.
        out: The run folder; by default ``runs/<experiment>-seed<seed>-<time>``.
        command: To be noted in the folder.

    Raises:
        InputError: before anything is written, if the experiment is wrong in any way or ``out`` is not empty.
    """
    loaded = load_experiment(experiment, options, seed)
    name = f"{Path(experiment).stem}-seed{loaded.config['seed']}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder = Path(out) if out else Path("runs") / name
    check_free(folder)
    agent = build(loaded)
    run = Run.create(folder, loaded.config, command)
    agent.train(run)
    return run


def resume(folder: Path, command: str = "") -> Run:
    """Continue a run from its last checkpoint, as it was configured.

    Raises:
        InputError: if it is no run folder, or is corrupt, or another process is training in it.
    """
    run = Run.open(folder)
    agent = build(Loaded(run.config, {"": str(folder / "config.yaml")}))
    run.resumed(command)
    agent.train(run)
    return run


def build(loaded: Loaded) -> Agent:
    """The learner of an experiment, untrained; the number of threads is set before torch is imported.

    Raises:
        InputError: if a setting of the learner or of the environment is wrong, and where it was set.
    """
    limit_threads(loaded.config["threads"])
    agent, env = loaded.config["agent"], loaded.config["env"]
    with loaded.naming_sources():
        return AGENTS.get(agent["name"]).build(agent, {key: env[key] for key in env if key != "name"})
