"""Games whose state is one record: the rules of such a game are a few functions, and all else is shared.

Each function is written once and ``@jittable``: `scml_gym.vector.record_world` runs it as plain Python, for any
players, and `scml_gym.vector.record_batch` in compiled code, for strategies, many rows at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from scml_gym.core.arguments import brief
from scml_gym.core.errors import InputError, about, nearest
from scml_gym.core.registry import Registry, load
from scml_gym.game.players import player_maker
from scml_gym.game.strategy import StrategyInterface
from scml_gym.game.world import PlayerMaker


class RecordFunctions(NamedTuple):
    """The rules of a game over its record, and what a player is shown of its view.

    Attributes:
        restart: ``(record, seed)``: starts an episode. The record is as the last episode left it (zeros before the
            first) but for ``player``, ``day`` and ``n_days`` of the views, which are set before. All that is random
            follows from the seed, uint64.
        act: ``(record, answers, rewards) -> bool``: plays a day with the answers of all players, of the action space's
            dtype, shape ``(players, numbers)``; writes into the views how the day ended and what the next one begins
            with; writes rewards, float64 ``(players,)``, zeros before; and returns whether the episode ends before its
            last day. Answers of learners lie in the action space; those that strategies give come as they are. What an
            answer means that is masked, or outside, is the game's matter. NumPy and Numba calculate differently with
            float32: numbers of such answers are to be taken as ``float(...)``.
        observe: ``(view, out)``: writes the observation of a player, flat, zeros before.
        mask: ``(view, out)``: writes which choices are valid, bool, dimension after dimension of the action space; all
            are True before.
    """

    restart: Callable[[Any, Any], None]
    act: Callable[[Any, np.ndarray, np.ndarray], bool]
    observe: Callable[[Any, np.ndarray], None]
    mask: Callable[[Any, np.ndarray], None]


@dataclass(frozen=True, eq=False)
class RecordGame:
    """A game whose state is one record; all its players decide at once, once a day.

    Attributes:
        name: Of the game.
        record: Dtype of an episode's state. It has ``views``, a view of each player, and holds no addresses.
        players: Their names.
        observation_space: Of a player, a ``Box``.
        action_space: Of a player: ``Discrete``, ``MultiDiscrete`` or ``Box``.
        functions: The rules.
        interface: What strategies read and write: views with ``player`` (its index), ``day`` (from 0) and ``n_days``,
            which are kept by the shared code; answers of the action space's dtype, as many as an action has numbers.
            Its ``place`` is ``@jittable``.
        strategies: Registry of the game's strategies.
        opponent: Name of the one that plays by default.
        summary: Fields of the record of shape ``(players,)`` that the last step's infos tell of a player; ``score`` is
            what players are ranked by.
    """

    name: str
    record: np.dtype
    players: tuple[str, ...]
    observation_space: spaces.Box
    action_space: spaces.Space
    functions: RecordFunctions
    interface: StrategyInterface
    strategies: Registry
    opponent: str
    summary: tuple[str, ...] = ("score",)

    @property
    def n_choices(self) -> int:
        """Length of a player's mask; 0 where actions are real numbers."""
        space = self.action_space
        return int(space.n) if isinstance(space, spaces.Discrete) else int(np.sum(getattr(space, "nvec", 0)))

    def player(self, name: str | None) -> int:
        """The index of a player; None for the first one.

        Raises:
            InputError: if there is no such player.
        """
        if name is None:
            return 0
        if name not in self.players:
            raise InputError(f"player={brief(name)}{nearest(str(name), self.players)}", "player")
        return self.players.index(name)

    def opponent_maker(self, name: str | None) -> PlayerMaker:
        """What makes the players of a name (see `scml_gym.game.players.player_maker`); None for the default one.

        Raises:
            InputError: if nothing of that name exists.
        """
        with about("opponent"):
            return player_maker(self.strategies, self.opponent if name is None else name)


def load_game(game: RecordGame | str) -> RecordGame:
    """A game, or the one that a text ``"module:NAME"`` stands for.

    Raises:
        InputError: if it stands for none.
    """
    found = load(game)
    if not isinstance(found, RecordGame):
        raise InputError(f"game={brief(game)}: a RecordGame is needed, or its 'module:NAME'", "game")
    return found


def open_views(views: np.ndarray, n_days: int) -> None:
    """What the shared code writes into the views of all players where episodes start, shape ``(..., players)``."""
    views["player"], views["day"], views["n_days"] = np.arange(views.shape[-1]), 0, n_days


def outside(space: spaces.Space, actions: np.ndarray) -> np.ndarray:
    """Which of some actions are not in an action space, bool ``(n,)``."""
    if isinstance(space, spaces.Box):
        low, high = space.low, space.high
    else:
        low = getattr(space, "start", 0)
        high = low + (space.n if isinstance(space, spaces.Discrete) else getattr(space, "nvec", 0)) - 1
    inside = (actions >= low) & (actions <= high)
    return ~np.all(inside.reshape(len(actions), -1), axis=1)
