"""Which checkpoint a path means: the last one of a run folder or of ``zoo:NAME``, or, as ``RUN/best``, its best one.

See `scml_gym.core.trained` for the names of what comes trained with the package.
"""

from __future__ import annotations

from pathlib import Path

from scml_gym.core.data_files import parse_json, read_text
from scml_gym.core.errors import InputError
from scml_gym.core.trained import run_path
from scml_gym.core.trust import require_trust_of_names
from scml_gym.experiments.run_folder import Run
from scml_gym.experiments.run_info import BEST


def run_of(path: Path) -> Run:
    """The run of a path.

    Raises:
        InputError: if it is no run folder (nor ``best`` in one), or is corrupt.
    """
    path = run_path(path)
    return Run.open(path.parent if means_best(path) else path)


def checkpoint_of(path: Path) -> tuple[Run, Path]:
    """The run and the checkpoint of a path.

    Raises:
        InputError: as `run_of`, or if the run has no checkpoint yet, or no best one.
    """
    run = run_of(path)
    if not means_best(path):
        checkpoint = run.latest_checkpoint()
        if checkpoint is None:
            raise InputError(f"{path}: the run has no checkpoint yet")
        return run, checkpoint
    if run.best is None:
        raise InputError(f"{path}: the run has no best checkpoint; agent.evaluation keeps one")
    return run, run.path / run.best["checkpoint"]


def playable(path: Path) -> tuple[Run, Path]:
    """`checkpoint_of`, of which the learner may be made: it names nothing that would be imported, or is trusted.

    Raises:
        InputError: as `checkpoint_of`, and if it names a module and is not trusted; the message says how to trust it.
    """
    run, checkpoint = checkpoint_of(path)
    require_trust_of_names(run.path, [run.info["agent"], run.info["env"], run.config])
    for file in sorted(checkpoint.rglob("*.json")):
        said = parse_json(read_text(file), str(file))
        if isinstance(said, dict):
            said.pop("algorithm", None)  # of Stable-Baselines3, compared and never imported
        require_trust_of_names(run.path, said)
    return run, checkpoint


def means_best(path: Path) -> bool:
    """Whether a path is ``RUN/best`` of a run folder."""
    return path.name == BEST and not (path / "run.json").exists() and (path.parent / "run.json").is_file()
