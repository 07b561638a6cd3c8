"""Episodes of native vector environments: an episode, or a world of episodes, in each row."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Protocol

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from scml_gym.experiments.make_env import env_arguments
from scml_gym.game.strategy import StrategyPolicy
from scml_gym.offline.behaviours import Behaviour, Learned, Played, Uniform
from scml_gym.offline.playing import AGENT, MASK, Episode, summarised
from scml_gym.simulator.vector.concurrent import FactoryVectorEnv
from scml_gym.simulator.vector.played import RowPlayer
from scml_gym.vector.env import RowVectorEnv

SEEN, TOLD = "observation ", "info "
"""Before the names of parts of observations, and of infos."""

DONE = ("actions", "rewards", "terminations", "truncations")


class RowBehaviour(Protocol):
    """Acts in the rows of a batch."""

    def begin(self, rows: np.ndarray, seeds: np.ndarray) -> None:
        """The worlds of these seeds have begun in some rows."""
        ...

    def act(self, observations: Any, masks: np.ndarray, live: np.ndarray) -> np.ndarray:
        """An action for each row; anything valid in those that are not ``live``."""
        ...


class RowsPlayed:
    """A strategy, in compiled code."""

    def __init__(self, envs: FactoryVectorEnv, player: StrategyPolicy):
        self._player = RowPlayer(envs, player)

    def begin(self, rows: np.ndarray, seeds: np.ndarray) -> None:
        """See `RowBehaviour`."""
        self._player.begin(rows, seeds)

    def act(self, observations: Any, masks: np.ndarray, live: np.ndarray) -> np.ndarray:
        """See `RowBehaviour`."""
        return self._player.act(live)


class RowsLearned:
    """A learner without a recurrent state."""

    def __init__(self, learner: Any):
        self._learner = learner

    def begin(self, rows: np.ndarray, seeds: np.ndarray) -> None:
        """See `RowBehaviour`."""

    def act(self, observations: Any, masks: np.ndarray, live: np.ndarray) -> np.ndarray:
        """See `RowBehaviour`."""
        return self._learner.predict(observations, None, masks)[0]


class RowsUniform:
    """Valid actions, drawn evenly from a stream for each row."""

    def __init__(self, space: spaces.Space, n: int):
        self._rows = [Uniform(copy.deepcopy(space)) for _ in range(n)]

    def begin(self, rows: np.ndarray, seeds: np.ndarray) -> None:
        """See `RowBehaviour`."""
        for row, seed in zip(rows.tolist(), seeds.tolist(), strict=True):
            self._rows[row].begin(None, seed)

    def act(self, observations: Any, masks: np.ndarray, live: np.ndarray) -> np.ndarray:
        """See `RowBehaviour`."""
        drawn = [row.act(None, AGENT, None, mask) for row, mask in zip(self._rows, masks, strict=True)]
        return np.stack([np.asarray(action) for action in drawn])


def make_rows(env: Mapping[str, Any], n: int) -> RowVectorEnv:
    """So many environments of an ``env`` section that has a native batch."""
    env_id, arguments = env_arguments(env)
    arguments.pop("strict", None)
    made: Any = gymnasium.make_vec(env_id, n, "vector_entry_point", autoreset_mode=AutoresetMode.NEXT_STEP, **arguments)
    return made


def rows_of(behaviour: Behaviour, envs: RowVectorEnv) -> RowBehaviour | None:
    """The same behaviour in all rows of a batch; None for one that plays one environment at a time."""
    if isinstance(behaviour, Uniform):
        return RowsUniform(envs.single_action_space, envs.num_envs)
    if isinstance(behaviour, Learned):
        recurrent = behaviour.learner.predict(envs.single_observation_space.sample())[1] is not None
        return None if recurrent else RowsLearned(behaviour.learner)
    if isinstance(behaviour, Played) and isinstance(envs, FactoryVectorEnv):
        player = behaviour.maker(0)
        return RowsPlayed(envs, player) if isinstance(player, StrategyPolicy) else None
    return None


def play_rows(envs: RowVectorEnv, behaviour: RowBehaviour, seeds: Iterable[int]) -> Iterator[Episode]:
    """The episodes of the worlds of some seeds, in the order of the seeds; a row takes the next one when it is free.

    Each is the one that `scml_gym.offline.playing.play_single` gives.

    Args:
        envs: With autoreset in the next step.
        behaviour: Acts in its rows.
        seeds: As many as there are rows, or more, or without end.
    """
    left, n = enumerate(seeds), envs.num_envs
    places, taken = (np.array(part) for part in zip(*islice(left, n), strict=True))
    observations, infos = envs.reset(seed=taken.tolist())
    behaviour.begin(np.arange(n), taken)
    recorded, live, ended = Recorder(n), np.ones(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    recorded.see(observations, infos, np.arange(n))
    finished: dict[int, list[Episode]] = {}
    due = 0
    while live.any():
        before = envs.drawn()
        actions = behaviour.act(observations, infos[MASK], live)
        observations, rewards, terminations, truncations, infos = envs.step(actions)
        recorded.do(actions, rewards, terminations, truncations)
        recorded.see(observations, infos, np.arange(n))
        # where worlds have several episodes, one is over when its row begins with another one
        over = live & ((ended & (envs.drawn() != before)) if envs.goes_on else (terminations | truncations))
        ended = terminations | truncations
        for row in np.flatnonzero(over).tolist():
            finished[int(places[row])] = list(recorded.episodes(row, int(taken[row])))
            following = next(left, None)
            live[row] = following is not None
            if following is not None:
                places[row], taken[row] = following
        fresh = np.flatnonzero(over & live)
        if len(fresh):
            observations, infos = envs.reset(seed=taken.tolist(), options={"reset_mask": over & live})
            behaviour.begin(fresh, taken[fresh])
            recorded.begin(fresh)
            recorded.see(observations, infos, fresh)
            ended[fresh] = False
        while due in finished:
            yield from finished.pop(due)
            due += 1


class Recorder:
    """What the rows of a batch have seen and done since their worlds began.

    Args:
        n: Rows.
    """

    def __init__(self, n: int):
        self._rows, self._steps, self._room = np.arange(n), np.zeros(n, dtype=np.int64), 64
        self._parts: dict[str, np.ndarray] = {}

    def see(self, observations: Any, infos: Mapping[str, Any], rows: np.ndarray) -> None:
        """In some rows decisions are due, or episodes have ended."""
        shown = observations if isinstance(observations, Mapping) else {"": observations}
        for name, part in shown.items():
            self._put(f"{SEEN}{name}", part, rows)
        infos = flat_columns(infos)
        for name, column in infos.items():
            self._put(f"{TOLD}{name}", np.char.encode(column) if column.dtype.kind == "U" else column, rows)
        for name, part in self._parts.items():
            if name.startswith(TOLD) and name.removeprefix(TOLD) not in infos:
                part[rows, self._steps[rows]] = np.zeros((), dtype=part.dtype)

    def do(self, *parts: np.ndarray) -> None:
        """A step of all rows: actions, rewards, terminations and truncations."""
        for name, part in zip(DONE, parts, strict=True):
            self._put(name, part, self._rows)
        self._steps += 1
        if self._steps.max() + 1 >= self._room:
            self._room *= 2
            for name, part in self._parts.items():
                wider = np.zeros((len(part), self._room, *part.shape[2:]), dtype=part.dtype)
                wider[:, : part.shape[1]] = part
                self._parts[name] = wider

    def begin(self, rows: np.ndarray) -> None:
        """Worlds begin in some rows."""
        self._steps[rows] = 0

    def episodes(self, row: int, seed: int) -> Iterator[Episode]:
        """Those of a row, whose world is that of a seed."""
        n = int(self._steps[row])
        done = [self._parts[name][row, :n] for name in DONE]
        start, told = 0, seed
        for last in np.flatnonzero(done[2] | done[3]).tolist():
            view = row, slice(start, last + 2)
            seen = {k.removeprefix(SEEN): v[view].copy() for k, v in self._parts.items() if k.startswith(SEEN)}
            infos = {k.removeprefix(TOLD): v[view].copy() for k, v in self._parts.items() if k.startswith(TOLD)}
            actions, rewards, *ends = (part[start : last + 1].copy() for part in done)
            shown = seen.get("", seen)
            yield Episode(AGENT, AGENT, told, shown, actions, rewards, ends[0], ends[1], told_columns(infos))
            start, told = last + 2, None  # the step after the last one only resets

    def _put(self, name: str, values: Any, rows: np.ndarray) -> None:
        values = np.asarray(values)
        if name not in self._parts:
            self._parts[name] = np.zeros((len(self._rows), self._room, *values.shape[1:]), dtype=values.dtype)
        self._parts[name][rows, self._steps[rows]] = values[rows]


def flat_columns(infos: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Infos as `scml_gym.offline.playing.flat_info` has them, and under ``_name`` which rows each is told of."""
    flat: dict[str, np.ndarray] = {}
    for name, column in infos.items():
        if isinstance(column, Mapping):
            told = {f"{name}_{key}": part for key, part in column.items() if not key.startswith("_")}
            flat |= told | {f"_{key}": infos[f"_{name}"] for key in told}
        elif not isinstance(infos.get(name.removeprefix("_")), Mapping):
            flat[name] = column
    return flat


def told_columns(infos: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Columns of a vector environment's infos as `scml_gym.offline.playing.columns` gives them."""
    regular, last = {}, {}
    for name, column in infos.items():
        if not name.startswith("_") and infos[f"_{name}"].any():
            (regular if infos[f"_{name}"].all() else last)[name] = column
    return regular | summarised(last)
