"""From answers back to actions: the action of an environment that is nearest to what a player would answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.game.world import Actions, View

Inverse = Callable[[Any, Any, np.ndarray], None]
"""``inverse(actions, view, out)``: jittable; writes into ``out``, ``(size of the action,)``, the numbers of the valid
action that is nearest to an action array."""

Opening = Callable[[Any], None]
"""``opening(view)``: jittable; changes a copy of a view to what a player is asked by whose answers become actions."""


class Invertible(Protocol):
    """An action codec whose actions stand for answers one by one, so that answers have an action.

    Attributes:
        inverse: See `Inverse`; what it gives on the answers of a valid action decodes to the same answers.
    """

    @property
    def inverse(self) -> Inverse: ...


def inverse_of(codec: Any) -> Inverse:
    """The inverse of an action codec.

    Raises:
        InputError: if it has none: its actions are plans or goals, which answers do not determine.
    """
    if not hasattr(type(codec), "inverse"):
        raise InputError(f"action: {type(codec).__name__} has no action for a given answer; valid: choice, continuous")
    return codec.inverse


def opening_of(codec: Any) -> Opening | None:
    """How players are asked whose answers become actions of a codec; None where by what the learner's factory sees."""
    return getattr(codec, "opening", None)


def asked_by(codec: Any, view: View) -> View:
    """What a player is asked by, whose answers become an action of a codec: the view, or a changed copy of it."""
    opening = opening_of(codec)
    if opening is None:
        return view
    copy = view.copy()
    opening(copy)
    return copy


def encode_answers(codec: Any, actions: Actions, view: View) -> Any:
    """The action of a codec's space that is nearest to an action array.

    Raises:
        InputError: as `inverse_of`.
    """
    space: spaces.Space = codec.space
    shape = space.shape or ()
    out = np.zeros(int(np.prod(shape)), dtype=space.dtype)
    inverse_of(codec)(actions, view, out)
    return out.reshape(shape) if shape else out.dtype.type(out[0])
