"""Minari datasets of this package's environments: written whole or not at all, read, and played again.

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

import gymnasium
import numpy as np
from gymnasium import spaces

from scml_gym.core.data_files import parse_json, read_text
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.files import flush_tree, remove_tree, replace_file, unfinished
from scml_gym.core.leftovers import leftovers_of
from scml_gym.core.provenance import commit
from scml_gym.core.trust import require_trust_of_names
from scml_gym.offline.playing import AGENT, MASK, Episode
from scml_gym.registration import ENVIRONMENTS, PARALLEL_ENVIRONMENTS

ABOUT = "scml_gym"
"""Key in a dataset's metadata: ``env`` (id, arguments), ``competitor``, ``seed``, ``agent`` (its kind), ``commit``."""

WHOLE = "whole.json"
"""In the folder in which datasets are written: their names, when all of them are whole."""

ROOT = "MINARI_DATASETS_PATH"
"""Environment variable in which Minari looks for the folder of its datasets."""


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


def known_datasets() -> list[str]:
    """Names of the datasets that are here."""
    return sorted(minari().list_local_datasets())


def check_free(name: str) -> None:
    """Refuse a name that a new dataset cannot have.

    Raises:
        InputError: if there is one of that name, or Minari takes no such name.
    """
    from minari.dataset.minari_dataset import parse_dataset_id
    from minari.storage.datasets_root_dir import get_dataset_path

    try:
        parse_dataset_id(name)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"{name!r} is no name of a dataset; valid: letters, digits, - and _ between slashes"
        ) from error
    if get_dataset_path(name).exists():
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
    from minari.storage.datasets_root_dir import get_dataset_path

    root, storages = get_dataset_path().resolve(), dict[str, Any]()
    filling = unfinished(root / "datasets")
    take_up(root)
    try:
        for portion in portions:
            by_kind: dict[str, list[Episode]] = {}
            for episode in portion:
                by_kind.setdefault(episode.kind, []).append(episode)
            for kind, episodes in by_kind.items():
                buffers = [_buffer(package, episode) for episode in episodes]
                if kind in storages:
                    storages[kind].update_episodes(buffers)
                else:
                    check_free(name(kind))
                    with datasets_in(filling):
                        storages[kind] = _create(package, about, kind, name(kind), buffers)
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
    """The folder in which Minari has its datasets."""
    minari()
    from minari.storage.datasets_root_dir import get_dataset_path

    return Path(get_dataset_path())


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


def _create(package: Any, about: About, kind: str, name: str, buffers: list[Any]) -> Any:
    competitor = about.facts["competitor"]
    dataset = package.create_dataset_from_buffers(
        name,
        buffers,
        env=about.env,
        observation_space=about.observation,
        action_space=about.action,
        algorithm_name=competitor,
        description=f"{competitor} in {about.facts['env']['id']}, {kind}; see {ABOUT!r} for its arguments",
        data_format="hdf5",
    )
    dataset.storage.update_metadata({ABOUT: dict(about.facts) | {"agent": kind, "commit": commit()}})
    return dataset.storage


def _buffer(package: Any, episode: Episode) -> Any:
    return package.data_collector.EpisodeBuffer(
        seed=episode.seed,
        options=None if episode.agent == AGENT else {"agent": episode.agent},
        observations=episode.observations,
        actions=episode.actions,
        rewards=episode.rewards,
        terminations=episode.terminations,
        truncations=episode.truncations,
        infos=episode.infos,
    )


def load_dataset(name: str) -> Any:
    """A dataset of an environment of this package, a ``minari.MinariDataset``.

    Raises:
        InputError: if there is none of that name, it cannot be read, or is of another environment.
    """
    package = minari()
    try:
        dataset = package.load_dataset(name)
    except FileNotFoundError as error:
        raise InputError(f"there is no dataset {name!r}{nearest(name, known_datasets())}") from error
    except (OSError, ValueError, KeyError, AssertionError) as error:
        raise InputError(f"the dataset {name!r} cannot be read: {' '.join(str(error).split())}") from error
    env_id = env_of(dataset).get("id")
    if env_id not in ENVIRONMENTS and env_id not in PARALLEL_ENVIRONMENTS:
        raise InputError(f"the dataset {name!r} is of {env_id or 'no environment'}, which is none of scml_gym")
    return dataset


def env_of(dataset: Any) -> dict[str, Any]:
    """Id and arguments of the environment that a dataset is of; empty where it does not say."""
    told = dataset.storage.metadata.get(ABOUT)
    if told is not None:
        return dict(told["env"])
    spec = dataset.spec.env_spec
    return {} if spec is None else {"id": spec.id, **spec.kwargs}


class Decisions(NamedTuple):
    """The decisions of datasets, ``n`` of them.

    Attributes:
        observations: ``(n, ...)``, or a dict of such arrays.
        actions: ``(n, ...)``.
        masks: The valid choices, bool ``(n, choices)``.
        episodes: The number of each decision's episode, int64 ``(n,)``, ascending.
    """

    observations: Any
    actions: np.ndarray
    masks: np.ndarray
    episodes: np.ndarray


def load_decisions(names: Sequence[str], observation: spaces.Space, action: spaces.Space) -> Decisions:
    """The decisions of datasets, one after the other.

    Args:
        names: Of the datasets.
        observation: Space that they must have.
        action: Likewise.

    Raises:
        InputError: as `load_dataset`; if one has other spaces, or its infos have no masks.
    """
    parts: list[tuple[Any, np.ndarray, np.ndarray]] = []
    for name in names:
        dataset = load_dataset(name)
        spaces_are = dataset.spec.observation_space, dataset.spec.action_space
        if spaces_are != (observation, action):
            told = " and ".join(" ".join(str(space).split()) for space in spaces_are)
            raise InputError(f"the dataset {name!r} has {told}, which are not those of this environment")
        for episode in dataset.iterate_episodes():
            if MASK not in (episode.infos or {}):
                raise InputError(f"the dataset {name!r} has no {MASK} among its infos")
            seen, n = episode.observations, len(episode.rewards)
            shown = {k: v[:n] for k, v in seen.items()} if isinstance(seen, dict) else seen[:n]
            parts.append((shown, episode.actions, _mask(episode.infos[MASK])[:n]))
    if not parts:
        raise InputError("no episodes to learn from")
    shown, actions, masks = zip(*parts, strict=True)
    dicts = isinstance(shown[0], dict)
    together = {k: np.concatenate([part[k] for part in shown]) for k in shown[0]} if dicts else np.concatenate(shown)
    lengths = [len(part) for part in actions]
    return Decisions(together, np.concatenate(actions), np.concatenate(masks), np.arange(len(parts)).repeat(lengths))


def _mask(told: Any) -> np.ndarray:
    """Masks by row; Minari's own collector keeps an array for each part of an action."""
    if isinstance(told, Mapping):
        told = np.concatenate([told[f"_index_{i}"] for i in range(len(told))], axis=1)
    return np.asarray(told, dtype=np.bool_)


def replay(dataset: Any) -> int:
    """Play a dataset of a Gymnasium environment again: its seeds and its actions.

    Returns:
        How many decisions were played.

    Raises:
        InputError: if an observation, a reward or an end differs from the dataset's; if its environment is of modules
            that are not of this package, and the dataset is not trusted, see `scml_gym.core.trust`.
    """
    _require_trust(dataset)
    env, played = dataset.recover_environment(), 0
    seeds = (about.get("seed") for about in dataset.storage.get_episode_metadata(dataset.episode_indices))
    for episode, seed in zip(dataset.iterate_episodes(), seeds, strict=True):
        shown, _ = env.reset(seed=seed)
        for step, action in enumerate(episode.actions):
            same = _equal(shown, episode.observations, step)
            shown, reward, terminated, truncated, _ = env.step(action)
            told = episode.rewards[step], episode.terminations[step], episode.truncations[step]
            if not same or told != (reward, terminated, truncated):
                raise InputError(f"episode {episode.id} differs at step {step}: recorded by another version")
            played += 1
        if not _equal(shown, episode.observations, len(episode.actions)):
            raise InputError(f"episode {episode.id} differs at its end: recorded by another version")
    env.close()
    return played


def _require_trust(dataset: Any) -> None:
    """Refuse a dataset of others that would import what it names when its environment is made."""
    spec = dataset.spec.env_spec
    wrappers = [wrapper.entry_point for wrapper in spec.additional_wrappers]
    named = [name for name in wrappers if not name.startswith("gymnasium.wrappers.")]
    if spec.entry_point != gymnasium.spec(spec.id).entry_point:
        named.append(str(spec.entry_point))
    require_trust_of_names(Path(dataset.storage.data_path).parent, [named, spec.kwargs, env_of(dataset)])


def _equal(shown: Any, recorded: Any, step: int) -> bool:
    if isinstance(shown, Mapping):
        return all(np.array_equal(shown[name], recorded[name][step]) for name in shown)
    return np.array_equal(shown, recorded[step])
