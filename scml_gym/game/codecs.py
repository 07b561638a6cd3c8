"""What stands between a world and a learner: encoders of views, codecs of actions, and rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from gymnasium import spaces

from scml_gym.core.arguments import brief
from scml_gym.core.errors import InputError
from scml_gym.game.world import Actions, View


class NotCompiledError(InputError):
    """An encoder, a codec or a reward that plays in Python only, where a native vector environment was asked for."""


class Encoder(Protocol):
    """An observation codec.

    Attributes:
        space: Of the observations.
        full: Whether it reads what nobody sees (`World.hidden_state`).
    """

    space: spaces.Space
    full: bool

    def reset(self) -> None:
        """Forget the decisions of an earlier episode."""
        ...

    def encode(self, view: View, hidden_state: np.ndarray | None = None) -> Any:
        """The observation of one decision; to be called once for each."""
        ...

    def encode_last(self, view: View, hidden_state: np.ndarray | None = None) -> Any:
        """The observation where an episode ends; as it is no decision, nothing is remembered."""
        ...


def end_day(encoder: Encoder, view: View) -> None:
    """Tell an encoder that a day of the world is over, with its last view, by its method ``end_day(view)``; nothing
    where it has none, as it remembers nothing of it."""
    ended = getattr(encoder, "end_day", None)
    if ended is not None:
        ended(view)


class ActionCodec(Protocol):
    """An action codec: its space, which choices are valid, and what an action means.

    A codec may learn from what a world shows: it is told when a world starts and when a day ends.
    """

    space: spaces.Space

    def reset(self) -> None:
        """A world starts."""
        ...

    def end_day(self, view: View) -> None:
        """A day of the world is over, with its last view; comes before the next decision is decoded."""
        ...

    def decode(self, action: np.ndarray, view: View) -> Actions:
        """The answers that an action stands for; not yet validated."""
        ...

    def mask(self, view: View) -> np.ndarray:
        """The valid choices of the discrete form, dimension after dimension, bool."""
        ...


def read_action(action: Any) -> np.ndarray:
    """An action of one player as an array of numbers.

    Raises:
        InputError: if it is none.
    """
    try:
        array = np.asarray(action)
    except (TypeError, ValueError):  # rows of several lengths
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        raise InputError(f"action {brief(action)}; valid: numbers of the action space")
    return array


def read_choice(action: Any, n: int) -> int:
    """An action of one player that is one of ``n`` choices.

    Raises:
        InputError: if it is none of them.
    """
    array = read_action(action)
    if array.size != 1 or array.dtype.kind not in "iu" or not 0 <= array.item() < n:
        raise InputError(f"action {brief(action)}; valid: a whole number, 0 to {n - 1}")
    return int(array.item())


class Note(NamedTuple):
    """A name under which information has numbers that an action codec wrote into its memory during a step.

    Attributes:
        place: Of the numbers in the memory.
        dtype: In the information.
    """

    place: slice
    dtype: Any


def told_by(codec: ActionCodec) -> dict[str, Any]:
    """What a codec tells of the last step by its method ``info()``; nothing where it has none."""
    info = getattr(codec, "info", None)
    return {} if info is None else info()


def notes_of(codec: ActionCodec) -> Mapping[str, Note]:
    """The same in compiled code: the codec's ``notes``; nothing where it has none."""
    return getattr(codec, "notes", {})


@dataclass(frozen=True)
class Transition:
    """What happened between a decision and the next one (or the end of the episode).

    Attributes:
        before: The view on which the decision was taken (a copy).
        after: The view now (live); where the episode is a day, that day's last view.
        closed: The last views of the days that ended in between (copies).
        profits: The player's profits of these days, float64, shape ``(days,)``; in OneShot money.
        done: Whether the episode (the world, or the day) has ended.
    """

    before: View
    after: View
    closed: Sequence[View]
    profits: np.ndarray
    done: bool


class Reward(Protocol):
    """``reward(transition) -> float``; ``reset(view)`` tells that an episode starts."""

    def reset(self, view: View) -> None:
        """A new episode, with its first view."""
        ...

    def __call__(self, transition: Transition) -> float:
        """The reward of one transition."""
        ...
