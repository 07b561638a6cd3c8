"""The recorded worlds of a training: drawn, played and kept, one file each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from scml_gym.agents.clones.hyperparameters import CloneHyperparameters
from scml_gym.agents.clones.recording import Recording, record_world
from scml_gym.core.config import ConfigError
from scml_gym.core.errors import InputError
from scml_gym.core.worker_processes import worker_processes
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.looking import answers_together


def check_agents(hyperparameters: CloneHyperparameters) -> None:
    """Refuse now whom nobody can record: no player, of another track, or one that answers each negotiation by itself.

    Raises:
        ConfigError: naming the key below ``agent``.
    """
    keys = {}
    for name in hyperparameters.agents:
        try:
            check_together(name)
            other = keys.setdefault(clone_key(name), name)
            if other != name or hyperparameters.agents.count(name) > 1:
                raise InputError(f"{name!r} and {other!r} would be the same clone; valid: each once")
        except InputError as error:
            raise ConfigError(("agent", "agents"), str(error)) from error
    for name in hyperparameters.others:
        try:
            _maker(name)
        except InputError as error:
            raise ConfigError(("agent", "others"), str(error)) from error


def check_together(name: str) -> None:
    """Refuse a player that does not answer all its partners together.

    Raises:
        InputError: if there is no such player, or it is asynchronous.
    """
    player = _maker(name)(0)
    together = answers_together(player[0]) if isinstance(player, tuple) else player.synchronous
    if not together:
        raise InputError(f"{name!r} answers each negotiation by itself; valid: players that answer all together")


def clone_key(name: str) -> str:
    """What a player's clone is called: ``2025/CostAverseAgent``, ``scml/EqualDistOneShotAgent``, ``own/best-subset``.

    Args:
        name: Of the player.
    """
    prefix, colon, rest = name.partition("?")[0].rpartition(":")
    if prefix == "scml-agents":
        return rest
    return f"{'scml' if prefix == 'scml' else 'own'}/{rest if colon else prefix or rest}"


def recording_path(folder: Path, number: int) -> Path:
    """Where the world of that number is kept."""
    return folder / f"world-{number:05d}.npz"


def record(hyperparameters: CloneHyperparameters, seed: int, number: int) -> Recording:
    """Draw the real world of that number, which is a function of the arguments, and play it."""
    rng = np.random.default_rng([seed, number])
    spec = compiled_spec(int(rng.integers(2**62)), hyperparameters.days, hyperparameters.factories_per_level)
    weights = dict.fromkeys(hyperparameters.agents, 1.0) | hyperparameters.others
    shares = np.array(list(weights.values())) / sum(weights.values())
    names = [list(weights)[i] for i in rng.choice(len(weights), spec.n_factories, p=shares)]
    world_seed = int(rng.integers(2**62))
    return record_world(ReferenceWorld(spec, [_maker(name)(world_seed) for name in names], world_seed), names)


def record_worlds(
    hyperparameters: CloneHyperparameters, seed: int, folder: Path, show: Callable[[int], object] | None = None
) -> None:
    """Record the worlds that a folder does not have yet; the number of workers changes nothing.

    Args:
        hyperparameters: Which worlds.
        seed: At least 0; with the hyperparameters it determines every world.
        folder: Of the recordings; is made.
        show: Called with the number of worlds that are there.

    Raises:
        InputError: if a worker was killed.
    """
    missing = [n for n in range(hyperparameters.worlds) if not recording_path(folder, n).exists()]
    make = functools.partial(_keep, hyperparameters, seed, folder)
    show, done = show or (lambda worlds: None), hyperparameters.worlds - len(missing)
    show(done)
    if hyperparameters.workers == 1 or len(missing) < 2:
        for number in missing:
            done += make(number)
            show(done)
        return
    with worker_processes(hyperparameters.workers) as pool:
        for made in pool.map(make, missing):
            done += made
            show(done)


def _keep(hyperparameters: CloneHyperparameters, seed: int, folder: Path, number: int) -> int:
    record(hyperparameters, seed, number).save(recording_path(folder, number))
    return 1


@functools.cache
def _maker(name: str) -> Any:
    return player_maker(name)
