"""The protocol of games as native batches: pure functions of arrays, so that any number of rows is played at once."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from scml_gym.core.arguments import brief, whole
from scml_gym.core.errors import InputError
from scml_gym.core.parallel import check_agents


class MarkovGame(Protocol):
    """A Markov game of a fixed length: all agents act at once and see the whole state.

    A state is an int64 array of shape ``(*rows, width)`` whose first column counts the steps taken; rows are
    independent of each other. The same functions serve one episode and a batch of them, of any leading shape.

    Attributes:
        agents: How many.
        actions: How many each agent has.
        horizon: Steps of an episode.
        features: Length of an observation; its numbers lie in 0 to 1.
        action_names: A short name for each action.
    """

    @property
    def agents(self) -> int: ...

    @property
    def actions(self) -> int: ...

    @property
    def horizon(self) -> int: ...

    @property
    def features(self) -> int: ...

    @property
    def action_names(self) -> tuple[str, ...]: ...

    def initial(self, rows: tuple[int, ...]) -> np.ndarray:
        """The first state of each row."""
        ...

    def observe(self, state: np.ndarray) -> np.ndarray:
        """What every agent sees: float64, shape ``(*rows, features)``."""
        ...

    def step(self, state: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The next state and the rewards.

        Args:
            state: Shape ``(*rows, width)``; is left as it was.
            actions: Integers, shape ``(*rows, agents)``, in ``0..actions - 1``.

        Returns:
            State, and rewards as float64 of shape ``(*rows, agents)``.

        Raises:
            InputError: for actions of another shape, or outside of the range.
        """
        ...


def check_game(made: Any, name: str) -> MarkovGame:
    """Refuse what does not keep the protocol.

    Raises:
        InputError: if a member is missing, or a number or the names of the actions are wrong.
    """
    missing = [member for member in MEMBERS if not hasattr(made, member)]
    if missing:
        raise InputError(
            f"game: {name} is no game: {', '.join(missing)} missing; see scml_gym.commitment.base.MarkovGame", "game"
        )
    for member in MEMBERS[:4]:
        whole(member, getattr(made, member))
    if len(made.action_names) != made.actions:
        raise InputError(
            f"action_names={list(made.action_names)}: the game {name} has {made.actions} actions", "action_names"
        )
    return made


MEMBERS = ("agents", "actions", "horizon", "features", "action_names", "initial", "observe", "step")
"""Of `MarkovGame`."""


def check_actions(state: np.ndarray, actions: np.ndarray, agents: int, count: int) -> None:
    """Refuse joint actions that a game does not have.

    Args:
        state: Shape ``(*rows, width)``.
        actions: Shape ``(*rows, agents)``.
        agents: How many.
        count: Actions of each.

    Raises:
        InputError: for another shape or type, or an action outside of ``0..count - 1``.
    """
    if actions.dtype.kind not in "iu" or actions.shape != (*state.shape[:-1], agents):
        needed = (*state.shape[:-1], agents)
        raise InputError(f"actions: {actions.dtype} of shape {actions.shape}; integers of shape {needed} are needed")
    if actions.size and (actions.min() < 0 or actions.max() >= count):
        wrong = actions[(actions < 0) | (actions >= count)][0]
        raise InputError(f"actions: {wrong} is not valid; valid: 0 to {count - 1}")


def whole_actions(agents: Sequence[str], actions: Any) -> dict[str, int]:
    """The action of each agent of an environment that is still there, as an ``int``.

    Raises:
        InputError: if there is no agent, or an action is missing, no whole number, or of an agent that is not there.
    """
    check_agents(agents, actions)
    chosen = {}
    for agent in agents:
        if agent not in actions:
            raise InputError(f"{agent}: no action")
        try:
            chosen[agent] = operator.index(actions[agent])
        except TypeError:
            raise InputError(f"{agent}: {brief(actions[agent])} is no action; a whole number is needed") from None
    return chosen


def time_left(state: np.ndarray, horizon: int) -> np.ndarray:
    """The share of the episode that is left, 1 at its start; shape ``(*rows, 1)``."""
    return 1.0 - state[..., :1] / horizon


def one_hot(index: np.ndarray, count: int) -> np.ndarray:
    """Float64 of shape ``(*index.shape, count)``; an index outside of ``0..count - 1`` gives zeros."""
    return (index[..., None] == np.arange(count)).astype(np.float64)


def joint_index(actions: np.ndarray, count: int) -> np.ndarray:
    """The number of a joint action, ``0..count ** agents - 1``, the first agent's action counting most.

    Args:
        actions: Integers, shape ``(*rows, agents)``.
        count: Actions of each agent.
    """
    weights = count ** np.arange(actions.shape[-1] - 1, -1, -1)
    return actions @ weights


def joint_actions(agents: int, count: int) -> np.ndarray:
    """All joint actions in the order of `joint_index`: int64, shape ``(count ** agents, agents)``."""
    return np.indices((count,) * agents).reshape(agents, -1).T.copy()
