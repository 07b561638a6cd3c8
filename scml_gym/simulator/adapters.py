"""Adapters: the scml agents through which a policy plays a factory of a real simulation, of any track.

An adapter knows when scml asks and how it wants to be answered; there is one for each way of being asked. What a policy
sees, and what its answers mean, is the game's: an `Observer`. The reference world, deployment in scml's tournaments and
policies of one's own all go through them, so an agent meets the same views everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from negmas.gb.common import ResponseType
from negmas.outcomes import Outcome
from negmas.sao import ControlledSAONegotiator
from negmas.sao.common import SAOResponse, SAOState
from negmas.situated import Contract
from scml.oneshot.agent import OneShotAgent, OneShotSyncAgent

from scml_gym.core.arguments import brief
from scml_gym.core.errors import InputError


class Observer(Protocol):
    """How a game sees one factory of a simulation: it fills the game's view of it, and reads the answers to it.

    Partners are told by the ids of their agents.

    Attributes:
        view: The live record that policies read; has a field ``day``.
    """

    view: Any

    def begin_day(self) -> None:
        """A day starts: exogenous contracts, prices and negotiations are known."""
        ...

    def end_day(self) -> None:
        """The day's negotiations are over."""
        ...

    def see_offer(self, partner: str, offer: Outcome | None, state: SAOState) -> None:
        """An answer to this partner is asked for; its standing offer, or None where there is none."""
        ...

    def see_step(self, partner: str, step: int) -> None:
        """How far a negotiation is in which nothing is asked for."""
        ...

    def forget_turns(self) -> None:
        """No answer is asked for any more."""
        ...

    def agree(self, partner: str, contract: Contract) -> None:
        """A negotiation ended with this contract."""
        ...

    def fail(self, partner: str) -> None:
        """A negotiation ended without agreement."""
        ...

    def opens(self, partner: str) -> bool:
        """Whether the negotiation with this partner goes on, and the factory makes the first offer in it."""
        ...

    def take(self, actions: Any) -> int:
        """Make a policy's answers playable, in place, and show them; returns how many were not."""
        ...

    def answer(self, actions: Any, partner: str, offer: Outcome | None) -> SAOResponse | None:
        """The checked answer to a partner with that standing offer; None for a no-op."""
        ...


class Adapter:
    """What all adapters share: scml's callbacks reach the observer, and the policy is asked.

    Mixed into a scml agent class; a game sets ``observer_type``, and ``policy`` must be set before the world's first
    day. ``decisions``, ``invalid``, ``agreements`` and ``negotiations`` count what the policy decided, how many of its
    answers were not playable, and what came of it.

    Attributes:
        observer_type: ``(agent) -> Observer``, a class; called when the agent's world is there.
        policy: Has ``begin``, ``act``, ``end_day`` and ``synchronous``.
    """

    observer_type: Callable[[Any], Observer]
    policy: Any
    negotiators: Any
    _awi: Any

    @property
    def awi(self) -> Any:
        """What scml lets the factory know and do."""
        return self._awi

    @property
    def view(self) -> Any:
        """What the policy sees: the game's live record."""
        return self.observer.view

    def init(self) -> None:
        """The agent's world is there."""
        self.decisions = self.invalid = self.agreements = self.negotiations = 0
        self.observer = self.observer_type(self)

    def before_step(self) -> None:
        """A day starts; on the first one the policy is told that a world begins."""
        self.observer.begin_day()
        self.negotiations += len(self.negotiators)
        if self.view["day"] == 0:
            self.policy.begin(self.view)

    def step(self) -> None:
        """The day's negotiations are over."""
        self.observer.end_day()
        self.policy.end_day(self.view)

    def on_negotiation_success(self, contract: Contract, mechanism: Any) -> None:
        """Show an agreement at once: later decisions of the same pass see it."""
        self.agreements += 1
        self.observer.agree(self._partner(contract.annotation), contract)

    def on_negotiation_failure(self, partners: list[str], annotation: dict, mechanism: Any, state: SAOState) -> None:
        """Show that a negotiation ended without agreement."""
        self.observer.fail(self._partner(annotation))

    def _partner(self, annotation: dict) -> str:
        seller, buyer = annotation["seller"], annotation["buyer"]
        return buyer if seller == self.awi.agent.id else seller

    def _decide(self) -> Any:
        """Ask the policy, check its answers and show them."""
        actions = self.policy.act(self.view)
        self._take(actions)
        return actions

    def _take(self, actions: Any) -> None:
        self.invalid += self.observer.take(actions)
        self.decisions += 1


class SyncAdapter(Adapter, OneShotSyncAgent):
    """Answers all partners together, exactly where scml's ``OneShotSyncAgent`` is asked."""

    def first_proposals(self) -> dict[str, Outcome | None]:
        """First offers, where the factory opens; elsewhere they are never sent, so the policy is not asked for them."""
        agents = list(self.negotiators)
        opening = [agent for agent in agents if self.observer.opens(agent)]
        if not opening:
            return dict.fromkeys(agents)
        for agent in opening:
            self.observer.see_offer(agent, None, self.negotiators[agent][0].nmi.state)
        actions = self._decide()
        answers = {agent: self.observer.answer(actions, agent, None) for agent in agents}
        return {agent: None if answer is None else answer.outcome for agent, answer in answers.items()}

    def counter_all(self, offers: dict[str, Outcome | None], states: dict[str, SAOState]) -> dict[str, SAOResponse]:
        """Answer the offers that are in; the other negotiations go on waiting (a missing key would end them)."""
        for agent, offer in offers.items():
            self.observer.see_offer(agent, offer, states[agent])
        actions = self._decide()
        answers = {a: SAOResponse(ResponseType.WAIT, None) for a in self.negotiators if a not in offers}
        for agent, offer in offers.items():
            answer = self.observer.answer(actions, agent, offer)
            answers[agent] = answer or SAOResponse(ResponseType.END_NEGOTIATION, None)
        return answers


class TurnNegotiator(ControlledSAONegotiator):
    """A negotiator that hands each of its turns to its adapter as a whole.

    negmas asks a `ControlledSAONegotiator` for a response and then for an offer, and where nothing is offered yet for
    an offer alone, which cannot be ``WAIT``. Asked for the whole turn, an agent may answer whatever negmas takes.
    """

    # as for any plain class: negmas looks each attribute up in the controller first
    __getattribute__: Any = object.__getattribute__

    def __call__(self, state: SAOState, dest: str | None = None) -> SAOResponse:
        """The adapter's answer to the standing offer, or its first move."""
        adapter: Any = self.parent
        return adapter.take_turn(self.id, state)


class AsyncAdapter(Adapter, OneShotAgent):
    """Answers each negotiation by itself, whenever it is its turn there; also with ``WAIT``."""

    def make_negotiator(self, negotiator_type: Any = None, name: str | None = None, **kwargs: Any) -> Any:
        """A `TurnNegotiator`, whatever scml asks for."""
        return super().make_negotiator(TurnNegotiator, name, **kwargs)

    def take_turn(self, partner: str, state: SAOState) -> SAOResponse:
        """Answer a partner's standing offer, or open the negotiation."""
        offer = state.current_offer
        self.observer.see_offer(partner, offer, state)
        answer = self.observer.answer(self._decide(), partner, offer)
        return answer or SAOResponse(ResponseType.END_NEGOTIATION, None)

    def propose(self, negotiator_id: str, state: SAOState) -> Outcome | None:
        """Never asked: the negotiators ask for whole turns."""
        raise AssertionError("a negotiator that is not the adapter's own asked for an offer")


def playing_class(player: Any, synchronous: type, asynchronous: type, external: type) -> tuple[type, dict[str, Any]]:
    """The scml agent class, with its keyword arguments, that plays a factory for a player.

    Args:
        player: A policy, an agent class with arguments itself, or None for an external factory.
        synchronous: The game's adapter of policies that answer all partners together.
        asynchronous: Of those that answer each negotiation by itself.
        external: Of external factories.

    Raises:
        InputError: if it is none of these.
    """
    if player is None:
        return external, {}
    if isinstance(player, tuple):
        return player
    if not hasattr(player, "synchronous"):
        raise InputError(f"players: {brief(player)}; valid: a policy, an scml agent class with arguments, or None")
    return (synchronous if player.synchronous else asynchronous), {}
