"""What rows of a batch do, whatever is learned in them: get a next world, run it, tell what became of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.game.sampling import begin_sampling
from scml_gym.jit.arrays import clear_part, copy_record, part_of, scratch_bits, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.separate import separate
from scml_gym.simulator.compiled.advance import OVER
from scml_gym.simulator.compiled.player_table import place_players
from scml_gym.simulator.compiled.scores import score_of
from scml_gym.simulator.spec_pool import pool_index
from scml_gym.simulator.vector.batch import GENERATED, STAGED, Batch, Source
from scml_gym.simulator.vector.track import Functions
from scml_gym.vector.seeds import Seeds, next_seed


class Outputs(NamedTuple):
    """What a step returns, world by world, of ``m`` factories that learners play: one of each world, or more of them,
    world after world."""

    observations: np.ndarray  # (n, size)
    masks: np.ndarray  # bool (n, choices)
    rewards: np.ndarray  # float64 (m,)
    done: np.ndarray  # bool (n,)
    measures: np.ndarray  # float64 (n,): the sum of the track's measure over the days that ended
    errors: np.ndarray  # int64 (m,): 1 + what the action codec says is wrong with the action
    ended: np.ndarray  # bool (m,): there is a summary
    summaries: Any  # the track's summaries (m,)
    notes: np.ndarray  # bool (2,): some row has an error; some row has ended


ERROR, ENDED = 0, 1
"""Of the notes."""


@jittable
def is_over(row: np.void) -> bool:
    """Whether a row's next episode is in a new world, where it could go on in the old one."""
    return row["draw"] != 0 or row["status"] == OVER


class Rows(NamedTuple):
    """How the rows of a track's batches get their worlds and run them; see `compile_rows`.

    Attributes:
        draw: ``(worlds, daily, prices, state, rows, source, i)``: the world and players of a row's seed, not yet
            started; as `scml_gym.game.world_config.WorldConfig.sample`.
        draw_next: ``(batch, source, seeds, i)``: likewise of a row's next seed.
        advance: ``(batch, i) -> int``: runs a row's world until it stops.
        end_all: ``(world, factory)``: ends every negotiation that waits for the factory: where an answer is due, a
            no-op does.
        summarise: ``(batch, outputs, i, ended)``: says what became of the learner's factory in a row that has ended.
        summarise_factory: ``(world, factory, outputs, j, ended)``: says it of any factory, in place ``j``.
    """

    draw: Callable[..., None]
    draw_next: Callable[..., None]
    advance: Callable[..., int]
    end_all: Callable[..., None]
    summarise: Callable[..., None]
    summarise_factory: Callable[..., None]


@functools.cache
def compile_rows(functions: Functions) -> Rows:
    """Compile what rows of a track's batches do."""
    factories, generate, draw_players, count, begin_world, advance, _, clear_actions, _, _ = functions
    answer = separate(functions.answer)

    @separate
    def draw(
        worlds: np.ndarray,
        daily: np.ndarray,
        prices: np.ndarray,
        state: np.ndarray,
        rows: np.ndarray,
        source: Source,
        i: int,
    ) -> None:
        world, row, days = worlds[i], rows[i], part_of(daily, i)
        spec = world["spec"]
        stream = scratch_bits(1)
        spec_seed = begin_sampling(stream, row["seed"])
        if source.kind == GENERATED:
            generate(spec_seed, source.ranges, spec, days)
        else:
            index = i if source.kind == STAGED else pool_index(spec_seed, len(source.specs))
            copy_record(source.specs, index, worlds, i)
            kept = part_of(source.daily, index)
            for day in range(spec["n_days"]):
                for factory in range(factories):
                    days[day, factory] = kept[day, factory]
        choices = scratch_integers(factories)
        row["factory"], seed = draw_players(stream, spec, source.places, len(source.players), choices)
        learner = row["factory"] if source.learners > 0 else -1
        place_players(world, count(spec), source.players, choices, learner, seed, part_of(state, i))
        begin_world(world, part_of(prices, i))

    @jittable
    def draw_next(batch: Batch, source: Source, seeds: Seeds, i: int) -> None:
        row = batch.rows[i]
        row["draw"], row["seed"] = 0, next_seed(seeds, i)
        draw(batch.worlds, batch.daily, batch.prices, batch.state, batch.rows, source, i)

    @jittable
    def advance_row(batch: Batch, i: int) -> int:
        return advance(batch.worlds[i], part_of(batch.daily, i), part_of(batch.prices, i))

    @jittable
    def end_all(world: np.void, factory: int) -> None:
        clear_actions(world["actions"])
        answer(world, factory)

    @jittable
    def summarise_factory(world: np.void, factory: int, outputs: Outputs, j: int, ended: bool) -> None:
        outputs.ended[j] = ended
        clear_part(outputs.summaries, j)
        if not ended:
            return
        outputs.notes[ENDED] = True
        summary = outputs.summaries[j]
        player, initial = world["players"][factory], world["spec"]["initial_balance"][factory]
        summary["agreements"], summary["negotiations"] = player["agreements"], player["negotiations"]
        summary["decisions"], summary["profit"] = player["decisions"], player["total_profit"]
        summary["score"] = score_of(initial, player["total_profit"])
        summary["invalid_actions"], summary["bankrupt"] = player["invalid"], player["bankrupt"] > 0

    @jittable
    def summarise(batch: Batch, outputs: Outputs, i: int, ended: bool) -> None:
        summarise_factory(batch.worlds[i], batch.rows[i]["factory"], outputs, i, ended)

    return Rows(draw, draw_next, advance_row, end_all, summarise, summarise_factory)
