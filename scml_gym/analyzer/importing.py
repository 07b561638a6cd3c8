"""Import of what scml and negmas leave: folders of scml's own tournaments, and of single worlds, as recordings.

A tournament that was played with ``compact=True`` kept scores and no logs: its worlds have factories and scores, and
all else is absent.
"""

from __future__ import annotations

import os
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from scml_gym.analyzer.scml_world import SCMLWorld, label_of, one_row, plain_name
from scml_gym.core.data_files import DAMAGE
from scml_gym.core.errors import InputError
from scml_gym.simulator.recording.folder import Recording
from scml_gym.simulator.recording.packing import pack
from scml_gym.simulator.recording.tables import Table

DAMAGED = (OSError, RuntimeError, zlib.error, *DAMAGE)
"""What reading a file raises that is not as scml writes it."""


def is_tournament(folder: Path) -> bool:
    """Whether a folder is one of scml's: of a tournament, or of a world."""
    return (folder / "params.json").is_file() and (
        (folder / "scores.csv").is_file() or (folder / "info.json").is_file()
    )


def import_tournament(folder: str | os.PathLike[str], out: str | os.PathLike[str]) -> list[str]:
    """Write what scml left of a tournament, or of a world, as a recording.

    Args:
        folder: As scml left it.
        out: Of the recording, a new folder.

    Returns:
        A line for each world that could not be read, or of which there are scores only.

    Raises:
        InputError: if the folder is none of scml's, or its table of scores cannot be read.
    """
    folder, recording = Path(folder), Recording(out)
    if not is_tournament(folder):
        raise InputError(f"{folder} is no folder of a tournament or a world of scml's")
    scores = _scores(folder)
    names, problems = [], []
    for path in sorted(folder.rglob("info.json")):
        try:
            world = SCMLWorld.read(path.parent, scores)
            recording.write(world.name, world.tables(len(names)))
            names.append(world.name)
        except DAMAGED as error:
            problems.append(f"world {path.parent.name} is left out ({_reason(error)})")
    for name, rows in scores.groupby("world", sort=True):
        try:
            if plain_name(name) not in names:
                recording.write(plain_name(name), _scores_alone(rows))
                problems.append(f"world {plain_name(name)}: its scores alone were kept")
        except DAMAGED as error:
            problems.append(f"world {name} is left out ({_reason(error)})")
    pack(recording)
    return problems


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _scores(folder: Path) -> pd.DataFrame:
    path = folder / "scores.csv"
    if not path.is_file():
        return pd.DataFrame(columns=["world", "agent_id", "agent_type", "score"])
    try:
        table = pd.read_csv(path)
    except DAMAGED as error:
        raise InputError(f"{path} cannot be read ({_reason(error)})") from error
    missing = {"world", "agent_id", "agent_type", "score"} - set(table.columns)
    if missing:
        raise InputError(f"{path}: it has no column {', '.join(sorted(missing))}")
    try:
        table["score"] = table["score"].astype(np.float64)
    except DAMAGED as error:
        raise InputError(f"{path}: not every score is a number ({_reason(error)})") from error
    return table


def _scores_alone(rows: pd.DataFrame) -> dict[str, Table]:
    """A world of which nothing but scores was kept."""
    n = len(rows)
    levels = [int(found[1]) if (found := re.search(r"@(\d+)$", str(agent))) else None for agent in rows["agent_id"]]
    nothing = dict.fromkeys(
        ("lines", "production_cost", "initial_balance", "profit", "bankrupt", "decisions", "invalid")
    )
    nothing |= dict.fromkeys(("shortfall_mean", "shortfall_deviation", "unused_mean", "unused_deviation"))
    factories: Table = {
        "factory": np.arange(n),
        "competitor": [label_of(kind) for kind in rows["agent_type"]],
        "role": ["competitor"] * n,
        "level": levels,
        "score": rows["score"].to_numpy(np.float64),
        **nothing,
    }
    return {"worlds": one_row(backend="scml"), "factories": factories}
