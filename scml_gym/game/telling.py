"""Players tell what they think to whoever records their world.

A recording listens (`scml_gym.simulator.recording.log.WorldLog`); what a player tells in a world that is not recorded
is heard by nobody, and costs next to nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np


class Listener(Protocol):
    """Hears the players of one world."""

    def hears(self, seen: Any) -> bool:
        """Whether who says that it sees this is a player of the world; see `tell`."""
        ...

    def hear(self, seen: Any, partner: Any, values: Mapping[str, float]) -> None:
        """A player of the world tells something.

        Raises:
            InputError: if a value is no number or there is no such partner.
        """
        ...


_LISTENERS: weakref.WeakSet[Listener] = weakref.WeakSet()


def listen(listener: Listener) -> None:
    """Let somebody hear players from now on, as long as it lives."""
    _LISTENERS.add(listener)


def listener_of(seen: Any) -> Listener | None:
    """Who hears a player; None for nobody."""
    return next((listener for listener in list(_LISTENERS) if listener.hears(seen)), None)


def tell(seen: Any, partner: Any = None, **values: float) -> None:
    """Let the recording of a world know what a player thinks; nothing happens in a world that is not recorded.

    Args:
        seen: Who speaks: the view that the policy was given (itself, no copy of it), or the scml agent (``self``).
        partner: Whom it is about: a partner index of the view, or the id of a partner of an scml agent; None for none.
        values: Numbers by the names under which they will be found.

    Raises:
        InputError: in a recorded world, if a value is no number or there is no such partner.

    Example::

        class Careful:
            def act(self, view):
                tell(view, expected=2.5, bound=0.4)
                tell(view, partner=3, chance=0.9)
    """
    listener = listener_of(seen)
    if listener is not None:
        listener.hear(seen, partner, values)


class Thoughtful(Protocol):
    """A learner's ``predict`` that can say more of an action."""

    def thoughts(self, observation: Any, mask: np.ndarray | None, action: Any) -> dict[str, float]:
        """Numbers by name: what the network thinks of the observation and of the action that it chose."""
        ...


def tell_thoughts(
    predict: Any, view: Any, observation: Any, mask: np.ndarray | None, action: Any, partner: int | None = None
) -> None:
    """Tell what a network thinks of its action, where somebody hears it and its ``predict`` is `Thoughtful`.

    Args:
        predict: See `scml_gym.game.world.Predict`.
        view: That the player was given, itself.
        observation: Of it.
        mask: Of the valid actions.
        action: That was chosen.
        partner: Partner index that the action is about; None for all partners together.
    """
    thoughts = getattr(predict, "thoughts", None)
    if thoughts is not None and (listener := listener_of(view)) is not None:
        listener.hear(view, partner, thoughts(observation, mask, action))
