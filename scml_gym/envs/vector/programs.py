"""The compiled step and reset of a batch, made of an action form, an encoder and a reward."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.compiling import compiled, jittable
from scml_gym.envs.vector.batch import Batch, Source, advance_row, draw_world
from scml_gym.envs.vector.sharing import Share, has_next, position
from scml_gym.ideal import ideal_profit
from scml_gym.reward_kernels import RewardKernel
from scml_gym.uncounted import lend
from scml_gym.view import MAX_PARTNERS, NOOP, PRIVATE_DTYPE
from scml_gym.worlds.compiled.advance import DAY, DECISION, OVER, fill_privates
from scml_gym.worlds.compiled.seats import answer


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


class Programs(NamedTuple):
    """Compiled functions over a `Share` of the rows ``indices`` of a batch."""

    reset: Callable[..., None]
    step: Callable[..., None]


@functools.cache
def make_programs(form: ActionKernel, encode: Any, full: bool, reward: RewardKernel, per_day: bool) -> Programs:
    """Compile the programs of an environment, once for each combination.

    Args:
        form: Of the actions.
        encode: ``(view, privates, frames, out)``.
        full: Whether it reads the private fields of all factories.
        reward: What is paid.
        per_day: Whether an episode is a day instead of a world.
    """
    decode, mask, remember = form
    begin, close, pay, _ = reward
    n_privates = 2 * MAX_PARTNERS if full else 0

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
                row["ideal"] += ideal_profit(view)
                row["closed"] += 1
                if per_day:
                    batch.closing[i] = view
            status = advance_row(batch, i)
        row["status"] = status

    @jittable
    def observe(batch: Batch, outputs: Outputs, privates: np.ndarray, i: int, done: bool) -> Any:
        """Show the row's view, or, where an episode is a day, how the day ended."""
        world, row = batch.worlds[i], batch.rows[i]
        view = batch.closing[i] if per_day and done else world["views"][row["factory"]]
        if full:
            fill_privates(world, batch.daily[i], privates)
        frames = batch.frames[i].copy() if done else batch.frames[i]  # an end is no decision to be remembered
        encode(view, privates, frames, outputs.observations[i])
        mask(view, outputs.masks[i])
        return view

    @compiled
    def reset(batch: Batch, source: Source, outputs: Outputs, indices: np.ndarray, share: Share) -> None:
        batch, outputs = lend(batch), lend(outputs)
        privates = np.zeros(n_privates, dtype=PRIVATE_DTYPE)
        taken = 0
        while has_next(share, taken):
            i = indices[position(share, taken)]
            taken += 1
            world, row = batch.worlds[i], batch.rows[i]
            row["closed"], row["ideal"] = 0, 0.0
            if row["draw"] != 0:
                draw_world(batch.worlds, batch.daily, batch.prices, batch.state, batch.rows, source, i)
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
            observe(batch, outputs, privates, i, False)

    @compiled
    def step(batch: Batch, actions: np.ndarray, outputs: Outputs, indices: np.ndarray, share: Share) -> None:
        batch, outputs = lend(batch), lend(outputs)
        privates = np.zeros(n_privates, dtype=PRIVATE_DTYPE)
        taken = 0
        while has_next(share, taken):
            i = indices[position(share, taken)]
            taken += 1
            world, row = batch.worlds[i], batch.rows[i]
            view = world["views"][row["factory"]]
            if row["status"] == DECISION:  # else nobody ever asked the learner
                clear(world["actions"])
                wrong = decode(actions[i], view, batch.memory[i], world["actions"])
                row["error"] = 1 + wrong
                if wrong >= 0:
                    continue
                answer(world, row["factory"])
                run(batch, i)
            done = row["closed"] > 0 if per_day else row["status"] == OVER
            seen = observe(batch, outputs, privates, i, done)
            outputs.rewards[i] = pay(seen, done, batch.rewards[i])
            outputs.done[i] = done
            outputs.ideal[i] = row["ideal"]
            row["closed"], row["ideal"] = 0, 0.0

    return Programs(reset, step)


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
