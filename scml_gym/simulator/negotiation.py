"""negmas' alternating-offers negotiation, cheaper and without wall-clock randomness; the rules are negmas' own.

Every exchange below leaves each player's offers, responses and contracts as they are (a test compares them with the
unchanged world); it only avoids work:

- state copies by field instead of through pickling protocols (negmas/mechanisms.py:2045, 2618);
- negotiators that find their own methods directly; negmas' look each attribute up in their controller first
  (negmas/negotiators/controlled.py:49). Agents that override one of the rarer callbacks keep negmas' own;
- the callbacks of every round only where some agent overrides one.
"""

from __future__ import annotations

import functools
import math
from operator import attrgetter
from typing import Any

import attrs
from negmas.negotiators import Controller
from negmas.sao import ControlledSAONegotiator, SAOMechanism, SAOState
from scml.oneshot.agent import OneShotAgent

_FIELDS = tuple(field.name for field in attrs.fields(SAOState))
_READ = attrgetter(*_FIELDS)

_CALLBACKS = (
    "on_round_start",
    "on_round_end",
    "on_leave",
    "on_mechanism_error",
    "on_notification",
    "on_partner_proposal",
    "on_partner_response",
    "on_negotiator_entered",
    "on_negotiator_left",
)


def copy_state(state: SAOState) -> SAOState:
    """A copy of a negotiation's state that shares nothing which negmas changes in place."""
    new = object.__new__(SAOState)
    for name, value in zip(_FIELDS, _READ(state), strict=True):
        object.__setattr__(new, name, value)
    object.__setattr__(new, "new_offers", list(state.new_offers))
    return new


class DeterministicMechanism(SAOMechanism):
    """`SAOMechanism` without wall-clock limits; relative time counts rounds only."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        # one random number is drawn whenever a new second has passed (mechanisms.py:2755): never
        self._Mechanism__last_second_tried = math.inf

    @property
    def state4history(self) -> Any:
        """The state as it is kept in the history."""
        return copy_state(self._current_state)

    def _state_for_nmi(self, nmi: Any) -> Any:
        state = copy_state(self._current_state)
        object.__setattr__(state, "relative_time", self._relative_time_for(nmi))
        return state

    def _relative_time_for(self, nmi: Any) -> float:
        return min(1.0, (self._current_state.step + 1) / (nmi.n_steps + 1))


class DeterministicNegotiator(ControlledSAONegotiator):
    """`ControlledSAONegotiator`, which hands everything to its controller by methods of its own."""

    # as for any plain class; the checker takes it for an override that changes the signature
    __getattribute__: Any = object.__getattribute__


def uses_callbacks(player: OneShotAgent) -> bool:
    """Whether an agent overrides one of the callbacks that negmas makes in every round."""
    return any(getattr(type(player), n, None) is not getattr(OneShotAgent, n, None) for n in _CALLBACKS)


def make_deterministic(player: OneShotAgent) -> None:
    """Give an agent deterministic negotiators, unless it makes its own or relies on negmas' way of finding methods."""
    if type(player).make_negotiator is Controller.make_negotiator and not uses_callbacks(player):
        agent: Any = player  # a method of this one agent: its class plays in other worlds too
        agent.make_negotiator = functools.partial(_make_negotiator, player)


def _make_negotiator(player: OneShotAgent, negotiator_type: Any = None, name: str | None = None, **kwargs: Any) -> Any:
    """As ``Controller.make_negotiator``, a `DeterministicNegotiator` where negmas' own is asked for."""
    if negotiator_type in (None, ControlledSAONegotiator):
        negotiator_type = DeterministicNegotiator
    return Controller.make_negotiator(player, negotiator_type, name, **kwargs)
