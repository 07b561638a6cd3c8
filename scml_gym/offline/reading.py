"""Minari datasets of this package's environments as they are read: whole, as decisions, and played again."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.trust import require_trust_of_names
from scml_gym.games import game_of
from scml_gym.offline.datasets import ABOUT, datasets_root, minari
from scml_gym.offline.playing import MASK
from scml_gym.registration import ENVIRONMENTS, PARALLEL_ENVIRONMENTS


def known_datasets() -> list[str]:
    """Names of the datasets that are here."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="minari")  # of those that are damaged
        return sorted(minari().list_local_datasets())


@contextmanager
def _damage_told(name: str) -> Iterator[None]:
    with content_of(f"the dataset {name!r}", "one of Minari"):
        try:
            yield
        except (OSError, AssertionError, gymnasium.error.Error) as error:
            raise ValueError(f"{error}") from error


def load_dataset(name: str) -> Any:
    """A dataset of an environment of this package, a ``minari.MinariDataset``.

    Raises:
        InputError: if there is none of that name, it cannot be read, or is of another environment.
    """
    datasets_root()
    with _damage_told(name):
        try:
            dataset = minari().load_dataset(name)
        except FileNotFoundError as error:
            raise InputError(f"there is no dataset {name!r}{nearest(name, known_datasets())}") from error
        env_id = env_of(dataset).get("id")
        known = env_id in ENVIRONMENTS or env_id in PARALLEL_ENVIRONMENTS
    if not known:
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
        rewards: Float64 ``(n,)``.
    """

    observations: Any
    actions: np.ndarray
    masks: np.ndarray
    episodes: np.ndarray
    rewards: np.ndarray


def load_decisions(names: Sequence[str], observation: spaces.Space, action: spaces.Space) -> Decisions:
    """The decisions of datasets, one after the other.

    Args:
        names: Of the datasets.
        observation: Space that they must have.
        action: Likewise.

    Raises:
        InputError: as `load_dataset`; if one has other spaces, its infos have no masks, or what an episode holds is not
            of its spaces and masks.
    """
    parts: list[tuple[Any, np.ndarray, np.ndarray, np.ndarray]] = []
    for name in names:
        dataset = load_dataset(name)
        spaces_are = dataset.spec.observation_space, dataset.spec.action_space
        if spaces_are != (observation, action):
            told = " and ".join(" ".join(str(space).split()) for space in spaces_are)
            raise InputError(f"the dataset {name!r} has {told}, which are not those of this environment")
        with _damage_told(name):
            parts += [_decisions(name, episode, observation, action) for episode in dataset.iterate_episodes()]
    if not parts:
        raise InputError("no episodes to learn from")
    shown, actions, masks, rewards = zip(*parts, strict=True)
    dicts = isinstance(shown[0], dict)
    together = {k: np.concatenate([part[k] for part in shown]) for k in shown[0]} if dicts else np.concatenate(shown)
    lengths = [len(part) for part in actions]
    episodes = np.arange(len(parts)).repeat(lengths)
    return Decisions(together, np.concatenate(actions), np.concatenate(masks), episodes, np.concatenate(rewards))


def check_game(names: Sequence[str], env_id: str) -> None:
    """Refuse datasets of another game than an environment is of.

    Raises:
        InputError: if one is, or as `load_dataset`.
    """
    game = game_of(env_id)
    for name in names:
        other = game_of(env_of(load_dataset(name))["id"])
        if game is not None and other is not None and other.name != game.name:
            raise InputError(f"the dataset {name!r} is of the game {other.name!r}, {env_id!r} is of {game.name!r}")


def _decisions(
    name: str, episode: Any, observation: spaces.Space, action: spaces.Space
) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
    """Observations, actions, masks and rewards of an episode that are of their spaces."""
    if MASK not in (episode.infos or {}):
        raise InputError(f"the dataset {name!r} has no {MASK} among its infos")
    seen, n = episode.observations, len(episode.rewards)
    shown = {k: v[:n] for k, v in seen.items()} if isinstance(seen, dict) else seen[:n]
    actions, masks = np.asarray(episode.actions), _mask(episode.infos[MASK])[:n]
    rewards = np.asarray(episode.rewards, np.float64)
    if not (_of(shown, observation, n) and _of(actions, action, n) and np.isfinite(rewards).all()):
        raise InputError(f"episode {episode.id} of the dataset {name!r} has other observations or actions than it says")
    offered = _offered(masks, actions, action)
    if not offered.all():
        step = int(np.flatnonzero(~offered)[0])
        raise InputError(f"episode {episode.id} of the dataset {name!r}: its mask forbids the action of step {step}")
    return shown, actions, masks, rewards


def _of(values: Any, space: spaces.Space, n: int) -> bool:
    """Whether values are ``n`` of a space."""
    if isinstance(space, spaces.Dict):
        return all(_of(values[key], part, n) for key, part in space.items())
    if values.shape != (n, *(space.shape or ())):
        return False
    if isinstance(space, spaces.Discrete):
        return bool((values >= space.start).all() and (values < space.start + space.n).all())
    if isinstance(space, spaces.MultiDiscrete):
        return bool((values >= space.start).all() and (values < space.start + space.nvec).all())
    return bool(np.isfinite(values).all())


def _offered(masks: np.ndarray, actions: np.ndarray, action: spaces.Space) -> np.ndarray:
    """Of each decision, whether its mask has the action; actions that are numbers have none."""
    if not isinstance(action, spaces.Discrete | spaces.MultiDiscrete):
        return np.ones(len(actions), dtype=np.bool_)
    sizes = np.ravel(action.n if isinstance(action, spaces.Discrete) else action.nvec)
    if masks.shape != (len(actions), sizes.sum()):
        raise ValueError(f"masks of shape {masks.shape} for {len(actions)} actions")
    places = np.cumsum(sizes) - sizes + (actions - action.start).reshape(len(actions), -1)
    return np.asarray(np.take_along_axis(masks, places, axis=1).all(axis=1))


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
        InputError: if an observation, a reward or an end differs from the dataset's, if it cannot be read, or has no
            Gymnasium environment; if that is of modules that are not of this package, and the dataset is not trusted
            (`scml_gym.core.trust`).
    """
    name = dataset.spec.dataset_id
    if dataset.spec.env_spec is None:
        raise InputError(f"the dataset {name!r} is of no Gymnasium environment, so it cannot be played again")
    with _damage_told(name):
        _require_trust(dataset)
        env, played = dataset.recover_environment(), 0
        seeds = [about.get("seed") for about in dataset.storage.get_episode_metadata(dataset.episode_indices)]
    for episode, seed in zip(_episodes(name, dataset), seeds, strict=True):
        with _damage_told(name):
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


def _episodes(name: str, dataset: Any) -> Iterator[Any]:
    with _damage_told(name):
        yield from dataset.iterate_episodes()


def _equal(shown: Any, recorded: Any, step: int) -> bool:
    if isinstance(shown, Mapping):
        return all(name in recorded and _equal(shown[name], recorded[name], step) for name in shown)
    return step < len(recorded) and np.array_equal(shown, recorded[step])
