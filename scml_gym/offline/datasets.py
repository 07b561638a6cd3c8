"""Minari datasets of this package's environments: written whole or not at all.

Format: https://minari.farama.org. Each episode has the seed that its environment was reset with; an episode without one
goes on from the episode before it.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from gymnasium import spaces

from scml_gym.core.data_files import parse_json, read_text
from scml_gym.core.errors import InputError
from scml_gym.core.files import flush_tree, remove_tree, replace_file, unfinished
from scml_gym.core.leftovers import leftovers_of
from scml_gym.core.provenance import commit
from scml_gym.offline.playing import Episode

ABOUT = "scml_gym"
"""Key in a dataset's metadata: ``env`` (id, arguments), ``competitor``, ``seed``, ``agent`` (its kind), ``commit``."""

WHOLE = "whole.json"
"""In the folder in which datasets are written: their names, when all of them are whole."""

ROOT = "MINARI_DATASETS_PATH"
"""Environment variable in which Minari looks for the folder of its datasets."""

LONGEST = 255
"""Bytes of the name of a folder."""


def minari() -> Any:
    """The package Minari.

    Raises:
        InputError: if it is not installed.
    """
    try:
        import h5py  # noqa: F401
        import minari as package
    except ImportError as error:
        raise InputError(f"datasets need {error.name}: pip install 'scml-gym[offline]'") from error
    return package


def check_free(name: str) -> None:
    """Refuse a name that a new dataset cannot have.

    Raises:
        InputError: if there is one of that name, or Minari takes no such name.
    """
    from minari.dataset.minari_dataset import parse_dataset_id

    try:
        parse_dataset_id(name)
        if any(len(part.encode()) > LONGEST for part in name.split("/")):
            raise ValueError("too long for a folder")
    except (ValueError, TypeError) as error:
        valid = f"letters, digits, - and _, 2 to {LONGEST} between slashes"
        raise InputError(f"{name!r} is no name of a dataset; valid: {valid}") from error
    if (datasets_root() / name).exists():
        raise InputError(f"the dataset {name!r} exists already; give another --namespace, or: minari delete {name}")


class About(NamedTuple):
    """What datasets are of.

    Attributes:
        env: The environment, whose spec Minari keeps; None for PettingZoo's, which has none.
        observation, action: Spaces of an agent.
        facts: As `ABOUT` says, without the agent.
    """

    env: Any
    observation: spaces.Space
    action: spaces.Space
    facts: Mapping[str, Any]


def write_datasets(about: About, name: Callable[[str], str], portions: Iterable[Sequence[Episode]]) -> list[str]:
    """Write a dataset for each kind of agent; they appear when all is written.

    Args:
        about: What they are of.
        name: ``(kind) -> name`` of the dataset.
        portions: Some episodes at a time.

    Returns:
        The names.

    Raises:
        InputError: if there is one of that name already.
    """
    package = minari()
    from scml_gym.offline.hdf5 import add_episodes

    root, storages = datasets_root().resolve(), dict[str, Any]()
    filling = unfinished(root / "datasets")
    take_up(root)
    try:
        for portion in portions:
            by_kind: dict[str, list[Episode]] = {}
            for episode in portion:
                by_kind.setdefault(episode.kind, []).append(episode)
            for kind, episodes in by_kind.items():
                if kind not in storages:
                    check_free(name(kind))
                    with datasets_in(filling):
                        storages[kind] = _create(package, about, kind, name(kind))
                add_episodes(storages[kind], episodes)
        names = [name(kind) for kind in storages]
        for dataset in names:
            check_free(dataset)
        flush_tree(filling)
        replace_file(filling / WHOLE, json.dumps(names))
        _move(filling, root, names)
    finally:
        shutil.rmtree(filling, ignore_errors=True)
    return names


def take_up(root: Path) -> None:
    """See to what killed processes left among the datasets: what was whole appears, and the rest goes."""
    for left in leftovers_of(root / "datasets"):
        try:
            names = [str(name) for name in parse_json(read_text(left / WHOLE), str(left / WHOLE))]
            _move(left, root, [name for name in names if (left / name).is_dir() and ".." not in Path(name).parts])
        except InputError:  # it was not whole
            pass
        remove_tree(left)


def _move(filling: Path, root: Path, names: Sequence[str]) -> None:
    from minari.namespace import create_namespace, list_local_namespaces

    for dataset in names:
        namespace = dataset.rpartition("/")[0]
        if namespace and namespace not in list_local_namespaces():
            create_namespace(namespace)
        if not (root / dataset).exists():
            os.replace(filling / dataset, root / dataset)


def datasets_root() -> Path:
    """The folder in which Minari has its datasets; it is made.

    Raises:
        InputError: if Minari is not installed, or there cannot be such a folder.
    """
    minari()
    from minari.storage.datasets_root_dir import get_dataset_path

    try:
        return Path(get_dataset_path())
    except OSError as error:
        raise InputError(f"{ROOT}={os.environ.get(ROOT)}: {error.strerror}; valid: a folder") from error


@contextmanager
def datasets_in(folder: Path) -> Iterator[None]:
    """Inside, Minari has its datasets there, and asks for no facts that a dataset need not have."""
    before = os.environ.get(ROOT)
    os.environ[ROOT] = str(folder)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="minari")
            yield
    finally:
        os.environ.pop(ROOT)
        if before is not None:
            os.environ[ROOT] = before


def _create(package: Any, about: About, kind: str, name: str) -> Any:
    """The storage of a dataset without episodes."""
    competitor = about.facts["competitor"]
    dataset = package.create_dataset_from_buffers(
        name,
        [],
        env=about.env,
        observation_space=about.observation,
        action_space=about.action,
        algorithm_name=competitor,
        description=f"{competitor} in {about.facts['env']['id']}, {kind}; see {ABOUT!r} for its arguments",
        data_format="hdf5",
    )
    dataset.storage.update_metadata({ABOUT: dict(about.facts) | {"agent": kind, "commit": commit()}})
    return dataset.storage
