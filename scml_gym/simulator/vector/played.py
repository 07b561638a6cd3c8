"""Strategies in the learners' place: what a strategy would answer in each row of a batch, as actions, compiled."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from scml_gym.game.calls import PLAYER_DTYPE, call_decide, fill_player
from scml_gym.game.inverses import Inverse, Opening, inverse_of, opening_of
from scml_gym.game.kernels import action_kernel
from scml_gym.game.strategy import StrategyPolicy
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.random import fill_draws
from scml_gym.simulator.compiled.advance import DECISION
from scml_gym.simulator.vector.concurrent import FactoryVectorEnv


class RowPlayer:
    """A strategy that plays the learner's factory of every row of a native vector environment.

    It remembers and learns as the strategies of the other factories do, from the day of its first decision on.

    Args:
        envs: In which each row is a factory that answers all partners.
        player: The strategy; with a seed of its own in each row.

    Raises:
        InputError: if the strategy does not compile, or answers are no actions there.
    """

    def __init__(self, envs: FactoryVectorEnv, player: StrategyPolicy):
        self._envs, self._player = envs, player
        self._record = np.zeros(1, dtype=PLAYER_DTYPE)
        fill_player(self._record[0], player)
        self._dtype = action_kernel(envs.codec).dtype
        self._seen = np.zeros(1, dtype=envs.track.layout.view)
        self._answer = compile_answers(
            inverse_of(envs.codec), envs.track.functions.clear_actions, opening_of(envs.codec)
        )
        envs.make_room(max(1, player.strategy.state_size))

    def begin(self, rows: np.ndarray, seeds: np.ndarray) -> None:
        """Take the learners' place in some rows, int64 ``(n,)``, whose worlds have just begun; ``seeds``, ``(n,)``, are
        those of the strategy's draws there."""
        batch = self._envs.batch
        players, factories = batch.worlds["players"], batch.rows["factory"][rows]
        for name in PLAYER_DTYPE.names or ():
            players[name][rows, factories] = self._record[name][0]
        players["seed"][rows, factories] = seeds.astype(np.uint64)

    def act(self, live: np.ndarray) -> np.ndarray:
        """The action nearest to the strategy's answers in each row that is ``live``, bool ``(n,)``; zeros elsewhere.

        Raises:
            StrategyError: if the strategy raises.
        """
        batch, shape = self._envs.batch, self._envs.action_space.shape or ()
        actions = np.zeros((len(live), int(np.prod(shape[1:]))), dtype=self._dtype)
        self._answer(batch.worlds, batch.rows, live, self._seen, actions)
        return actions.reshape(shape).astype(self._envs.action_space.dtype, copy=False)


@functools.cache
def compile_answers(inverse: Inverse, clear_actions: Callable[..., None], opening: Opening | None = None) -> Any:
    """``answer(worlds, rows, live, seen, out)``, compiled: players of learners' factories decide, as numbers of
    actions; ``seen``, ``(1,)`` of the view's dtype, is scratch."""
    show = shown_as_is if opening is None else shown_as_opened(opening)

    @compiled
    def answer(worlds: np.ndarray, rows: np.ndarray, live: np.ndarray, seen: np.ndarray, out: np.ndarray) -> None:
        for i in range(len(rows)):
            if not live[i] or rows[i]["status"] != DECISION:
                continue
            world, factory = worlds[i], rows[i]["factory"]
            views, player, draws, actions = world["views"], world["players"][factory], world["draws"], world["actions"]
            view = views[factory]
            fill_draws(player["seed"], view["factory"], view["day"], view["decision"], player["n_draws"], draws)
            clear_actions(actions)
            address = show(views, factory, seen)
            call_decide(player, address, player["state"], draws.ctypes.data, actions.ctypes.data)
            inverse(actions, view, out[i])

    return answer


@jittable
def shown_as_is(views: np.ndarray, factory: int, seen: np.ndarray) -> int:
    """The address of what a factory sees."""
    return views.ctypes.data + factory * views.itemsize


@functools.cache
def shown_as_opened(opening: Opening) -> Any:
    """The address of a changed copy of it, see `scml_gym.game.inverses.Opening`."""

    @jittable
    def show(views: np.ndarray, factory: int, seen: np.ndarray) -> int:
        seen[0] = views[factory]
        opening(seen[0])
        return seen.ctypes.data

    return show
