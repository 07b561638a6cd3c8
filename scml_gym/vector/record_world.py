"""A game whose state is one record as a world in plain Python: any players, each called as an object."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.core.arguments import brief
from scml_gym.core.errors import InputError
from scml_gym.core.masks import sampling_mask
from scml_gym.game.codecs import Transition
from scml_gym.game.telling import tell_thoughts
from scml_gym.game.world import Actions, Predict, View
from scml_gym.vector.env import read_actions
from scml_gym.vector.records import RecordGame, open_views, outside


class RecordWorld:
    """A `scml_gym.game.world.World` over the record of a game.

    Args:
        game: What is played.
        seed: Of the episode.
        n_days: Days of it.
        players: A `scml_gym.game.world.FactoryPolicy` each, None where the player is decided from outside.
    """

    def __init__(self, game: RecordGame, seed: int, n_days: int, players: Sequence[Any]):
        self.game, self.players = game, tuple(players)
        self.external = tuple(i for i, player in enumerate(self.players) if player is None)
        self.day, self.done = 0, False
        self.profits = np.zeros((len(self.players), n_days))
        self._records = np.zeros(1, dtype=game.record)
        self._closed: dict[int, list[View]] = {i: [] for i in self.external}
        open_views(self._views, n_days)
        game.functions.restart(self._records[0], np.uint64(seed))

    @property
    def _views(self) -> np.ndarray:
        return self._records["views"][0]  # made anew each time: an array that is kept would be copied apart

    def start(self) -> None:
        """Tell the players, and play to the end where none is decided from outside."""
        for player, view in zip(self.players, self._views, strict=True):
            if player is not None:
                player.begin(view)
        while not self.external and not self.done:
            self.step({})

    def step(self, actions: Mapping[int, Actions]) -> None:
        """Play a day with the answers of the players that are decided from outside."""
        answers = np.zeros((len(self.players), self.game.interface.n_answers), dtype=self.game.interface.action)
        for i, player in enumerate(self.players):
            given = actions[i] if player is None else player.act(self._views[i])
            answers[i] = read_answer(self.game, i, given)
        rewards = np.zeros(len(self.players))
        ended = self.game.functions.act(self._records[0], answers, rewards)
        self.profits[:, self.day] = rewards
        for i, player in enumerate(self.players):
            if player is None:
                self._closed[i].append(self._views[i].copy())
            else:
                player.end_day(self._views[i])
        self.day += 1
        self._views["day"] = self.day
        self.done = bool(ended) or self.day == self.profits.shape[1]

    def close(self) -> None:
        """Nothing runs on."""

    @property
    def pending(self) -> tuple[int, ...]:
        """All players that are decided from outside, until the end."""
        return () if self.done else self.external

    def view(self, player: int) -> View:
        """What a player sees now: a live record."""
        return self._views[player]

    def closed_days(self, player: int) -> list[View]:
        """The last views of the days that ended since this was last called (copies)."""
        closed, self._closed[player] = self._closed[player], []
        return closed

    def hidden_state(self) -> np.ndarray:
        """The whole record, shape ``(1,)``."""
        return self._records

    def summary(self, player: int) -> dict[str, Any]:
        """The game's summary of a player."""
        return {name: self._records[name][0, player].item() for name in self.game.summary}


def read_answer(game: RecordGame, player: int, given: Any) -> np.ndarray:
    """What a player answers, as the game has it: the numbers of an action.

    Raises:
        InputError: if it is something else.
    """
    answer = np.zeros(game.interface.n_answers, dtype=game.interface.action)
    try:
        numbers = np.asarray(given)
        if numbers.shape != answer.shape or numbers.dtype.kind not in "biuf":
            raise ValueError
        answer[:] = numbers
    except (TypeError, ValueError, OverflowError):
        told = f"{game.players[player]}: answers {brief(given)}; valid: an array of {answer.shape}"
        raise InputError(told) from None
    return answer


class RecordEncoder:
    """Shows a player what the game's ``observe`` writes; a `scml_gym.game.codecs.Encoder`."""

    full = False

    def __init__(self, game: RecordGame):
        self._observe = game.functions.observe
        self.space: spaces.Space = copy.deepcopy(game.observation_space)

    def reset(self) -> None:
        """Nothing is remembered."""

    def encode(self, view: View, hidden_state: np.ndarray | None = None) -> np.ndarray:
        """The observation, in the space's shape."""
        out = np.zeros(self.space.shape or (), dtype=self.space.dtype)
        self._observe(view, out.reshape(-1))
        return out

    encode_last = encode


class RecordCodec:
    """Takes actions as answers, number by number; a `scml_gym.game.codecs.ActionCodec`."""

    def __init__(self, game: RecordGame):
        self._game, self.space = game, copy.deepcopy(game.action_space)

    def reset(self) -> None:
        """Nothing is remembered."""

    def end_day(self, view: View) -> None:
        """Nothing is learnt."""

    def decode(self, action: Any, view: View) -> np.ndarray:
        """The numbers of an action.

        Raises:
            InputError: if it is outside the action space.
        """
        shape = self.space.shape or ()
        given = read_actions(action, self.space.dtype, shape).reshape(shape)
        if outside(self.space, given[None])[0]:
            raise InputError(f"action {given.tolist()}; valid: {self.space}")
        return given.reshape(-1)

    def mask(self, view: View) -> np.ndarray:
        """What the game's ``mask`` writes."""
        out = np.ones(self._game.n_choices, dtype=np.bool_)
        self._game.functions.mask(view, out)
        return out

    def validate(self, view: View, answers: np.ndarray) -> None:
        """Refuse answers that are masked.

        Raises:
            InputError: if one is.
        """
        if not self._game.n_choices:
            return
        masks = sampling_mask(self.mask(view), self.space)
        first = getattr(self.space, "start", 0)
        for mask, answer in zip(masks if isinstance(masks, tuple) else (masks,), answers, strict=True):
            if not mask[answer - first]:
                raise InputError(f"action {answers.tolist()} is masked: see info['action_mask']")


class Gain:
    """Pays what the player gained; a `scml_gym.game.codecs.Reward`."""

    def reset(self, view: View) -> None:
        """An episode starts."""

    def __call__(self, transition: Transition) -> float:
        """The sum of the days' rewards."""
        return float(np.sum(transition.profits))


class LearntPolicy:
    """What a learner learnt in an environment of a game, as a player of it: a `scml_gym.game.world.FactoryPolicy`.

    Args:
        game: Of the environment.
        predict: The learner's.
        env: The environment's id and arguments.
        deterministic: Whether to take the best action rather than to sample.
    """

    synchronous = True

    def __init__(self, game: RecordGame, predict: Predict, env: Mapping[str, Any], deterministic: bool = True):
        self._predict, self._deterministic = predict, deterministic
        self._encoder, self._codec, self._state = RecordEncoder(game), RecordCodec(game), None

    def begin(self, view: View) -> None:
        """A world starts."""
        self._state = None

    def act(self, view: View) -> np.ndarray:
        """The learner's answers."""
        observation, mask = self._encoder.encode(view), self._codec.mask(view)
        action, self._state = self._predict(observation, self._state, mask, self._deterministic)
        tell_thoughts(self._predict, view, observation, mask, action)
        return self._codec.decode(action, view)

    def end_day(self, view: View) -> None:
        """Nothing is learnt."""
