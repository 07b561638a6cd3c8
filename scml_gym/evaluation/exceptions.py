"""What an exception of a player costs: its world, or, as in scml's tournaments, the negotiation in which it was raised.

scml's tournaments can ignore exceptions (negmas/situated/world.py:1166 and 1855 of 0.16.0; scml's command
``--ignore-exceptions``): a negotiation in which an agent raises ends without agreement, whatever else raises has no
effect, and the agent plays on. One thing is not as there: an exception in ``before_step`` or ``on_preferences_changed``
is the agent's own affair here, while scml then skips what it has still to do for all agents before that day.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, MutableSequence, Sequence
from typing import Any, ClassVar, Protocol

from scml_gym.core.registry import Registry

NOBODY = -1
"""In the mark: no player is at work."""

Mark = MutableSequence[int]
"""One element: the index of the player at work, readable from outside when this process is dead."""

Raised = dict[int, dict[str, Any]]
"""Position -> what its player raised without ending the world: ``count``, and ``first``, the first one in words."""

ANSWERS = ("first_proposals", "counter_all", "propose", "respond", "take_turn")
"""Entry points whose answer a negotiation waits for: without one it ends."""

STRICT, LEAGUE = "strict", "league"


class PlayerError(BaseException):
    """A player raised; no ``except Exception`` of the simulation may swallow that."""


def describe(error: BaseException) -> str:
    """An exception in one line: type, text, and where it was raised."""
    cause = error.__cause__ if isinstance(error, PlayerError) and error.__cause__ else error
    frames = traceback.extract_tb(cause.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return " ".join(f"{type(cause).__name__}: {cause}".split()) + where


class ErrorRule(Protocol):
    """What exceptions of players cost in one world.

    Attributes:
        played_by: Which function of `scml_gym.game.definition.Competition` plays the world.
        raised: What did not end the world.
    """

    played_by: ClassVar[str]
    raised: Raised

    def judge(self, error: Exception, position: int, entry_point: str) -> None:
        """A player has raised, and none of its own code has handled it: raise what the simulation is to see, or
        nothing where the call is to have no effect."""
        ...


class Strict:
    """The world ends, and the player has no score in it."""

    played_by = "play"

    def __init__(self) -> None:
        self.raised: Raised = {}

    def judge(self, error: Exception, position: int, entry_point: str) -> None:
        """See `ErrorRule.judge`."""
        raise PlayerError from error


class League:
    """The negotiation ends, and the player plays on."""

    played_by = "play_on"

    def __init__(self) -> None:
        self.raised: Raised = {}

    def judge(self, error: Exception, position: int, entry_point: str) -> None:
        """See `ErrorRule.judge`."""
        seen = self.raised.setdefault(position, {"count": 0, "first": describe(error)})
        seen["count"] += 1
        if entry_point in ANSWERS:
            raise error


ERRORS = Registry("rule for errors")
ERRORS.register(STRICT, Strict)
ERRORS.register(LEAGUE, League)


def watch(rule: ErrorRule, mark: Mark, agent: Any, position: int, entry_points: Sequence[str]) -> None:
    """Mark the player at work whenever the simulation enters it, and let a rule judge its exceptions."""

    def watched(method: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            outer = mark[0]
            mark[0] = position
            try:
                result = method(*args, **kwargs)
            except Exception as error:
                if outer == position:
                    raise  # on its way through the player's own code, which may handle it
                result = None
                try:
                    rule.judge(error, position, name)
                except Exception:
                    mark[0] = outer  # the negotiation ends; a PlayerError leaves the mark where it is
                    raise
            mark[0] = outer
            return result

        return call

    for name in entry_points:
        method = getattr(agent, name, None)
        if method is not None:
            setattr(agent, name, watched(method, name))
