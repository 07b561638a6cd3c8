"""Matrix games: one payoff for each joint action, played once or repeatedly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scml_gym.commitment.base import check_actions, joint_actions, joint_index, one_hot, time_left
from scml_gym.core.arguments import MOST_HISTORY, real, whole
from scml_gym.core.errors import InputError


class MatrixGame:
    """A matrix game of n agents with the same number of actions each (see `scml_gym.commitment.base.MarkovGame`).

    Observations are the share of the horizon that is left and, for ``memory=k``, the last k joint actions, the latest
    first, each agent's as a one-hot vector (zeros where there was none yet).

    Args:
        payoffs: Shape ``(A,) * n + (n,)``: ``payoffs[a_1, ..., a_n]`` holds the reward of each agent.
        horizon: Steps of an episode.
        memory: How many of the last joint actions are observed.
        action_names: One for each action; by default ``A1``, ``A2``, ...

    Raises:
        InputError: if the payoffs are of another shape or not finite, or another argument is wrong.
    """

    def __init__(
        self, payoffs: Any, horizon: int = 1, memory: int = 0, action_names: Sequence[str] | None = None
    ) -> None:
        self.payoffs = _payoff_table(payoffs)
        self.horizon = whole("horizon", horizon)
        self.memory = whole("memory", memory, 0, MOST_HISTORY)
        self.agents = self.payoffs.shape[-1]
        self.actions = self.payoffs.shape[0]
        self.features = 1 + self.memory * self.agents * self.actions
        self.action_names = _names(action_names, self.actions)
        self._rewards = self.payoffs.reshape(-1, self.agents)

    def initial(self, rows: tuple[int, ...]) -> np.ndarray:
        """Step 0, and no joint action yet (-1)."""
        state = np.full((*rows, 1 + self.memory * self.agents), -1, dtype=np.int64)
        state[..., 0] = 0
        return state

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Share of the horizon left, and the remembered joint actions."""
        past = one_hot(state[..., 1:], self.actions)
        return np.concatenate([time_left(state, self.horizon), past.reshape(*past.shape[:-2], -1)], axis=-1)

    def step(self, state: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The payoffs of the joint action."""
        check_actions(state, actions, self.agents, self.actions)
        kept = state[..., 1 : 1 + max(0, self.memory - 1) * self.agents]
        latest = actions[..., : self.agents if self.memory else 0]
        after = np.concatenate([state[..., :1] + 1, latest, kept], axis=-1)
        return after, self._rewards[joint_index(actions, self.actions)]


def _names(given: Any, count: int) -> tuple[str, ...]:
    if given is None:
        return tuple(f"A{k + 1}" for k in range(count))
    names = tuple(given) if isinstance(given, list | tuple) else ()
    if len(set(map(str, names))) != count or len(names) != count or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"action_names={given!r}: {count} names are needed, different texts, one for each action", "action_names"
        )
    return names


def _payoff_table(payoffs: Any) -> np.ndarray:
    try:
        if np.iscomplexobj(payoffs):
            raise TypeError("complex numbers")
        table = np.array(payoffs, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            "payoffs: a table of numbers of shape (A,) * n + (n,) is needed, the same A for all",
            "payoffs",
        ) from error
    agents = table.shape[-1] if table.ndim else 0
    if agents < 2 or table.ndim != agents + 1 or len(set(table.shape[:-1])) != 1 or table.shape[0] < 2:
        raise InputError(
            f"payoffs: the shape {table.shape} is wrong; (A,) * n + (n,) is needed for n agents of A actions each, "
            "as (2, 2, 2) for two agents of two actions",
            "payoffs",
        )
    if not np.isfinite(table).all():
        raise InputError("payoffs: every payoff must be a finite number", "payoffs")
    return table


def prisoners_dilemma(horizon: int = 1, memory: int = 0) -> MatrixGame:
    """The Prisoner's Dilemma: CC -1, -1; CD -3, 0; DC 0, -3; DD -2, -2.

    Source: "Learning to Negotiate via Voluntary Commitment", table 1.
    """
    payoffs = [[[-1, -1], [-3, 0]], [[0, -3], [-2, -2]]]
    return MatrixGame(payoffs, horizon, memory, ("C", "D"))


def stag_hunt(horizon: int = 1, memory: int = 0) -> MatrixGame:
    """The Stag Hunt: both stag 5, 5; stag alone 0, hare alone 2; both hare 1, 1 (the same source's trust dilemma)."""
    payoffs = [[[5, 5], [0, 2]], [[2, 0], [1, 1]]]
    return MatrixGame(payoffs, horizon, memory, ("stag", "hare"))


def purely_conflicting(horizon: int = 16, memory: int = 0) -> MatrixGame:
    """The repeated purely conflicting game: 0, 0 for equal actions; (A1, A2) -1, 2; (A2, A1) 2, -1.

    No joint action is better than (A2, A2) for both, but two that alternate are (the same source, table 2).
    """
    payoffs = [[[0, 0], [-1, 2]], [[2, -1], [0, 0]]]
    return MatrixGame(payoffs, horizon, memory)


def public_goods(agents: int = 3, factor: float = 1.5, horizon: int = 1, memory: int = 0) -> MatrixGame:
    """A public goods game: who gives pays 1, and the gifts times ``factor`` are shared equally by all.

    Args:
        agents: From 2 on.
        factor: Between 1 and ``agents`` it is a social dilemma.
        horizon: Steps of an episode.
        memory: As in `MatrixGame`.

    Raises:
        InputError: if there are fewer than 2 agents or more than 12, or the factor is no finite number.
    """
    agents = whole("agents", agents, least=2, most=12)
    factor = real("factor", factor)
    gives = 1 - joint_actions(agents, 2)
    payoffs = factor * gives.mean(axis=1, keepdims=True) - gives
    return MatrixGame(payoffs.reshape((2,) * agents + (agents,)), horizon, memory, ("give", "keep"))
