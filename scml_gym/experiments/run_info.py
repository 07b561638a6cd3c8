"""What a run folder says of itself, read as data that may be somebody else's: ``run.json`` and ``config.yaml``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scml_gym.core.config import learner_now
from scml_gym.core.data_files import read_json, read_yaml
from scml_gym.core.errors import InputError

SCHEMA = "scml-gym-run-1"
CHECKPOINTS = "checkpoints"
BEST = "best"
"""Folder of the best checkpoint, where a training is evaluated as it goes."""

STEP_FOLDER = re.compile(r"\d{12}(-again)*")
"""Names of the folders of checkpoints."""

FORMER_AGENTS = {
    f"{module}:{name}": registered
    for registered, name, modules in (
        ("ppo", "PPO", ("agents.sb3", "agents.sb3.learner")),
        ("maskable-ppo", "MaskablePPO", ("agents.sb3", "agents.sb3.learner")),
        ("recurrent-ppo", "RecurrentPPO", ("agents.sb3", "agents.sb3.learner")),
        ("fast-ppo", "FastPPO", ("agents.fast_ppo.learner",)),
        ("fast-maskable-ppo", "FastMaskablePPO", ("agents.fast_ppo.learner",)),
        ("dqn", "DQN", ("agents.sb3", "agents.sb3.learner")),
        ("q-learning", "QLearning", ("agents.q_learning", "agents.q_learning.learner")),
        ("dnb", "DNB", ("agents.dnb.learner",)),
        ("dcl", "DCLLearner", ("agents.commitment.learner",)),
        ("independent-ppo", "IPPOLearner", ("agents.commitment.learner",)),
        ("mediated", "MediatedLearner", ("agents.commitment.learner",)),
        ("moca", "MOCALearner", ("agents.commitment.learner",)),
    )
    for module in modules
}
"""Learners in run folders by the names of their classes when the package ``agents`` stood by itself."""

FORMER_HYPERPARAMETERS = {"league": "self_play", "diary": "decision_log"}
"""Keys of the ``agent`` section that have another name now."""


def current_hyperparameters(agent: Mapping[str, Any]) -> dict[str, Any]:
    """An ``agent`` section, of whatever age, by the names that its keys and its learner have now."""
    current = {FORMER_HYPERPARAMETERS.get(key, key): value for key, value in agent.items()}
    if isinstance(current.get("name"), str):
        current["name"] = FORMER_AGENTS.get(current["name"], current["name"])
    return current


def read_info(path: Path) -> dict[str, Any]:
    """What ``run.json`` says now; a process that trains here replaces it, and removes checkpoints that it named.

    Raises:
        InputError: if it cannot be read, is of another schema, or names a checkpoint that is not in the folder.
    """
    try:
        info = read_json(path / "run.json")
    except InputError as error:
        raise unreadable(path, error) from error
    if info.get("schema") != SCHEMA:
        raise InputError(f"{path}/run.json has the schema {info.get('schema')!r}; {SCHEMA!r} is needed")
    missing = {"agent", "agent_name", "env", "checkpoint", "step"} - info.keys()
    if missing:
        raise unreadable(path, f"{', '.join(sorted(missing))} missing")
    for key, kind in (("agent", str), ("agent_name", str), ("env", dict), ("step", int)):
        if not isinstance(info[key], kind):
            raise unreadable(path, f"{key} is {_short(info[key])}")
    best = info.get("best")
    if best is not None and not (isinstance(best, dict) and {"checkpoint", "step", "value"} <= best.keys()):
        raise unreadable(path, f"best is {_short(best)}")
    for parent, name in ((CHECKPOINTS, info["checkpoint"]), (BEST, best and best["checkpoint"])):
        if name is not None:
            _check_inside(path, parent, name)
    return info | {"agent": learner_now(FORMER_AGENTS.get(info["agent"], info["agent"]), info["env"])}


def read_config(path: Path) -> dict[str, Any]:
    """The experiment of a run folder, complete, by the names that its keys have now.

    Raises:
        InputError: if it cannot be read or is not complete.
    """
    try:
        config = read_yaml(path / "config.yaml")
    except InputError as error:
        raise unreadable(path, error) from error
    missing = {"seed", "agent", "env"} - config.keys()
    if missing:
        raise unreadable(path, f"{', '.join(sorted(missing))} missing")
    for key in ("agent", "env"):
        if not isinstance(config[key], dict):
            raise unreadable(path, f"{key} is {_short(config[key])}")
    agent = current_hyperparameters(config["agent"])
    if "name" in agent:
        agent["name"] = learner_now(agent["name"], config["env"])
    return config | {"agent": agent}


def check_links(path: Path) -> None:
    """Refuse to write into a run folder in which a link leads out of it: what is written or removed is its own.

    Raises:
        InputError: if there is one.
    """
    real = Path(os.path.realpath(path))
    for above, folders, files in os.walk(path):
        for name in (*folders, *files):
            place = Path(above, name)
            if place.is_symlink() and not Path(os.path.realpath(place)).is_relative_to(real):
                raise InputError(f"{place} is a link that leads out of {path}: nothing is trained there")


def _check_inside(path: Path, parent: str, name: Any) -> None:
    """Refuse a checkpoint that is none of a run folder's own."""
    first, _, last = name.partition("/") if isinstance(name, str) else ("", "", "")
    if first != parent or not STEP_FOLDER.fullmatch(last):
        raise unreadable(path, f"{_short(name)} is no checkpoint; valid: {parent}/STEP")
    if Path(os.path.realpath(path / name)) != Path(os.path.realpath(path), parent, last):
        raise unreadable(path, f"its {name} is a link to another place")


def _short(value: Any) -> str:
    return repr(value)[:60]


def unreadable(path: Path, problem: object) -> InputError:
    """That a run folder cannot be read."""
    return InputError(f"{path} is not a readable run folder: {' '.join(str(problem).split())}")
