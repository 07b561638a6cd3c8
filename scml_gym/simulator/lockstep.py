"""One world in several processes: each runs the same simulation, and who plays in another process is a puppet here.

Every call of the simulation into a player is an event: in the player's own process it is made, and what came of it is
told; in the others a puppet stands there, and takes what is told. A simulation is a function of its parameters and of
these answers, so all of them stay the same, and each player meets its own world, of scml's own classes, with nobody
else's code in it. Events carry the state of the two global generators, which players and the simulation share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from negmas.gb.common import ResponseType
from negmas.negotiators import Controller
from negmas.sao import ControlledSAONegotiator, SAOState
from negmas.sao.common import SAOResponse
from scml.oneshot.agent import OneShotAgent

from scml_gym.simulator.global_rng import global_state, same_state, set_global_state, state_heard, state_told

CALLS = (
    "init",
    "reset",
    "before_step",
    "step",
    "create_negotiator",
    "on_negotiation_success",
    "on_negotiation_failure",
)
"""Where the simulation calls an agent, but for its turns in negotiations."""

TURN = "turn"


class ProtocolError(BaseException):
    """What was told is no event, or not the one that is due; no ``except Exception`` of the simulation may swallow
    that."""


class Event(NamedTuple):
    """What came of a call of a player.

    Attributes:
        factory: Whose player.
        what: One of `CALLS`, `TURN`, or what is done before the world begins.
        value: Whether there is a result; of a turn, the answer in lists and numbers.
        generators: The state of the global generators as `scml_gym.simulator.global_rng.state_told` has it, where the
            call changed it.
    """

    factory: int
    what: str
    value: Any
    generators: Any


class Exchange(Protocol):
    """How events come from process to process."""

    def tell(self, event: Event) -> None:
        """An event of this process's own player."""
        ...

    def hear(self, factory: int, what: str) -> Event:
        """The next event, which must be this one.

        Raises:
            ProtocolError: if it is another one.
        """
        ...


class Lockstep:
    """One of the processes.

    Args:
        own: The factory whose player is here; None where all are puppets.
        exchange: With the others.
    """

    def __init__(self, own: int | None, exchange: Exchange):
        self._own, self._exchange = own, exchange

    def do(self, factory: int, what: str, act: Callable[[], Any]) -> Any:
        """Call a player, or let its puppet do the like of it."""
        before = global_state()
        result = act()
        if factory == self._own:
            self._tell(factory, what, result is not None, before)
            return result
        event = self._exchange.hear(factory, what)
        set_global_state(before if event.generators is None else state_heard(event.generators))
        return result if event.value else None

    def turn(self, factory: int, negotiator: Any, ask: Callable[[], Any]) -> Any:
        """Let a negotiator answer, whichever process its player is in."""
        before = global_state()
        if factory != self._own:
            event = self._exchange.hear(factory, TURN)
            negotiator.parent.answer = answer_heard(event.value)
            result = ask()
            set_global_state(before if event.generators is None else state_heard(event.generators))
            return result
        try:
            result = ask()
        except Exception as error:
            self._tell(factory, TURN, {"raised": f"{type(error).__name__}: {error}"}, before)
            raise
        self._tell(factory, TURN, answer_told(result[0]), before)
        return result

    def _tell(self, factory: int, what: str, value: Any, before: Any) -> None:
        now = global_state()
        self._exchange.tell(Event(factory, what, value, None if same_state(before, now) else state_told(now)))

    def player(self, factory: int, make: Callable[[], Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Who plays a factory here, as `scml_gym.simulator.players.Player` has it: made by a function, or a puppet."""
        return lambda: self.do(factory, "make", make or Puppet), {}

    def attach(self, world: Any) -> None:
        """Come between a `scml_gym.simulator.paused_world.PausedWorld` that has not started and all its agents."""
        for factory, agent in enumerate(world.agents):
            for name in CALLS:
                self._come_between(agent, factory, name)
        index = {agent: i for i, agent in enumerate(world.ids)}
        ((kind, parameters),) = world.world.mechanisms.items()

        def counter(mechanism: Any, negotiator: Any, *args: Any, **kwargs: Any) -> Any:
            return self.turn(
                index[negotiator.owner.id],
                negotiator,
                lambda: kind._safe_counter(mechanism, negotiator, *args, **kwargs),
            )

        world.world.mechanisms = cast(Any, {type(kind.__name__, (kind,), {"_safe_counter": counter}): parameters})

    def _come_between(self, agent: Any, factory: int, name: str) -> None:
        method = getattr(agent, name)

        def call(*given: Any, **named: Any) -> Any:
            return self.do(factory, name, lambda: method(*given, **named))

        setattr(agent, name, call)


class _PuppetNegotiator(ControlledSAONegotiator):
    """Answers what its puppet was told."""

    __getattribute__: Any = object.__getattribute__

    def __call__(self, state: SAOState, dest: str | None = None) -> Any:
        """The answer that is due."""
        puppet: Any = self.parent
        if isinstance(puppet.answer, Exception):
            raise puppet.answer
        return puppet.answer


class Puppet(OneShotAgent):
    """Stands where a player of another process plays.

    Attributes:
        answer: In the negotiation that is at work.
    """

    answer: SAOResponse | Exception | None = None

    def make_negotiator(self, negotiator_type: Any = None, name: str | None = None, **kwargs: Any) -> Any:
        """Whatever scml asks for, one that answers what the puppet was told."""
        return Controller.make_negotiator(self, cast(Any, _PuppetNegotiator), name, **kwargs)

    def propose(self, negotiator_id: str, state: SAOState) -> None:
        """Never asked: its negotiators are asked for whole answers."""
        raise AssertionError("a puppet was asked for an offer")


def answer_told(answer: Any) -> Any:
    """An answer in a negotiation in lists and numbers, as JSON has them."""
    if answer is None:
        return None
    response, outcome = getattr(answer, "response", None), getattr(answer, "outcome", None)
    kind = ResponseType(getattr(response, "response", response)).value
    return [kind, None if outcome is None else [_plain(number) for number in outcome]]


def answer_heard(told: Any) -> SAOResponse | Exception | None:
    """The answer that was told; an exception where the player raised.

    Raises:
        ProtocolError: if it is none.
    """
    if told is None:
        return None
    if isinstance(told, dict) and isinstance(told.get("raised"), str):
        return RuntimeError(told["raised"])
    try:
        kind, offer = told
        outcome = None if offer is None else tuple(_number(number) for number in offer)
        if outcome is not None and len(outcome) != 3:
            raise ValueError(f"an offer of {len(outcome)} numbers")
        return SAOResponse(ResponseType(kind), outcome)
    except (TypeError, ValueError) as error:
        raise ProtocolError(f"its answer in a negotiation is none ({error})") from error


def _plain(number: Any) -> Any:
    return number.item() if isinstance(number, np.generic) else number


def _number(told: Any) -> Any:
    if type(told) not in (int, float) or not abs(told) < 2**53:
        raise ValueError("an offer has something else than numbers")
    return told
