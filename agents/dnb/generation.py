"""Making the dataset: worlds are drawn and played, and all their offers with an explicit answer are recorded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from scml_gym.agents.dnb.dataset import ROLES, Dataset, join, join_records, read_about, shard_path, write_shard
from scml_gym.agents.dnb.dataset_config import DatasetConfig
from scml_gym.agents.dnb.logs import find_logs, read_log, read_records
from scml_gym.agents.dnb.recording import RECORD_DTYPE, Records
from scml_gym.agents.dnb.tracking import TAKEN
from scml_gym.core.config import ConfigError
from scml_gym.core.errors import InputError
from scml_gym.core.leftovers import remove_leftovers
from scml_gym.core.worker_processes import worker_processes
from scml_gym.oneshot.view import SELLER
from scml_gym.oneshot.worlds.compiled.advance import ROWS
from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.log import record_world
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.compiled.advance import DAY

LOGS = "logs"
"""Where in a dataset's folder the logs of its real worlds stand."""


class Drawn(NamedTuple):
    """A world and who plays in it."""

    spec: WorldSpec
    names: list[str]
    seed: int


def draw_world(config: DatasetConfig, seed: int, number: int) -> Drawn:
    """The world of that number: a function of the config, the seed and the number."""
    rng = np.random.default_rng([seed, number])
    spec = compiled_spec(int(rng.integers(2**62)), config.days, config.factories_per_level)
    names, weights = list(config.opponents), np.array(list(config.opponents.values()))
    chosen = rng.choice(len(names), spec.n_factories, p=weights / weights.sum())
    return Drawn(spec, [names[i] for i in chosen], int(rng.integers(2**62)))


def play_compiled(config: DatasetConfig, seed: int, number: int, folder: Path) -> Dataset:
    """A world's offers, played in machine code."""
    spec, names, world_seed = draw_world(config, seed, number)
    records = Records(spec.rounds, config.share, world_seed)
    players = [_maker(CompiledWorld, name)(world_seed) for name in names]
    world = CompiledWorld(spec, [records.record(player) for player in players])
    days = []
    while ROWS.advance(*world.arrays, 0) == DAY:
        days.append(records.take())
    return as_dataset(join_records(days, RECORD_DTYPE), number, spec.n_sellers, names)


def play_real(config: DatasetConfig, seed: int, number: int, folder: Path) -> Dataset:
    """A world's offers, from the logs that a real simulation of it leaves in the dataset's folder."""
    spec, names, world_seed = draw_world(config, seed, number)
    logs = folder / LOGS / f"world-{number:05d}"
    if not logs.exists():
        players = [_maker(ReferenceWorld, name)(world_seed) for name in names]
        record_world(spec, players, names, logs, world_seed)
    return _from_log(logs, config, seed, number)


def read_logs(config: DatasetConfig, seed: int, number: int, folder: Path) -> Dataset:
    """A world's offers, from logs that are there already; none where there are fewer worlds than that."""
    logs = [world for folder in config.logs for world in find_logs(folder)]
    return _from_log(logs[number], config, seed, number) if number < len(logs) else join([])


SOURCES = {"compiled": play_compiled, "real": play_real, "logs": read_logs}
"""Name -> ``source(config, seed, number, folder) -> Dataset`` of one world; ``folder`` is the dataset's."""

_WORLDS = {"compiled": CompiledWorld, "real": ReferenceWorld}


def check_source(config: DatasetConfig, where: str = "agent.data") -> None:
    """Refuse now what would be refused when its turn came: an opponent that cannot be played, a folder without logs.

    Raises:
        ConfigError: naming the key below ``where``.
    """
    for folder in config.logs:
        try:
            find_logs(folder)
        except InputError as error:
            raise ConfigError((*where.split("."), "logs"), str(error)) from error
    for name in config.opponents if config.source in _WORLDS else ():
        try:
            _maker(_WORLDS[config.source], name)
        except InputError as error:
            told = str(error).removeprefix("opponents: ").replace("backend='reference'", "source: real")
            raise ConfigError((*where.split("."), "opponents"), told) from error


def _from_log(logs: Path, config: DatasetConfig, seed: int, number: int) -> Dataset:
    log = read_log(logs)
    return as_dataset(read_records(log, config.share, (seed, number)), number, log.n_sellers, log.families)


def as_dataset(records: np.ndarray, world: int, n_sellers: int, families: Sequence[str]) -> Dataset:
    """Records of one world, ``RECORD_DTYPE``, with the identity of each row.

    Args:
        records: All were answered explicitly.
        world: The world's number.
        n_sellers: Factories of its first level.
        families: The names of all factories' players.
    """
    samples = records["sample"].copy()
    seller = samples["level"] == SELLER
    responder = records["partner"] + np.where(seller, n_sellers, 0)
    names = np.array([*families, ""], dtype=object)
    table = pd.DataFrame(
        {
            "world": np.full(len(records), world),
            "day": samples["day"],
            "proposer": records["factory"],
            "partner": records["partner"],
            "offer_index": records["index"],
            "role": pd.Series(np.array(ROLES, dtype=object)[samples["level"]], dtype="str"),
            "round": records["round"],
            "proposer_family": pd.Series(names[records["factory"]], dtype="str"),
            "responder_family": pd.Series(names[responder], dtype="str"),
        }
    )
    return Dataset(samples, records["answer"] == TAKEN, table)


def generate_dataset(
    config: DatasetConfig,
    seed: int,
    folder: Path,
    workers: int = 1,
    show: Callable[[int], None] | None = None,
) -> None:
    """Make a dataset, or what is missing of it; the number of workers changes nothing.

    Args:
        config: What it is made from.
        seed: At least 0; with the config it determines every row.
        folder: Of the shards; is made.
        workers: Processes, 1 for this one. Above 1, the calling script needs an ``if __name__ == "__main__"`` guard.
        show: Called with the number of worlds that are finished, first with those found.

    Raises:
        InputError: if the folder holds a dataset made from something else, a player cannot be played by the source,
            there are no logs, or a worker was killed.
    """
    about = {"seed": seed, "settings": config.model_dump(mode="json", exclude={"held_out", "test_worlds"})}
    make = functools.partial(_make_shard, config, seed, folder, about)
    n = -(-config.worlds // config.worlds_per_shard)
    missing = [i for i in range(n) if not _is_made(shard_path(folder, i), about)]
    if missing:
        check_source(config)
        remove_leftovers(folder)  # of a process that was killed
    show, done = show or (lambda worlds: None), config.worlds - sum(len(_numbers(config, i)) for i in missing)
    show(done)
    if workers == 1 or len(missing) < 2:
        for index in missing:
            done += make(index)
            show(done)
        return
    with worker_processes(workers) as pool:
        for made in pool.map(make, missing):
            done += made
            show(done)


def _make_shard(config: DatasetConfig, seed: int, folder: Path, about: Mapping[str, Any], index: int) -> int:
    play = SOURCES[config.source]
    numbers = _numbers(config, index)
    write_shard(folder, index, join([play(config, seed, number, folder) for number in numbers]), about)
    return len(numbers)


def _numbers(config: DatasetConfig, shard: int) -> range:
    """The worlds of a shard."""
    first = shard * config.worlds_per_shard
    return range(first, min(first + config.worlds_per_shard, config.worlds))


def _is_made(path: Path, about: Mapping[str, Any]) -> bool:
    if not path.exists():
        return False
    if read_about(path) != about:
        raise InputError(f"{path} was made from other config or another seed: give another folder, or remove it")
    return True


@functools.cache
def _maker(world: Any, name: str) -> Any:
    return world.player_maker(name)
