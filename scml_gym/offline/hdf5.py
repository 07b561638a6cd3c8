"""Episodes in the layout of Minari's HDF5 files, which https://minari.farama.org/content/dataset_standards describes.

Minari's own writer makes each array resizable and asks anew what it is, which takes most of the time of a recording;
whole episodes need neither. `tests/offline/test_hdf5.py` compares the two writers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import h5py
import numpy as np

from scml_gym.offline.playing import AGENT, Episode

FILE = "main_data.hdf5"
"""In the ``data`` folder of a dataset."""

PARTS = ("observations", "actions", "rewards", "terminations", "truncations", "infos")
"""Of an episode, in the order in which Minari writes them."""


def add_episodes(storage: Any, episodes: Sequence[Episode]) -> None:
    """Write episodes behind those that a dataset has, as ``storage.update_episodes`` does.

    Args:
        storage: A dataset's, a ``minari.dataset.minari_storage.MinariStorage`` of the format ``hdf5``.
        episodes: In their order.
    """
    first = storage.total_episodes
    with h5py.File(storage.data_path / FILE, "a", track_order=True) as file:
        for number, episode in enumerate(episodes, first):
            _add_episode(file.id, number, episode)
    facts = {
        "total_steps": storage.total_steps + sum(episode.steps for episode in episodes),
        "total_episodes": first + len(episodes),
        "dataset_size": storage.get_size(),
    }
    storage.update_metadata(facts)


def _add_episode(file: Any, number: int, episode: Episode) -> None:
    group = h5py.h5g.create(file, b"episode_%d" % number)
    _add_number(group, b"id", number)
    _add_number(group, b"total_steps", episode.steps)
    if episode.seed is not None:
        _add_number(group, b"seed", episode.seed)
    if episode.agent != AGENT:
        h5py.AttributeManager(h5py.Group(group))["options/agent"] = episode.agent
    _add_parts(group, {name: getattr(episode, name) for name in PARTS})


def _add_parts(group: Any, parts: Mapping[str, Any]) -> None:
    for name, part in parts.items():
        if isinstance(part, Mapping):
            _add_parts(h5py.h5g.create(group, name.encode()), part)
        else:
            array = np.ascontiguousarray(part)
            room = h5py.h5s.create_simple(array.shape)
            data = h5py.h5d.create(group, name.encode(), _type(array.dtype), room, _without_times())
            data.write(h5py.h5s.ALL, h5py.h5s.ALL, array)


@cache
def _without_times() -> Any:
    """So that the same episodes are the same bytes, whenever they are written."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)
    return properties


@cache
def _type(dtype: np.dtype) -> Any:
    """HDF5's type of an array, as h5py chooses it."""
    return h5py.h5t.py_create(dtype, logical=True)


def _add_number(group: Any, name: bytes, number: int) -> None:
    room = h5py.h5s.create(h5py.h5s.SCALAR)
    h5py.h5a.create(group, name, h5py.h5t.STD_I64LE, room).write(np.array(number))
