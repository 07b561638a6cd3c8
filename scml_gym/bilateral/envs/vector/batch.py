"""Rows of bilateral negotiations: each with its own scenario, sides, rounds and reward, played in compiled code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from scml_gym.bilateral.envs.codecs import BilateralCodec
from scml_gym.bilateral.envs.vector.step import (
    BAD_ACCEPT_REWARD,
    BAD_OFFER_REWARD,
    FAILED,
    INVALID,
    NO_ACTION,
    REWARD_DTYPE,
    Negotiations,
    Results,
    compile_step,
)
from scml_gym.bilateral.rewards import BilateralReward, reward_error
from scml_gym.bilateral.scenarios.base import Scenario
from scml_gym.bilateral.worlds.compiled.calls import reward_address
from scml_gym.bilateral.worlds.compiled.layout import GAME_DTYPE, check_game, fill_game, point_game
from scml_gym.bilateral.worlds.protocol import Negotiation
from scml_gym.bilateral.worlds.table_world import check_opponent
from scml_gym.core.copying import Independent
from scml_gym.core.errors import InputError
from scml_gym.vector.jobs import BatchStep
from scml_gym.vector.loop import ACT, REST, RESTART
from scml_gym.vector.workers import Workers


class Row(NamedTuple):
    """What a row plays: ``negotiation(seed)`` of an episode's seed, and what it rewards."""

    negotiation: Callable[[int], Negotiation]
    reward: BilateralReward


class NegotiationBatch(Independent):
    """Rows that are reset and stepped by index. A copy plays on by itself, in its own thread until `run_by`.

    Args:
        codec: Of the learner's side, the same in all rows.
        rows: One for each.
        in_threads: What runs a step; by default this thread alone.

    Raises:
        InputError: if an opponent is a negmas negotiator, or a strategy or reward does not compile.
    """

    def __init__(
        self, codec: BilateralCodec, rows: Sequence[Row], in_threads: Callable[[BatchStep], Workers] = Workers
    ):
        n = len(rows)
        self.codec, self._rows = codec, rows
        self.run_by(in_threads)
        self._no_seeds, self._no_actions = np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.int64)
        history = np.zeros((n, codec.history, 2), dtype=np.float32)
        self._batch = Negotiations(np.zeros(n, dtype=GAME_DTYPE), np.zeros(n, dtype=REWARD_DTYPE), history)
        self._played: list[Negotiation | None] = [None] * n
        self._memory: list[Any] = [None] * n
        self._batch.rewards["failure_penalty"] = [row.reward.failure_penalty for row in rows]
        self._point_to_rewards()
        for i in range(n):
            self._fill(i, 0)

    def run_by(self, in_threads: Callable[[BatchStep], Workers]) -> None:
        """Let threads run the rows."""
        self._step = in_threads(compile_step(self.codec.kernel))

    def _point_to_rewards(self) -> None:
        for paid, (_, reward) in zip(self._batch.rewards, self._rows, strict=True):
            paid["accept"] = reward_address(reward.accept)
            paid["offer"] = reward_address(reward.offer)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_step"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.run_by(Workers)
        self._point_to_rewards()
        for game, negotiation, memory in zip(self._batch.games, self._played, self._memory, strict=True):
            if negotiation is not None:
                point_game(game, negotiation, memory)

    @property
    def views(self) -> np.ndarray:
        """What the learner's sides see, ``VIEW_DTYPE``, shape ``(n,)``: live records."""
        return self._batch.games["view"]

    def scenario(self, i: int) -> Scenario:
        """What a row negotiates about."""
        played = self._played[i]
        assert played is not None, "all rows are filled at first"
        return played.scenario

    @property
    def invalid(self) -> np.ndarray:
        """In which rows the last action was invalid, bool, shape ``(n,)``."""
        return self._batch.rewards["invalid"] > 0

    def new_results(self) -> Results:
        """Arrays for one step."""
        n = len(self._rows)
        observations = np.zeros((n, self.codec.size), dtype=np.float32)
        masks = np.zeros((n, self.codec.n_choices), dtype=np.bool_)
        return Results(observations, masks, np.zeros(n), np.zeros(n, dtype=np.bool_))

    def reset(self, indices: np.ndarray, seeds: np.ndarray, results: Results) -> None:
        """Begin a negotiation in some rows.

        Args:
            indices: int64, of the rows.
            seeds: uint64, of their episodes, as long as ``indices``.
            results: Gets observations and masks of these rows.

        Raises:
            InputError: if a strategy fails or offers what is no outcome; the other rows have begun.
        """
        for i, seed in zip(indices, seeds, strict=True):
            self._fill(int(i), int(seed))
        given = self._no_seeds.copy()
        given[indices] = seeds
        self._run(RESTART, indices, given, self._no_actions, results)
        self._check(indices)

    def step(self, actions: np.ndarray, indices: np.ndarray, results: Results) -> None:
        """Answer in some rows, and on to their next turns.

        Args:
            actions: int64, shape ``(n,)``.
            indices: int64, of the rows.
            results: Gets what these rows return.

        Raises:
            InputError: if an action is outside the action space, a strategy fails or offers what is no outcome, or a
                reward is no finite number; the other rows have moved on.
        """
        self._run(ACT, indices, self._no_seeds, actions, results)
        self._check(indices, actions)

    def _run(self, task: int, indices: np.ndarray, seeds: np.ndarray, actions: np.ndarray, results: Results) -> None:
        tasks = np.full(len(self._rows), REST, dtype=np.uint8)
        tasks[indices] = task
        self._step(len(tasks), self._batch, seeds, results, tasks, actions)

    def _check(self, indices: np.ndarray, actions: np.ndarray | None = None) -> None:
        """Refuse what went wrong in the first such row; see `scml_gym.bilateral.envs.vector.step.REWARD_DTYPE`."""
        wrong = self._batch.rewards["invalid"][indices] > INVALID
        if not wrong.any():
            return
        i = int(indices[np.argmax(wrong)])
        problem, reward, played = self._batch.rewards["invalid"][i], self._rows[i].reward, self._played[i]
        try:
            if problem == NO_ACTION and actions is not None:
                raise InputError(f"action {actions[i]}; valid: {self.codec.action_space}")
            if problem == FAILED and played is not None:
                check_game(self._batch.games[i], played)
            part = {BAD_OFFER_REWARD: reward.offer, BAD_ACCEPT_REWARD: reward.accept}[int(problem)]
            raise reward_error(part)
        except InputError as error:
            raise InputError(f"row {i}: {error}") from None

    def _fill(self, i: int, seed: int) -> None:
        """Fill in the sides of a row's next negotiation, where they are others than before."""
        negotiation = self._rows[i].negotiation(seed)
        if negotiation is not self._played[i]:
            check_opponent(negotiation)
            self._memory[i] = fill_game(self._batch.games[i], negotiation)
            self._played[i] = negotiation
