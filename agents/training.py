"""From an experiment, or from a run folder, to a training."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scml_gym.agents import AGENTS
from scml_gym.agents.base import Agent, BeginsFrom
from scml_gym.core.cli import how_to_call
from scml_gym.core.config import ConfigError, Experiment, Loaded, load_experiment, validate
from scml_gym.core.errors import InputError
from scml_gym.core.interrupts import Interrupted
from scml_gym.core.process import limit_threads
from scml_gym.core.trained import PREFIX
from scml_gym.core.trust import trust
from scml_gym.experiments.checkpoints import playable
from scml_gym.experiments.run_folder import Run, check_free


def start(
    experiment: str | Path,
    options: Sequence[str] = (),
    seed: int | None = None,
    out: str | Path | None = None,
    command: str = "",
    begin_from: str | Path | None = None,
) -> Run:
    """Train as an experiment says, into a new run folder, which does not stay where it fails before anything is learnt.

    Args:
        experiment: A YAML file, or a name in configs/experiment.
        options: ``key.path=value`` each.
        seed: Replaces the experiment's.
        out: The run folder; by default ``runs/<experiment>-seed<seed>-<time>``.
        command: To be noted in the folder.
        begin_from: A run of the same learner, or of one that it takes over, with whose knowledge this one begins; its
            steps count from 0.

    Raises:
        InputError: before anything is written, if the experiment is wrong in any way, ``out`` is not empty, or the
            learner cannot begin from that run.
        Interrupted: see `train`.
    """
    loaded = load_experiment(experiment, options, seed)
    name = f"{Path(experiment).stem}-seed{loaded.config['seed']}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder = Path(out) if out else Path("runs") / name
    check_free(folder)
    agent = build(loaded)
    beginning = None if begin_from is None else take_over(agent, loaded, Path(begin_from))
    run = Run.create(folder, loaded.config, command, beginning)
    try:
        train(agent, run)
    except Exception:
        run.remove_unless_begun()  # so that the corrected command may have it
        raise
    return run


def resume(folder: Path, command: str = "") -> Run:
    """Continue a run from its last checkpoint, as it was configured; the folder is trusted (`scml_gym.core.trust`).

    Raises:
        InputError: if it is no run folder, or comes with the package, or is corrupt, or another process is training in
            it.
        Interrupted: see `train`.
    """
    if str(folder).startswith(PREFIX):
        raise InputError(f"{folder} comes with the package and is not trained further; valid: --from {folder}")
    run = Run.open(folder)
    trust(run.path)
    loaded = Loaded(run.config, {"": str(folder / "config.yaml")})
    with loaded.naming_sources():
        validate(Experiment, run.config)
    agent = build(loaded)
    run.resumed(command)
    beginning = run.beginning()
    if beginning is not None and isinstance(agent, BeginsFrom):
        agent.begin_from(beginning)
    train(agent, run)
    return run


def train(agent: Agent, run: Run) -> None:
    """Let a learner train.

    Raises:
        Interrupted: if the user stopped it, by Ctrl-C or SIGTERM; the learning curve is drawn, and the message says how
            to go on from the last checkpoint, which a learner makes for it where it can (`Run.stops_at_checkpoints`).
    """
    run.hold()  # before the first row: whoever resumes this training meanwhile is refused, and does not end it
    if cost := cost_of_reference(run.config["agent"], run.config["env"]):
        print(f"note: {cost}", file=sys.stderr)
    try:
        agent.train(run)
    except KeyboardInterrupt as stop:
        run.plot()
        how = f"{how_to_call('train')} --resume {shlex.quote(str(run.path))}"
        raise Interrupted(f"interrupted; saved at step {run.step}, go on with: {how}") from stop
    run.finish()


def take_over(agent: Agent, loaded: Loaded, run: Path) -> Path:
    """Let a learner begin with what a run has learnt.

    Returns:
        The checkpoint of that run.

    Raises:
        InputError: if the run has no checkpoint, is of another learner, of other networks or other spaces, or if the
            learner begins each training anew.
    """
    trained, checkpoint = playable(run)
    with loaded.naming_sources():
        name = loaded.config["agent"]["name"]
        if trained.info["agent"] not in (name, *getattr(agent, "takes_over", ())):
            raise ConfigError(("agent", "name"), f"{name!r}, but {run} was trained by {trained.info['agent']!r}")
        if not isinstance(agent, BeginsFrom):
            raise ConfigError(("agent", "name"), f"{name!r} begins each training anew, so it cannot begin from {run}")
        agent.begin_from(checkpoint)
    return checkpoint


def experiment_of(run: Path) -> Path:
    """The experiment that a run was trained by, complete.

    Raises:
        InputError: if it has no checkpoint.
    """
    return playable(run)[0].path / "config.yaml"


TIMES_SLOWER = 1_000
"""Decisions in a second in compiled worlds over those in real ones (docs/results/compiled_world.md), roughly."""


def cost_of_reference(agent: Mapping[str, Any], env: Mapping[str, Any]) -> str | None:
    """What it costs to learn in real simulations, in one line; None where the compiled world is learnt in.

    Args:
        agent: The ``agent`` section of an experiment, complete.
        env: Its ``env`` section, complete.
    """
    if env.get("backend") != "reference":
        return None
    n, workers = agent.get("n_envs", 1), agent.get("workers", 1)
    where = "each in a process of its own" if workers > 1 else "one after the other in this process"
    simulations = f"{n} simulations, {where}" if n > 1 else "one simulation at a time"
    times = f"roughly {TIMES_SLOWER:,} times as long as with env.backend=compiled"
    return f"env.backend=reference: {simulations}; playing takes {times}"


def build(loaded: Loaded) -> Agent:
    """The learner of an experiment, untrained; the number of threads is set before torch is imported.

    Raises:
        InputError: if a setting of the learner or of the environment is wrong, and where it was set.
    """
    limit_threads(loaded.config["threads"])
    agent, env = loaded.config["agent"], loaded.config["env"]
    with loaded.naming_sources():
        return AGENTS.get(agent["name"], "agent.name").build(agent, {key: env[key] for key in env if key != "name"})
