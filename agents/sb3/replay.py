"""Replay buffers of Stable-Baselines3 as plain arrays, so that a resumed learner remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.buffers import ReplayBuffer

from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, write_arrays

_ARRAYS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def save_replay(buffer: ReplayBuffer, path: Path) -> None:
    """Write the filled part of a buffer as ``.npz``: arrays of shape ``(filled, n_envs, ...)`` and the position."""
    filled = buffer.buffer_size if buffer.full else buffer.pos
    arrays: dict[str, Any] = {"pos": buffer.pos, "full": buffer.full}
    for name in _ARRAYS:
        for key, array in _parts(buffer, name):
            arrays[key] = array[:filled]
    write_arrays(path, arrays)


def load_replay(buffer: ReplayBuffer, path: Path) -> None:
    """Fill a new buffer with what `save_replay` wrote.

    Raises:
        InputError: if the file is missing or corrupt, or of another shape.
    """
    saved = read_arrays(path, "a replay buffer")
    with content_of(path, "the replay buffer of this learner"):
        for name in _ARRAYS:
            for key, array in _parts(buffer, name):
                rows = saved[key]
                array[: len(rows)] = rows
        buffer.pos, buffer.full = int(saved["pos"]), bool(saved["full"])
        if not 0 <= buffer.pos < buffer.buffer_size:
            raise InputError(f"{path}: position {buffer.pos} of {buffer.buffer_size}")


def _parts(buffer: ReplayBuffer, name: str) -> list[tuple[str, np.ndarray]]:
    value = getattr(buffer, name, None)  # next_observations may share memory with observations, then it is absent
    if value is None:
        return []
    if isinstance(value, dict):
        return [(f"{name}/{key}", array) for key, array in value.items()]
    return [(name, value)]
