"""A game whose state is one record, many at once: a native vector environment against strategies called by address."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import MOST_ENVS, named_arguments, whole
from scml_gym.core.errors import InputError
from scml_gym.game.calls import PLAYER_DTYPE, call_decide, call_learn, fill_player
from scml_gym.game.strategy import StrategyPolicy
from scml_gym.jit.arrays import scratch_floats
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import N_DRAWS, fill_draws
from scml_gym.vector.env import SINGLE, Information, RowVectorEnv
from scml_gym.vector.jobs import BatchStep
from scml_gym.vector.loop import ACT, REST, RESTART, make_step
from scml_gym.vector.records import RecordFunctions, RecordGame, load_game, outside
from scml_gym.vector.seeds import Seeds, next_seed


class RecordOutputs(NamedTuple):
    """What a step returns, row by row."""

    observations: np.ndarray  # (n, size), of the observation space's dtype
    masks: np.ndarray  # bool (n, choices)
    rewards: np.ndarray  # float64 (n,)
    done: np.ndarray  # bool (n,)


class RecordRows(NamedTuple):
    """What a step plays on: ``n`` rows of a game of so many players."""

    records: Any  # of the game's dtype (n,)
    players: Any  # PLAYER_DTYPE (players,), how strategies are called; zeros for the learner
    seeds: np.ndarray  # uint64 (n,), of the episodes
    states: np.ndarray  # float64 (n * players, numbers), what strategies remember
    answers: np.ndarray  # of the action space's dtype (n * players, numbers)
    rewards: np.ndarray  # float64 (n * players,)
    learner: int
    n_days: int


@functools.cache
def compile_step(functions: RecordFunctions, place: Callable[[Any], tuple[int, int, int]]) -> BatchStep:
    """Compile the step of a game, once for each; see `scml_gym.vector.loop.make_step`."""
    restart_record, act_record, observe, mask = functions

    @jittable
    def show(rows: RecordRows, outputs: RecordOutputs, i: int) -> None:
        outputs.observations[i] = 0
        outputs.masks[i] = True
        view = rows.records[i]["views"][rows.learner]
        observe(view, outputs.observations[i])
        mask(view, outputs.masks[i])

    def restart(rows: RecordRows, seeds: Seeds, outputs: RecordOutputs, i: int) -> None:
        record, n = rows.records[i], len(rows.players)
        rows.seeds[i] = next_seed(seeds, i)
        rows.states[i * n : (i + 1) * n] = 0.0
        for player in range(n):
            view = record["views"][player]
            view["player"], view["day"], view["n_days"] = player, 0, rows.n_days
        restart_record(record, rows.seeds[i])
        show(rows, outputs, i)

    @jittable
    def ask(rows: RecordRows, i: int, player: int) -> None:
        """The answers of a strategy."""
        views, who, k = rows.records[i]["views"][player:], rows.players[player], i * len(rows.players) + player
        draws = scratch_floats(N_DRAWS)
        index, period, decision = place(views[0])
        fill_draws(rows.seeds[i], index, period, decision, who["n_draws"], draws)
        rows.answers[k] = 0
        state, answers = rows.states[k:].ctypes.data, rows.answers[k:].ctypes.data
        call_decide(who, views.ctypes.data, state, draws.ctypes.data, answers)

    def act(rows: RecordRows, outputs: RecordOutputs, actions: np.ndarray, i: int) -> None:
        record, n = rows.records[i], len(rows.players)
        low, high = i * n, (i + 1) * n
        for player in range(n):
            if player == rows.learner:
                rows.answers[low + player] = actions[i]
            else:
                ask(rows, i, player)
        rows.rewards[low:high] = 0.0
        ended = act_record(record, rows.answers[low:high], rows.rewards[low:high])
        for player in range(n):
            views = record["views"][player:]
            call_learn(rows.players[player], views.ctypes.data, rows.states[low + player :].ctypes.data)
            views[0]["day"] += 1
        outputs.done[i] = ended or record["views"][0]["day"] == rows.n_days
        outputs.rewards[i] = rows.rewards[low + rows.learner]
        show(rows, outputs, i)

    return make_step(act, restart)


@named_arguments(single=SINGLE)
class RecordVectorEnv(RowVectorEnv):
    """`scml_gym.vector.record_envs.RecordEnv`, many at once, in compiled code.

    Row ``i`` of a batch that was reset with ``seed`` is the single environment reset with ``seed + i``, to the last
    bit, whatever the number of rows and of threads. Masks are one array, ``infos["action_mask"]``, bool, shape
    ``(num_envs, choices)``. A copy goes on from where the original stands, alike and alone.

    Args:
        num_envs: Rows.
        game: What is played, or its ``"module:NAME"``.
        player: As the single environment's, like all that follow but the last two.
        opponent: Name of a strategy, or ``"module:NAME"`` of one.
        days: Of an episode.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`.
        threads: Threads that share the rows.

    Raises:
        InputError: for a value that the single environment refuses; for an opponent that is no strategy, or does not
            compile.
    """

    def __init__(
        self,
        num_envs: int,
        game: RecordGame | str,
        player: str | None = None,
        opponent: str | None = None,
        days: int = 10,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 1,
    ):
        self.game = game = load_game(game)
        n, n_players = whole("num_envs", num_envs, 1, MOST_ENVS), len(game.players)
        self.single_observation_space = copy.deepcopy(game.observation_space)
        self.single_action_space = copy.deepcopy(game.action_space)
        super().__init__(n, autoreset_mode, threads, game.action_space.dtype)
        self._opponent = game.opponent_maker(opponent)(0)
        if not isinstance(self._opponent, StrategyPolicy):
            raise InputError(f"opponent={opponent!r} is no strategy: use vectorization_mode='sync'", "opponent")
        interface, size = game.interface, self._opponent.strategy.state_size
        self._rows = RecordRows(
            np.zeros(n, dtype=game.record),
            np.zeros(n_players, dtype=PLAYER_DTYPE),
            np.zeros(n, dtype=np.uint64),
            np.zeros((n * n_players, size)),
            np.zeros((n * n_players, interface.n_answers), dtype=interface.action),
            np.zeros(n * n_players),
            game.player(player),
            whole("days", days),
        )
        self._prepare()

    _not_copied = ("_workers", "_step")

    def _prepare(self) -> None:
        for i, record in enumerate(self._rows.players):
            if i != self._rows.learner:
                fill_player(record, self._opponent)
        self._step = self._in_threads(compile_step(self.game.functions, self.game.interface.place))

    def _new_outputs(self) -> RecordOutputs:
        n, size = self.num_envs, int(np.prod(self.game.observation_space.shape))
        observations = np.zeros((n, size), dtype=self.game.observation_space.dtype)
        masks = np.ones((n, self.game.n_choices), dtype=np.bool_)
        return RecordOutputs(observations, masks, np.zeros(n), np.zeros(n, dtype=np.bool_))

    def _advance(self, actions: np.ndarray, outputs: RecordOutputs, resting: np.ndarray) -> None:
        wrong = outside(self.game.action_space, actions) & ~resting
        if wrong.any():
            i = int(np.argmax(wrong))
            raise InputError(f"row {i}: action {actions[i].tolist()}; valid: {self.game.action_space}")
        self._run(np.where(resting, RESTART, ACT).astype(np.uint8), actions, outputs)

    def _reset_rows(self, indices: np.ndarray, outputs: RecordOutputs, seeded: np.ndarray) -> None:
        tasks = np.full(self.num_envs, REST, dtype=np.uint8)
        tasks[indices] = RESTART
        self._run(tasks, np.zeros(self.action_space.shape or (), dtype=self._action_dtype), outputs)

    def _run(self, tasks: np.ndarray, actions: np.ndarray, outputs: RecordOutputs) -> None:
        given = np.ascontiguousarray(actions.reshape(self.num_envs, -1), dtype=self.game.interface.action)
        self._step(self.num_envs, self._rows, self._seeds.ready(), outputs, tasks, given)

    def _information(self, outputs: RecordOutputs, rows: np.ndarray) -> Information:
        """Masks of some rows, and the summaries of those that are done."""
        information: Information = {"action_mask": outputs.masks, "_action_mask": rows}
        done = rows & outputs.done
        if done.any():
            ended, learner = self._rows.records[done], self._rows.learner
            information |= self._columns(done, {name: ended[name][:, learner] for name in self.game.summary})
        return information
