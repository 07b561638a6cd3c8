"""The compiled step of a batch of joint decisions, made of a track, an action codec, an encoder and a reward."""

from __future__ import annotations

import functools
from typing import NamedTuple, TypeAlias

import numpy as np

from scml_gym.game.kernels import ActionFunctions, EncoderKernel, RewardKernel
from scml_gym.jit.arrays import clear_part, part_of
from scml_gym.jit.compile import jittable
from scml_gym.jit.separate import separate
from scml_gym.simulator.compiled.advance import DAY, DECISION, OVER
from scml_gym.simulator.vector.batch import Batch, Source
from scml_gym.simulator.vector.rows import ERROR, Outputs, compile_rows, is_over
from scml_gym.simulator.vector.track import Functions, Layout
from scml_gym.vector.jobs import BatchStep
from scml_gym.vector.loop import make_step
from scml_gym.vector.seeds import Seeds


class Learners(NamedTuple):
    """What belongs to the learners of ``n`` rows."""

    memory: np.ndarray  # float64 (n, size), of the action codec
    offer_history: np.ndarray  # float32 (n, history, partners, features), of the encoder
    rewards: np.ndarray  # (2 n,) of the reward's dtype: of the learner, and scratch, of a mate
    hidden_state: np.ndarray  # the track's (n, factories), or (n, 0) where the encoder does not read it


def new_learners(
    layout: Layout, n: int, memory_size: int, history: tuple[int, ...], reward_dtype: np.dtype, full: bool
) -> Learners:
    """Arrays for ``n`` learners."""
    return Learners(
        np.zeros((n, memory_size)),
        np.zeros((n, *history), dtype=np.float32),
        np.zeros(2 * n, dtype=reward_dtype),
        np.zeros((n, layout.factories if full else 0), dtype=layout.hidden),
    )


Game: TypeAlias = tuple[Batch, Source, Learners]
"""The worlds, where the next ones come from, and their learners."""


@functools.cache
def compile_step(
    functions: Functions,
    codec: ActionFunctions,
    encoder: EncoderKernel,
    full: bool,
    reward: RewardKernel,
    per_day: bool,
    mates: bool = False,
) -> BatchStep:
    """Compile the step of an environment, once for each combination; see `scml_gym.vector.loop.make_step`.

    Args:
        functions: Of the track.
        codec: Of the actions.
        encoder: Of the observations.
        full: Whether it reads the hidden state of all factories.
        reward: What is paid.
        per_day: Whether an episode is a day instead of a world.
        mates: Whether the learner is paid for its mates, too.
    """
    decode, mask, remember, go_on = codec
    encode, remember_seen = separate(encoder.encode), encoder.remember
    reset, day_end, step_reward, _ = reward
    _, draw_next, advance_row, end_all, summarise, _ = compile_rows(functions)
    answer, clear_actions = separate(functions.answer), functions.clear_actions
    count = functions.count
    fill_hidden_state, measure = separate(functions.fill_hidden_state), separate(functions.measure)

    @jittable
    def pay_mates(batch: Batch, learners: Learners, i: int) -> None:
        """Pay the learner what its mates earned on the day that closes."""
        world, place = batch.worlds[i], len(learners.rewards) // 2 + i
        scratch = learners.rewards[place]
        for factory in range(count(world["spec"])):
            weight = world["players"][factory]["mate"]
            if weight == 0.0:
                continue
            view = world["views"][factory]
            clear_part(learners.rewards, place)
            reset(view, scratch)
            day_end(view, batch.daily[i][view["day"]][factory]["profit"], scratch)
            batch.rows[i]["mates"] += weight * step_reward(view, True, scratch)

    @jittable
    def run_on(batch: Batch, learners: Learners, i: int) -> None:
        """On to the factory's next decision or to the end, through the days that end on the way."""
        world, row = batch.worlds[i], batch.rows[i]
        view = world["views"][row["factory"]]
        status = advance_row(batch, i)
        while status == DAY:
            remember(view, learners.memory[i])
            remember_seen(view, learners.offer_history[i])
            if not per_day or view["day"] == row["day"]:
                day_end(view, batch.daily[i][view["day"]][row["factory"]]["profit"], learners.rewards[i])
                if mates:
                    pay_mates(batch, learners, i)
                row["measure"] += measure(view)
                row["closed"] += 1
                if per_day:
                    batch.closing[i] = view
            status = advance_row(batch, i)
        row["status"] = status

    @jittable
    def run(batch: Batch, learners: Learners, i: int) -> None:
        """On to the learner's next decision, through those that follow from an earlier one, or to the end."""
        world, row = batch.worlds[i], batch.rows[i]
        run_on(batch, learners, i)
        view, memory = world["views"][row["factory"]], learners.memory[i]
        while row["status"] == DECISION and go_on(view, memory, world["actions"]):
            answer(world, row["factory"])
            run_on(batch, learners, i)

    @jittable
    def observe(batch: Batch, learners: Learners, outputs: Outputs, i: int, done: bool) -> None:
        """Show the row's view, or, where an episode is a day, how the day ended."""
        world, row = batch.worlds[i], batch.rows[i]
        view = batch.closing[i] if per_day and done else world["views"][row["factory"]]
        hidden_state = part_of(learners.hidden_state, i)
        if full:
            fill_hidden_state(world, batch.daily[i], hidden_state)
        outputs.observations[i][:] = 0.0
        history = learners.offer_history[i]
        if done:
            history = history.copy()  # an end is no decision to be remembered
        encode(view, hidden_state, history, outputs.observations[i])
        mask(view, outputs.masks[i])
        summarise(batch, outputs, i, row["status"] == OVER)

    def restart(game: Game, seeds: Seeds, outputs: Outputs, i: int) -> None:
        """Start a row's next episode."""
        batch, source, learners = game
        world, row = batch.worlds[i], batch.rows[i]
        row["closed"], row["measure"], row["mates"] = 0, 0.0, 0.0
        if not per_day or is_over(row):
            draw_next(batch, source, seeds, i)
            learners.memory[i][:] = 0.0
            learners.offer_history[i][:] = 0.0
            row["day"] = -1
            clear_part(learners.rewards, i)
            run(batch, learners, i)
        else:
            while row["status"] == DECISION and world["views"][row["factory"]]["day"] == row["day"]:
                end_all(world, row["factory"])
                run(batch, learners, i)
            clear_part(learners.rewards, i)
            row["closed"], row["measure"], row["mates"] = 0, 0.0, 0.0
        view = world["views"][row["factory"]]
        row["day"] = view["day"]
        reset(view, learners.rewards[i])
        observe(batch, learners, outputs, i, False)

    def act(game: Game, outputs: Outputs, actions: np.ndarray, i: int) -> None:
        """Answer in a row and run on."""
        batch, _, learners = game
        world, row = batch.worlds[i], batch.rows[i]
        view = world["views"][row["factory"]]
        if row["status"] == DECISION:  # else nobody ever asked the learner
            clear_actions(world["actions"])
            wrong = decode(part_of(actions, i), view, learners.memory[i], world["actions"])
            outputs.errors[i] = 1 + wrong
            if wrong >= 0:
                outputs.notes[ERROR] = True
                return
            answer(world, row["factory"])
            run(batch, learners, i)
        done = row["closed"] > 0 if per_day else row["status"] == OVER
        observe(batch, learners, outputs, i, done)
        outputs.rewards[i] = step_reward(batch.closing[i] if per_day and done else view, done, learners.rewards[i])
        if mates:
            outputs.rewards[i] += row["mates"]
            row["mates"] = 0.0
        outputs.done[i] = done
        outputs.measures[i] = row["measure"]
        row["closed"], row["measure"] = 0, 0.0

    return make_step(act, restart)
