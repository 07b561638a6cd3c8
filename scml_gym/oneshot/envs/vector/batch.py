"""A batch of worlds as arrays, and how a row gets its next world."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from scml_gym.game.sampling import begin_sampling
from scml_gym.jit.arrays import part_of
from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.envs.sampling import draw_players
from scml_gym.oneshot.view import VIEW_DTYPE
from scml_gym.oneshot.worlds.compiled.advance import advance
from scml_gym.oneshot.worlds.compiled.day import begin_world
from scml_gym.oneshot.worlds.compiled.generation import generate
from scml_gym.oneshot.worlds.compiled.layout import WORLD_DTYPE
from scml_gym.oneshot.worlds.spec import MAX_FACTORIES
from scml_gym.oneshot.worlds.spec_record import DAILY_DTYPE, SPEC_DTYPE
from scml_gym.simulator.compiled.advance import OVER
from scml_gym.simulator.compiled.player_table import PlayerTable, place_players
from scml_gym.simulator.spec_pool import pool_index

ROW_DTYPE = np.dtype(
    [
        ("seed", np.uint64),  # of the next episode that draws a world
        ("draw", np.int64),  # the next reset draws a world
        ("factory", np.int64),  # the learner's
        ("status", np.int64),  # why the world stopped
        ("day", np.int64),  # of the running episode, where an episode is a day
        ("closed", np.int64),  # days that closed since the last decision and count for the episode
        ("hindsight", np.float64),  # their hindsight-optimal profit, in money
    ],
    align=True,
)

GENERATED, POOLED, STAGED = 0, 1, 2
"""Where specs come from: the compiled generator; a pool, by the seed; one for each row, put there from outside."""


class Batch(NamedTuple):
    """``n`` worlds and all that belongs to their rows; arrays, those of records without a type that names fields."""

    worlds: Any  # WORLD_DTYPE (n,)
    daily: np.ndarray  # DAILY_DTYPE (n, days, MAX_FACTORIES)
    prices: np.ndarray  # float64 (n, days + 1, 3)
    state: np.ndarray  # float64 (n, MAX_FACTORIES, state size), of the strategies
    rows: Any  # ROW_DTYPE (n,)
    closing: Any  # VIEW_DTYPE (n,), the last view of the last day that closed since the last decision


class Source(NamedTuple):
    """What worlds are made of."""

    players: np.ndarray  # PLAYER_DTYPE (n,)
    levels: np.ndarray  # int64, of the learner's factory
    kind: int  # GENERATED, POOLED or STAGED
    ranges: np.ndarray  # int64 (4,): days and factories a level, both ends of each
    specs: np.ndarray  # SPEC_DTYPE, of the pool or for each row
    daily: np.ndarray  # DAILY_DTYPE, likewise
    learners: int = 1  # 0: every factory is played by a player of the player_table


def allocate(n: int, days: int, moves: bool, player_table: PlayerTable) -> Batch:
    """Arrays for ``n`` worlds of at most that many days."""
    batch = Batch(
        np.zeros(n, dtype=WORLD_DTYPE),
        np.zeros((n, days, MAX_FACTORIES), dtype=DAILY_DTYPE),
        np.zeros((n, days + 1, 3)),
        np.zeros((n, MAX_FACTORIES, player_table.state_size)),
        np.zeros(n, dtype=ROW_DTYPE),
        np.zeros(n, dtype=VIEW_DTYPE),
    )
    batch.worlds["moves"] = moves
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


@compiled
def draw_world(
    worlds: np.ndarray,
    daily: np.ndarray,
    prices: np.ndarray,
    state: np.ndarray,
    rows: np.ndarray,
    source: Source,
    i: int,
) -> None:
    """The world and players of a row's seed, not yet started; as `OneShotConfig.sample`."""
    world, row, days = worlds[i], rows[i], part_of(daily, i)
    stream = np.zeros(1, dtype=np.uint64)
    spec_seed = begin_sampling(stream, row["seed"])
    if source.kind == GENERATED:
        ranges = source.ranges
        generate(spec_seed, ranges[0], ranges[1], ranges[2], ranges[3], world["spec"], days)
    else:
        index = i if source.kind == STAGED else pool_index(spec_seed, len(source.specs))
        _copy_spec(source.specs[index], part_of(source.daily, index), world["spec"], days)
    choices = np.zeros(MAX_FACTORIES, dtype=np.int64)
    factory, seed = draw_players(
        stream, world["spec"]["n_sellers"], world["spec"]["n_buyers"], source.levels, len(source.players), choices
    )
    row["factory"] = factory
    n, learner = world["spec"]["n_sellers"] + world["spec"]["n_buyers"], factory if source.learners > 0 else -1
    place_players(world, n, source.players, choices, learner, seed, part_of(state, i))
    begin_world(world, part_of(prices, i))


@jittable
def advance_row(batch: Batch, i: int) -> int:
    """`advance` for one row."""
    return advance(batch.worlds[i], part_of(batch.daily, i), part_of(batch.prices, i))


@jittable
def _copy_spec(spec: np.void, days: np.ndarray, to: np.void, daily: np.ndarray) -> None:
    to["n_sellers"], to["n_buyers"] = spec["n_sellers"], spec["n_buyers"]
    to["n_days"], to["rounds"] = spec["n_days"], spec["rounds"]
    for i in range(MAX_FACTORIES):
        to["lines"][i] = spec["lines"][i]
        to["production_cost"][i] = spec["production_cost"][i]
        to["initial_balance"][i] = spec["initial_balance"][i]
        for j in range(4):
            to["penalty_profile"][i, j] = spec["penalty_profile"][i, j]
    for i in range(3):
        to["catalog_prices"][i] = spec["catalog_prices"][i]
    for day in range(spec["n_days"]):
        for i in range(MAX_FACTORIES):
            daily[day, i] = days[day, i]


NO_SPECS = np.zeros(0, dtype=SPEC_DTYPE)
NO_DAYS = np.zeros((0, 0, MAX_FACTORIES), dtype=DAILY_DTYPE)
