"""The compiled program of a batch, made of an action form, an encoder and a reward."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.jit.arrays import part_of
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.envs.vector.batch import Batch, Source, advance_row, draw_world
from scml_gym.oneshot.rewards.hindsight import hindsight_profit
from scml_gym.oneshot.rewards.kernels import RewardKernel
from scml_gym.oneshot.rules import score_of
from scml_gym.oneshot.view import HIDDEN_DTYPE, MAX_PARTNERS, NOOP
from scml_gym.oneshot.worlds.compiled.advance import DAY, DECISION, OVER, fill_hidden_state
from scml_gym.oneshot.worlds.compiled.players import answer
from scml_gym.vector.jobs import Counters, SharedProgram, shared, take
from scml_gym.vector.seeds import Seeds, next_seed


class ActionKernel(NamedTuple):
    """An action form as compiled code takes it.

    Attributes:
        decode: ``(action, view, memory, actions) -> int``: -1, or what is wrong with the action.
        mask: ``(view, out)``.
        remember: ``(view, memory)``: a day's last view.
    """

    decode: Callable[..., int]
    mask: Callable[..., None]
    remember: Callable[..., None]


class Outputs(NamedTuple):
    """What a step returns, row by row."""

    observations: np.ndarray  # float32 (n, size)
    masks: np.ndarray  # bool (n, choices)
    rewards: np.ndarray  # float64 (n,)
    done: np.ndarray  # bool (n,)
    ideal: np.ndarray  # float64 (n,)
    errors: np.ndarray  # int64 (n,): 1 + what the action form says is wrong with the action
    ended: np.ndarray  # bool (n,): there is a summary
    summaries: Any  # SUMMARY_DTYPE (n,)
    notes: np.ndarray  # bool (2,): some row has an error; some row has ended


ERROR, ENDED = 0, 1
"""Of the notes."""


SUMMARY_DTYPE = np.dtype(
    [
        ("agreements", np.int64),
        ("negotiations", np.int64),
        ("decisions", np.int64),
        ("score", np.float64),
        ("profit", np.float64),  # money
        ("invalid_actions", np.int64),
        ("bankrupt", np.bool_),
    ],
    align=True,
)
"""What became of the learner's factory; as `World.summary`."""


ACT, RESTART, REST = 0, 1, 2
"""What a row does in a run of the program: it answers and runs on to its next decision, starts its next episode, or
stays as it is."""


@functools.cache
def make_program(form: ActionKernel, encode: Any, full: bool, reward: RewardKernel, per_day: bool) -> SharedProgram:
    """Compile the program of an environment, once for each combination; one for all tasks, as it takes long.

    Its arguments are ``(batch, source, seeds, outputs, tasks, actions)``, with the tasks, uint8 ``(n,)``, of all rows.

    Args:
        form: Of the actions.
        encode: ``(view, hidden_state, frames, out)``.
        full: Whether it reads the private fields of all factories.
        reward: What is paid.
        per_day: Whether an episode is a day instead of a world.
    """
    decode, mask, remember = form
    begin, close, pay, _ = reward
    n_hidden = 2 * MAX_PARTNERS if full else 0

    @jittable
    def run(batch: Batch, i: int) -> None:
        """On to the learner's next decision or to the end, through the days that close on the way."""
        world, row = batch.worlds[i], batch.rows[i]
        view = world["views"][row["factory"]]
        status = advance_row(batch, i)
        while status == DAY:
            remember(view, batch.memory[i])
            if not per_day or view["day"] == row["day"]:
                close(view, batch.daily[i][view["day"]][row["factory"]]["profit"], batch.rewards[i])
                row["ideal"] += hindsight_profit(view)
                row["closed"] += 1
                if per_day:
                    batch.closing[i] = view
            status = advance_row(batch, i)
        row["status"] = status

    @jittable
    def observe(batch: Batch, outputs: Outputs, hidden_state: np.ndarray, i: int, done: bool) -> Any:
        """Show the row's view, or, where an episode is a day, how the day ended."""
        world, row = batch.worlds[i], batch.rows[i]
        view = batch.closing[i] if per_day and done else world["views"][row["factory"]]
        if full:
            fill_hidden_state(world, batch.daily[i], hidden_state)
        outputs.observations[i][:] = 0.0
        frames = batch.frames[i].copy() if done else batch.frames[i]  # an end is no decision to be remembered
        encode(view, hidden_state, frames, outputs.observations[i])
        mask(view, outputs.masks[i])
        summarise(batch, outputs, i, row["status"] == OVER)
        return view

    @jittable
    def restart(batch: Batch, source: Source, seeds: Seeds, outputs: Outputs, hidden_state: np.ndarray, i: int) -> None:
        """Start a row's next episode."""
        world, row = batch.worlds[i], batch.rows[i]
        row["closed"], row["ideal"] = 0, 0.0
        if not per_day or is_over(row):
            draw_next_world(batch, source, seeds, i)
            batch.memory[i][:] = 0.0
            batch.frames[i][:] = 0.0
            row["day"] = -1
            zero(batch.rewards, i)
            run(batch, i)
        else:
            while row["status"] == DECISION and world["views"][row["factory"]]["day"] == row["day"]:
                end_all(world, row["factory"])
                run(batch, i)
            zero(batch.rewards, i)
            row["closed"], row["ideal"] = 0, 0.0
        view = world["views"][row["factory"]]
        row["day"] = view["day"]
        begin(view, batch.rewards[i])
        observe(batch, outputs, hidden_state, i, False)

    @jittable
    def act(batch: Batch, outputs: Outputs, hidden_state: np.ndarray, action: np.ndarray, i: int) -> None:
        """Answer in a row and run on."""
        world, row = batch.worlds[i], batch.rows[i]
        view = world["views"][row["factory"]]
        if row["status"] == DECISION:  # else nobody ever asked the learner
            clear(world["actions"])
            wrong = decode(action, view, batch.memory[i], world["actions"])
            outputs.errors[i] = 1 + wrong
            if wrong >= 0:
                outputs.notes[ERROR] = True
                return
            answer(world, row["factory"])
            run(batch, i)
        done = row["closed"] > 0 if per_day else row["status"] == OVER
        seen = observe(batch, outputs, hidden_state, i, done)
        outputs.rewards[i] = pay(seen, done, batch.rewards[i])
        outputs.done[i] = done
        outputs.ideal[i] = row["ideal"]
        row["closed"], row["ideal"] = 0, 0.0

    @shared
    @jittable
    def play(arguments: tuple[Batch, Source, Seeds, Outputs, np.ndarray, np.ndarray], counters: Counters) -> None:
        batch, source, seeds, outputs, tasks, actions = arguments
        hidden_state = np.zeros(n_hidden, dtype=HIDDEN_DTYPE)
        low, high = take(counters)
        while low < high:
            for i in range(low, high):
                if tasks[i] == ACT:
                    act(batch, outputs, hidden_state, part_of(actions, i), i)
                elif tasks[i] == RESTART:
                    restart(batch, source, seeds, outputs, hidden_state, i)
            low, high = take(counters)

    return play


@jittable
def is_over(row: np.void) -> bool:
    """Whether a row's next episode is in a new world, where it could go on in the old one."""
    return row["draw"] != 0 or row["status"] == OVER


@jittable
def draw_next_world(batch: Batch, source: Source, seeds: Seeds, i: int) -> None:
    """`draw_world` of a row's next seed."""
    row = batch.rows[i]
    row["draw"], row["seed"] = 0, next_seed(seeds, i)
    draw_world(batch.worlds, batch.daily, batch.prices, batch.state, batch.rows, source, i)


@jittable
def summarise(batch: Batch, outputs: Outputs, i: int, ended: bool) -> None:
    """Say what became of the learner's factory in a row that has ended."""
    world, row = batch.worlds[i], batch.rows[i]
    outputs.ended[i] = ended
    zero(outputs.summaries, i)
    if ended:
        outputs.notes[ENDED] = True
        seat, summary = world["players"][row["factory"]], outputs.summaries[i]
        initial = world["spec"]["initial_balance"][row["factory"]]
        summary["agreements"], summary["negotiations"] = seat["agreements"], seat["negotiations"]
        summary["decisions"], summary["profit"] = seat["decisions"], seat["total_profit"]
        summary["score"] = score_of(initial, seat["total_profit"])
        summary["invalid_actions"], summary["bankrupt"] = seat["invalid"], seat["bankrupt"] > 0


@jittable
def clear(actions: np.ndarray) -> None:
    """Make all answers no-ops."""
    for k in range(MAX_PARTNERS):
        actions[k]["response"] = NOOP
        actions[k]["quantity"] = 0
        actions[k]["price"] = 0


@jittable
def end_all(world: np.void, factory: int) -> None:
    """End every negotiation that waits for the factory: where an answer is due, a no-op does."""
    clear(world["actions"])
    answer(world, factory)


@jittable
def zero(records: np.ndarray, i: int) -> None:
    """Set every byte of a record to 0."""
    records[i : i + 1].view(np.uint8)[:] = 0
