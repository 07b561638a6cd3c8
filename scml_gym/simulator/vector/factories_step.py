"""The compiled step of a batch of worlds in which several factories are decided from outside."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from scml_gym.game.kernels import ActionFunctions, EncoderKernel, RewardKernel
from scml_gym.jit.arrays import clear_part, part_of
from scml_gym.jit.compile import jittable
from scml_gym.jit.separate import separate
from scml_gym.simulator.compiled.advance import DAY, DECISION, OVER
from scml_gym.simulator.compiled.layout import EXTERNAL
from scml_gym.simulator.vector.batch import Batch, Source
from scml_gym.simulator.vector.rows import ERROR, compile_rows
from scml_gym.simulator.vector.step import Learners
from scml_gym.simulator.vector.track import Functions
from scml_gym.vector.jobs import BatchStep
from scml_gym.vector.loop import make_step
from scml_gym.vector.seeds import Seeds

FactoryOutputs: TypeAlias = Any
"""`scml_gym.simulator.vector.rows.Outputs`, and ``active``, bool (m,): an answer of the factory is due."""


class FactoryLearners(NamedTuple):
    """What belongs to the learners of ``n`` worlds."""

    factories: np.ndarray  # int64 (agents,), of each world: those that are decided from outside
    each: Learners  # of them, world after world; but the hidden state is of a world


Game: TypeAlias = tuple[Batch, Source, FactoryLearners]
"""The worlds, where the next ones come from, and their learners."""


@functools.cache
def compile_factories_step(
    functions: Functions, codec: ActionFunctions, encoder: EncoderKernel, full: bool, reward: RewardKernel
) -> BatchStep:
    """Compile the step of an environment, once for each combination; see `scml_gym.vector.loop.make_step`.

    Args:
        functions: Of the track.
        codec: Of the actions.
        encoder: Of the observations.
        full: Whether it reads the hidden state of all factories.
        reward: What is paid.
    """
    decode, mask, remember, _ = codec
    encode, remember_seen = separate(encoder.encode), encoder.remember
    reset, day_end, step_reward, _ = reward
    rows = compile_rows(functions)
    draw_next, advance_row, summarise_factory = rows.draw_next, rows.advance, rows.summarise_factory
    answer, fill_hidden_state = separate(functions.answer), separate(functions.fill_hidden_state)
    clear_actions, count = functions.clear_actions, functions.count

    @jittable
    def run(batch: Batch, learners: FactoryLearners, i: int) -> None:
        """On to the next decision of one of the factories or to the end, through the days that end on the way."""
        factories, each = learners.factories, learners.each
        world, first = batch.worlds[i], i * len(factories)
        status = advance_row(batch, i)
        while status == DAY:
            for a in range(len(factories)):
                view = world["views"][factories[a]]
                remember(view, each.memory[first + a])
                remember_seen(view, each.offer_history[first + a])
                profit = batch.daily[i][view["day"]][factories[a]]["profit"]
                day_end(view, profit, each.rewards[first + a])
            status = advance_row(batch, i)
        batch.rows[i]["status"] = status

    @jittable
    def observe(batch: Batch, learners: FactoryLearners, outputs: FactoryOutputs, i: int) -> None:
        """Show each factory its view, what it may answer, and what became of it where the world is over."""
        factories, each = learners.factories, learners.each
        world, status, n = batch.worlds[i], batch.rows[i]["status"], len(factories)
        hidden_state = part_of(each.hidden_state, i)
        if full:
            fill_hidden_state(world, batch.daily[i], hidden_state)
        seen, choices = part_of(outputs.observations, i), part_of(outputs.masks, i)
        size, n_choices = len(seen) // n, len(choices) // n
        seen[:] = 0.0
        for a in range(n):
            factory, j = factories[a], i * n + a
            view = world["views"][factory]
            encode(view, hidden_state, each.offer_history[j], seen[a * size : (a + 1) * size])
            mask(view, choices[a * n_choices : (a + 1) * n_choices])
            outputs.active[j] = status == DECISION and world["pending"][factory] != 0
            summarise_factory(world, factory, outputs, j, status == OVER)

    def restart(game: Game, seeds: Seeds, outputs: FactoryOutputs, i: int) -> None:
        """Start the next world; an error where it lacks one of the factories."""
        batch, source, learners = game
        factories, each = learners.factories, learners.each
        world, first = batch.worlds[i], i * len(factories)
        draw_next(batch, source, seeds, i)
        for a in range(len(factories)):
            factory, j = factories[a], first + a
            if factory >= count(world["spec"]):
                outputs.errors[j], batch.rows[i]["status"] = 1, OVER
                return
            player = world["players"][factory]
            player["kind"], player["learn"] = EXTERNAL, 0
            each.memory[j][:] = 0.0
            each.offer_history[j][:] = 0.0
            clear_part(each.rewards, j)
        run(batch, learners, i)
        for a in range(len(factories)):
            reset(world["views"][factories[a]], each.rewards[first + a])
        observe(batch, learners, outputs, i)

    def act(game: Game, outputs: FactoryOutputs, actions: np.ndarray, i: int) -> None:
        """Answer for the factories whose decision is due and run on."""
        batch, _, learners = game
        factories, each = learners.factories, learners.each
        world, row, first = batch.worlds[i], batch.rows[i], i * len(factories)
        given = part_of(actions, i)
        if row["status"] == DECISION:  # else nobody ever asked one of them
            for a in range(len(factories)):
                factory, j = factories[a], first + a
                if world["pending"][factory] == 0:
                    continue
                clear_actions(world["actions"])
                wrong = decode(part_of(given, a), world["views"][factory], each.memory[j], world["actions"])
                outputs.errors[j] = 1 + wrong
                if wrong >= 0:
                    outputs.notes[ERROR] = True
                    return
                answer(world, factory)
            run(batch, learners, i)
        done = row["status"] == OVER
        for a in range(len(factories)):
            view = world["views"][factories[a]]
            outputs.rewards[first + a] = step_reward(view, done, each.rewards[first + a])
        outputs.done[i] = done
        observe(batch, learners, outputs, i)

    return make_step(act, restart)
