"""A batch of worlds as arrays, and where the next ones come from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from scml_gym.simulator.compiled.advance import OVER
from scml_gym.simulator.compiled.player_table import PlayerTable
from scml_gym.simulator.spec_pool import ArrayPool
from scml_gym.simulator.vector.track import BatchedTrack, Layout

ROW_DTYPE = np.dtype(
    [
        ("seed", np.uint64),  # of the next episode that draws a world
        ("draw", np.int64),  # the next reset draws a world
        ("factory", np.int64),  # the learner's
        ("status", np.int64),  # why the world stopped
        ("day", np.int64),  # of the running episode, where an episode is a day
        ("closed", np.int64),  # days that closed since the last decision and count for the episode
        ("measure", np.float64),  # the sum of the track's measure over them
        ("mates", np.float64),  # what mates were paid since the last step, by their weights
    ],
    align=True,
)

GENERATED, POOLED, STAGED = 0, 1, 2
"""Where specs come from: the compiled generator; a pool, by the seed; one for each row, put there from outside."""


class Batch(NamedTuple):
    """``n`` worlds and all that belongs to their rows; arrays, those of records without a type that names fields."""

    worlds: Any  # the track's worlds (n,)
    daily: np.ndarray  # its days (n, days, factories)
    prices: np.ndarray  # float64 (n, days + 1, products)
    state: np.ndarray  # float64 (n, factories, state size), of the strategies
    rows: Any  # ROW_DTYPE (n,)
    closing: Any  # the track's views (n,): the last view of the last day that closed since the last decision


class Source(NamedTuple):
    """What worlds are made of."""

    players: np.ndarray  # PLAYER_DTYPE (n,)
    places: np.ndarray  # int64, of the learner's factory
    kind: int  # GENERATED, POOLED or STAGED
    ranges: np.ndarray  # int64, both ends of each
    specs: np.ndarray  # the track's specs, of the pool or for each row
    daily: np.ndarray  # its days, likewise
    learners: int = 1  # 0: every factory is played by a player of the player_table


def make_source(track: BatchedTrack, config: Any, player_table: PlayerTable, num_envs: int) -> tuple[Source, int]:
    """Where the worlds of a config come from, and the most days that one of them has."""
    spec_dtype, factories = track.layout.world["spec"], track.layout.factories
    ranges = track.ranges(config)
    kind, specs = GENERATED, np.zeros(0, dtype=spec_dtype)
    daily = np.zeros((0, 0, factories), dtype=track.layout.daily)
    if config.spec is not None:
        kind, specs = POOLED, np.zeros(1, dtype=spec_dtype)
        daily = np.zeros((1, config.spec.n_days, factories), dtype=track.layout.daily)
        track.fill_spec(config.spec, specs[0], daily[0])
    elif isinstance(config.generate, ArrayPool):
        kind, (specs, daily) = POOLED, config.generate.select(*ranges).records()
    elif config.generate is not track.generator:
        kind, specs = STAGED, np.zeros(num_envs, dtype=spec_dtype)
        daily = np.zeros((num_envs, ranges[0][1], factories), dtype=track.layout.daily)
    most_days = ranges[0][1] if kind == GENERATED else daily.shape[1]
    ends = np.array([end for pair in ranges for end in pair])
    return Source(player_table.players.copy(), track.places(config), kind, ends, specs, daily), most_days


def allocate(layout: Layout, n: int, days: int, settings: dict[str, int], player_table: PlayerTable) -> Batch:
    """Arrays for ``n`` worlds of at most that many days, with those settings."""
    batch = Batch(
        np.zeros(n, dtype=layout.world),
        np.zeros((n, days, layout.factories), dtype=layout.daily),
        np.zeros((n, days + 1, layout.products)),
        np.zeros((n, layout.factories, player_table.state_size)),
        np.zeros(n, dtype=ROW_DTYPE),
        np.zeros(n, dtype=layout.view),
    )
    for name, value in settings.items():
        batch.worlds[name] = value
    batch.rows["status"] = OVER
    return batch


def widen_state(batch: Batch, size: int) -> Batch:
    """The batch with room for strategies that remember so many numbers; what the running ones remember is kept."""
    n, factories, before = batch.state.shape
    if size <= before:
        return batch
    state = np.zeros((n, factories, size))
    state[:, :, :before] = batch.state
    batch = batch._replace(state=state)
    point_to_state(batch)
    return batch


def point_to_state(batch: Batch) -> None:
    """Tell the players of all worlds where the batch has what their strategies remember."""
    n, factories, size = batch.state.shape
    offsets = np.arange(n * factories).reshape(n, factories) * size * batch.state.itemsize
    batch.worlds["players"]["state"] = batch.state.ctypes.data + offsets
