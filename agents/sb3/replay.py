"""Replay buffers of Stable-Baselines3 as plain arrays, so that a resumed learner remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.buffers import ReplayBuffer

from scml_gym.core.errors import InputError

_ARRAYS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def save_replay(buffer: ReplayBuffer, path: Path) -> None:
    """Write the filled part of a buffer as ``.npz``: arrays of shape ``(filled, n_envs, ...)`` and the position."""
    filled = buffer.buffer_size if buffer.full else buffer.pos
    arrays: dict[str, Any] = {"pos": buffer.pos, "full": buffer.full}
    for name in _ARRAYS:
        for key, array in _parts(buffer, name):
            arrays[key] = array[:filled]
    np.savez(path, **arrays)


def load_replay(buffer: ReplayBuffer, path: Path) -> None:
    """Fill a new buffer with what `save_replay` wrote.

    Raises:
        InputError: if the file is missing or corrupt, or of another shape.
    """
    try:
        with np.load(path, allow_pickle=False) as saved:
            for name in _ARRAYS:
                for key, array in _parts(buffer, name):
                    rows = saved[key]
                    array[: len(rows)] = rows
            buffer.pos, buffer.full = int(saved["pos"]), bool(saved["full"])
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not the replay buffer of this learner: {' '.join(str(error).split())}") from error


def _parts(buffer: ReplayBuffer, name: str) -> list[tuple[str, np.ndarray]]:
    value = getattr(buffer, name, None)  # next_observations may share memory with observations, then it is absent
    if value is None:
        return []
    if isinstance(value, dict):
        return [(f"{name}/{key}", array) for key, array in value.items()]
    return [(name, value)]
