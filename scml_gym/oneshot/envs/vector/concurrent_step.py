"""The compiled step of a batch of joint decisions, made of an action codec, an encoder and a reward."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from scml_gym.game.kernels import ActionFunctions, RewardKernel
from scml_gym.jit.arrays import part_of
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.envs.vector.batch import Batch, Source, advance_row, draw_world
from scml_gym.oneshot.rewards.hindsight import hindsight_profit
from scml_gym.oneshot.view import HIDDEN_DTYPE, MAX_PARTNERS
from scml_gym.oneshot.worlds.compiled.advance import fill_hidden_state
from scml_gym.oneshot.worlds.compiled.negotiation import answer, clear_actions
from scml_gym.simulator.compiled.advance import DAY, DECISION, OVER
from scml_gym.simulator.compiled.scores import score_of
from scml_gym.vector.jobs import BatchStep
from scml_gym.vector.loop import make_step
from scml_gym.vector.seeds import Seeds, next_seed


class Outputs(NamedTuple):
    """What a step returns, row by row."""

    observations: np.ndarray  # float32 (n, size)
    masks: np.ndarray  # bool (n, choices)
    rewards: np.ndarray  # float64 (n,)
    done: np.ndarray  # bool (n,)
    hindsight: np.ndarray  # float64 (n,)
    errors: np.ndarray  # int64 (n,): 1 + what the action codec says is wrong with the action
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


class Learners(NamedTuple):
    """What belongs to the learners of ``n`` rows."""

    memory: np.ndarray  # float64 (n, size), of the action codec
    offer_history: np.ndarray  # float32 (n, history, MAX_PARTNERS, 4), of the encoder
    rewards: np.ndarray  # (n,) of the reward's dtype
    hidden_state: np.ndarray  # HIDDEN_DTYPE (n, 2 * MAX_PARTNERS), or (n, 0) where the encoder does not read it


def new_learners(n: int, memory_size: int, history: int, reward_dtype: np.dtype, full: bool) -> Learners:
    """Arrays for ``n`` learners."""
    return Learners(
        np.zeros((n, memory_size)),
        np.zeros((n, history, MAX_PARTNERS, 4), dtype=np.float32),
        np.zeros(n, dtype=reward_dtype),
        np.zeros((n, 2 * MAX_PARTNERS if full else 0), dtype=HIDDEN_DTYPE),
    )


Game: TypeAlias = tuple[Batch, Source, Learners]
"""The worlds, where the next ones come from, and their learners."""


@functools.cache
def compile_step(codec: ActionFunctions, encode: Any, full: bool, reward: RewardKernel, per_day: bool) -> BatchStep:
    """Compile the step of an environment, once for each combination; see `scml_gym.vector.loop.make_step`.

    Args:
        codec: Of the actions.
        encode: ``(view, hidden_state, offer_history, out)``.
        full: Whether it reads the hidden state of all factories.
        reward: What is paid.
        per_day: Whether an episode is a day instead of a world.
    """
    decode, mask, remember = codec
    reset, day_end, step_reward, _ = reward

    @jittable
    def run(batch: Batch, learners: Learners, i: int) -> None:
        """On to the learner's next decision or to the end, through the days that end on the way."""
        world, row = batch.worlds[i], batch.rows[i]
        view = world["views"][row["factory"]]
        status = advance_row(batch, i)
        while status == DAY:
            remember(view, learners.memory[i])
            if not per_day or view["day"] == row["day"]:
                day_end(view, batch.daily[i][view["day"]][row["factory"]]["profit"], learners.rewards[i])
                row["hindsight"] += hindsight_profit(view)
                row["closed"] += 1
                if per_day:
                    batch.closing[i] = view
            status = advance_row(batch, i)
        row["status"] = status

    @jittable
    def observe(batch: Batch, learners: Learners, outputs: Outputs, i: int, done: bool) -> Any:
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
        return view

    @jittable
    def restart(game: Game, seeds: Seeds, outputs: Outputs, i: int) -> None:
        """Start a row's next episode."""
        batch, source, learners = game
        world, row = batch.worlds[i], batch.rows[i]
        row["closed"], row["hindsight"] = 0, 0.0
        if not per_day or is_over(row):
            draw_next_world(batch, source, seeds, i)
            learners.memory[i][:] = 0.0
            learners.offer_history[i][:] = 0.0
            row["day"] = -1
            zero(learners.rewards, i)
            run(batch, learners, i)
        else:
            while row["status"] == DECISION and world["views"][row["factory"]]["day"] == row["day"]:
                end_all(world, row["factory"])
                run(batch, learners, i)
            zero(learners.rewards, i)
            row["closed"], row["hindsight"] = 0, 0.0
        view = world["views"][row["factory"]]
        row["day"] = view["day"]
        reset(view, learners.rewards[i])
        observe(batch, learners, outputs, i, False)

    @jittable
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
        seen = observe(batch, learners, outputs, i, done)
        outputs.rewards[i] = step_reward(seen, done, learners.rewards[i])
        outputs.done[i] = done
        outputs.hindsight[i] = row["hindsight"]
        row["closed"], row["hindsight"] = 0, 0.0

    return make_step(act, restart)


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
        player, summary = world["players"][row["factory"]], outputs.summaries[i]
        initial = world["spec"]["initial_balance"][row["factory"]]
        summary["agreements"], summary["negotiations"] = player["agreements"], player["negotiations"]
        summary["decisions"], summary["profit"] = player["decisions"], player["total_profit"]
        summary["score"] = score_of(initial, player["total_profit"])
        summary["invalid_actions"], summary["bankrupt"] = player["invalid"], player["bankrupt"] > 0


@jittable
def end_all(world: np.void, factory: int) -> None:
    """End every negotiation that waits for the factory: where an answer is due, a no-op does."""
    clear_actions(world["actions"])
    answer(world, factory)


@jittable
def zero(records: np.ndarray, i: int) -> None:
    """Set every byte of a record to 0."""
    records[i : i + 1].view(np.uint8)[:] = 0
