"""Games whose episode is one record: given as a few functions, such a game is played in compiled code, many at once.

`scml_gym.vector.record_envs` has the single environment and the PettingZoo environment of the same games.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import whole
from scml_gym.core.copying import Independent
from scml_gym.core.errors import InputError
from scml_gym.game.calls import PLAYER_DTYPE, fill_player
from scml_gym.game.strategy import StrategyPolicy
from scml_gym.jit.compile import jittable
from scml_gym.vector.env import Information, RowVectorEnv
from scml_gym.vector.jobs import SharedProgram
from scml_gym.vector.loop import ACT, REST, RESTART, make_step
from scml_gym.vector.seeds import Seeds, SeedStreams, next_seed
from scml_gym.vector.workers import Workers


class RecordFunctions(NamedTuple):
    """The rules of a game over its record, and what its players see; each is ``@jittable``.

    Attributes:
        restart: ``(record, strategies, seed)``: starts an episode up to the first decision; the record is as the last
            episode left it, zeros before the first. The seed is uint64, and all that is random follows from it.
        act: ``(record, strategies, actions, rewards) -> bool``: takes the actions of all players, shape ``(players,)``
            or ``(players, numbers)``, goes on to the next decision, writes their rewards, float64 ``(players,)``, zeros
            before, and returns whether the episode has ended. Actions lie in the action space; what a masked one means
            is the game's matter.
        observe: ``(record, player, out)``: writes a player's observation, flat, zeros before.
        mask: ``(record, player, out)``: writes which choices are valid, bool, dimension after dimension of the action
            space; all are True before.

    ``strategies`` are the game's `RecordGame.strategies`, ``PLAYER_DTYPE (n,)``, to be called with
    `scml_gym.game.calls.call_decide`.
    """

    restart: Callable[..., None]
    act: Callable[..., bool]
    observe: Callable[..., None]
    mask: Callable[..., None]


@dataclass(frozen=True, eq=False)
class RecordGame:
    """A game whose episode is one record; all its players decide at once, each time the record stops.

    Attributes:
        name: Of the game.
        record: Dtype of an episode. It holds no addresses, so that it can be copied.
        players: Names of those who decide from outside; the environments for one learner take one.
        observation_space: Of a player, a ``Box``.
        action_space: Of a player: ``Discrete``, ``MultiDiscrete`` or ``Box``.
        functions: The rules.
        summary: Fields of the record that the information of an episode's last step tells.
        strategies: Who plays by a strategy, called by address; what they remember is the record's matter.
    """

    name: str
    record: np.dtype
    players: tuple[str, ...]
    observation_space: spaces.Box
    action_space: spaces.Space
    functions: RecordFunctions
    summary: tuple[str, ...] = ()
    strategies: tuple[StrategyPolicy, ...] = ()

    @property
    def n_choices(self) -> int:
        """Length of a player's mask; 0 where actions are real numbers."""
        space = self.action_space
        return int(space.n) if isinstance(space, spaces.Discrete) else int(np.sum(getattr(space, "nvec", 0)))


class RecordOutputs(NamedTuple):
    """What a step returns: of each player, row by row, and of each row."""

    observations: np.ndarray  # (n * players, size), of the observation space's dtype
    masks: np.ndarray  # bool (n * players, choices)
    rewards: np.ndarray  # float64 (n * players,)
    done: np.ndarray  # bool (n,)


class Records(NamedTuple):
    """What a step plays on."""

    records: Any  # of the game's dtype (n,)
    strategies: Any  # PLAYER_DTYPE


@functools.cache
def compile_step(functions: RecordFunctions, n_players: int) -> SharedProgram:
    """Compile the step of a game, once for each; see `scml_gym.vector.loop.make_step`."""
    restart_record, act_record, observe, mask = functions

    @jittable
    def show(record: Any, outputs: RecordOutputs, i: int) -> None:
        for player in range(n_players):
            observe(record, player, outputs.observations[i * n_players + player])
            mask(record, player, outputs.masks[i * n_players + player])

    @jittable
    def restart(game: Records, seeds: Seeds, outputs: RecordOutputs, i: int) -> None:
        record = game.records[i]
        restart_record(record, game.strategies, next_seed(seeds, i))
        outputs.observations[i * n_players : (i + 1) * n_players] = 0
        outputs.masks[i * n_players : (i + 1) * n_players] = True
        show(record, outputs, i)

    @jittable
    def act(game: Records, outputs: RecordOutputs, actions: np.ndarray, i: int) -> None:
        record, low, high = game.records[i], i * n_players, (i + 1) * n_players
        outputs.done[i] = act_record(record, game.strategies, actions[low:high], outputs.rewards[low:high])
        show(record, outputs, i)

    return make_step(act, restart)


class RecordBatch(Independent):
    """Rows of a game; a copy (``deepcopy``, ``pickle``) goes on from where the original stands, alike and alone.

    Args:
        game: What is played.
        n: Rows.
        in_threads: What runs the step; by default this thread alone.

    Raises:
        InputError: if a strategy does not compile.
    """

    def __init__(self, game: RecordGame, n: int, in_threads: Callable[[SharedProgram], Workers] = Workers):
        self.game, self.n = game, n
        self.records = np.zeros(n, dtype=game.record)
        self.run_by(in_threads)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_step", "_strategies")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.run_by(Workers)

    def run_by(self, in_threads: Callable[[SharedProgram], Workers]) -> None:
        """Let threads run the rows, and tell them where the strategies are."""
        self._strategies = np.zeros(len(self.game.strategies), dtype=PLAYER_DTYPE)
        for record, strategy in zip(self._strategies, self.game.strategies, strict=True):
            fill_player(record, strategy)
        self._step = in_threads(compile_step(self.game.functions, len(self.game.players)))

    def new_outputs(self) -> RecordOutputs:
        """Fresh arrays for a step."""
        game, n = self.game, self.n * len(self.game.players)
        observations = np.zeros((n, int(np.prod(game.observation_space.shape))), dtype=game.observation_space.dtype)
        masks = np.ones((n, game.n_choices), dtype=np.bool_)
        return RecordOutputs(observations, masks, np.zeros(n), np.zeros(self.n, dtype=np.bool_))

    def restart(self, indices: np.ndarray, seeds: SeedStreams, outputs: RecordOutputs) -> None:
        """Start the next episode in some rows, with the next seed of each."""
        if len(indices):
            tasks = np.full(self.n, REST, dtype=np.uint8)
            tasks[indices] = RESTART
            n = self.n * len(self.game.players)
            shape = (n, *(self.game.action_space.shape or ()))
            self._run(seeds, outputs, tasks, np.zeros(shape, dtype=self.game.action_space.dtype))

    def act(self, actions: np.ndarray, resting: np.ndarray, seeds: SeedStreams, outputs: RecordOutputs) -> None:
        """Start the next episode in the rows that are resting, bool ``(n,)``, and answer in all others.

        Args:
            actions: Of all players, row by row, of the action space's dtype.
            resting: Whose actions do not count.
            seeds: Of the episodes.
            outputs: Fresh; gets what the rows return.

        Raises:
            InputError: if an action is outside the action space; no row has moved then.
        """
        players = len(self.game.players)
        wrong = outside(self.game.action_space, actions) & ~np.repeat(resting, players)
        if wrong.any():
            k = int(np.argmax(wrong))
            raise InputError(f"row {k // players}: action {actions[k].tolist()}; valid: {self.game.action_space}")
        self._run(seeds, outputs, np.where(resting, RESTART, ACT).astype(np.uint8), actions)

    def _run(self, seeds: SeedStreams, outputs: RecordOutputs, tasks: np.ndarray, actions: np.ndarray) -> None:
        self._step(self.n, Records(self.records, self._strategies), seeds.ready(), outputs, tasks, actions)

    def summary(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """What is told of some rows whose episodes have ended, a copy."""
        return {name: self.records[name][rows] for name in self.game.summary}


def outside(space: spaces.Space, actions: np.ndarray) -> np.ndarray:
    """Which of some actions are not in an action space, bool ``(n,)``."""
    if isinstance(space, spaces.Box):
        low, high = space.low, space.high
    else:
        low = getattr(space, "start", 0)
        high = low + (space.n if isinstance(space, spaces.Discrete) else getattr(space, "nvec", 0)) - 1
    inside = (actions >= low) & (actions <= high)
    return ~np.all(inside.reshape(len(actions), -1), axis=1)


def require_one_player(game: RecordGame) -> None:
    """Refuse a game that needs more than one learner.

    Raises:
        InputError: if it has not one player.
    """
    if len(game.players) != 1:
        raise InputError(f"{game.name} has {len(game.players)} players; an environment for one learner needs 1")


class RecordVectorEnv(RowVectorEnv):
    """Rows of a game as a Gymnasium vector environment; see `scml_gym.vector.env.RowVectorEnv`.

    Row ``i`` of a batch that was reset with ``seed`` is `scml_gym.vector.record_envs.RecordEnv` reset with
    ``seed + i``. A copy goes on from where the original stands, alike and alone.

    Args:
        game: What is played, for one player.
        num_envs: Rows.
        autoreset_mode: As `RowVectorEnv`.
        threads: Likewise.

    Raises:
        InputError: for a game of more players, a number below 1, an unknown autoreset mode, or a strategy that does not
            compile.
    """

    def __init__(
        self,
        game: RecordGame,
        num_envs: int,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 1,
    ):
        require_one_player(game)
        num_envs = whole("num_envs", num_envs)
        self.single_observation_space, self.single_action_space = game.observation_space, game.action_space
        super().__init__(num_envs, autoreset_mode, threads, game.action_space.dtype)
        self._batch = RecordBatch(game, num_envs, self._in_threads)

    def _prepare(self) -> None:
        self._batch.run_by(self._in_threads)

    def _new_outputs(self) -> RecordOutputs:
        return self._batch.new_outputs()

    def _advance(self, actions: np.ndarray, outputs: RecordOutputs, resting: np.ndarray) -> None:
        self._batch.act(actions, resting, self._seeds, outputs)

    def _reset_rows(self, indices: np.ndarray, outputs: RecordOutputs, seeded: np.ndarray) -> None:
        self._batch.restart(indices, self._seeds, outputs)

    def _information(self, outputs: RecordOutputs, rows: np.ndarray) -> Information:
        """Masks of some rows, and the summaries of those that are done."""
        information: Information = {"action_mask": outputs.masks, "_action_mask": rows}
        done = rows & outputs.done
        if done.any():
            information |= self._columns(done, self._batch.summary(done))
        return information
