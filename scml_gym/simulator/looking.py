"""Agents of scml whose answers are looked at, or changed, before the simulation has them; of any track.

Whoever plays a factory, what it answers is put into the array of answers that views go with; so one layer serves all of
them. Agents that answer all partners together are asked as they are, and those that answer each negotiation by itself,
in one turn or in negmas' two, too. What an agent asks itself while it thinks is not looked at: that is never played.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from negmas.gb.common import ResponseType
from negmas.outcomes import Outcome
from negmas.sao.common import SAOResponse, SAOState
from negmas.sao.controllers import SAOSyncController
from scml.oneshot.agent import OneShotSyncAgent

from scml_gym.simulator.adapters import AsyncAdapter
from scml_gym.simulator.compiled.alternating_offers import ACCEPT, END, OFFER
from scml_gym.simulator.pending import Look


class Seen(NamedTuple):
    """How a game sees its agents.

    Attributes:
        observer_type: ``(agent) ->`` the game's `scml_gym.simulator.observer.ViewObserver`; called when the agent's
            world is there.
        new_actions: Makes an array of answers that does nothing.
    """

    observer_type: Callable[[Any], Any]
    new_actions: Callable[[], np.ndarray]


class Answers:
    """What an agent answers, as arrays beside views; see `look_at`.

    Args:
        agent: An scml agent whose world is there.
        seen: How its game sees it.
        look: Is shown every decision.
    """

    def __init__(self, agent: Any, seen: Seen, look: Look):
        self._agent, self._new_actions, self._look = agent, seen.new_actions, look
        self.observer = seen.observer_type(agent)
        self._partners: Mapping[str, int] = self.observer.partners
        self._counters: dict[str, Outcome] = {}
        self._opened: dict[str, tuple[Any, Any]] = {}  # first offers as they were made, and as they are after the look
        self._sent: set[str] = set()
        self._countered: dict[str, Any] = {}  # what was last offered in answer to offers
        self._thinking = False

    def begin_day(self) -> None:
        """A day starts: all its negotiations are there."""
        self.observer.begin_day()
        self._counters.clear()
        self._opened.clear()
        self._sent.clear()
        self._countered.clear()

    def first(self, ask: Callable[[], Any]) -> Any:
        """`OneShotSyncAgent.first_proposals`; those of a factory that does not open are never sent.

        negmas asks again where an offer is missing; what was sent, or looked at already, is not looked at twice.
        """
        if self._thinking:
            return ask()
        offers, observer = self._think(ask), self.observer
        if not isinstance(offers, Mapping):
            return offers
        left = self._partners.keys() - self._sent
        opening = {agent: offer for agent, offer in offers.items() if agent in left and observer.opens(agent)}
        new = [agent for agent, offer in opening.items() if self._opened.get(agent, (None,))[0] != offer]
        if new:
            actions = self._new_actions()
            for agent in new:
                observer.see_offer(agent, None, self._agent.negotiators[agent][0].nmi.state)
                self._put(actions, agent, opening[agent])
            self._opened |= {agent: (opening[agent], opening[agent]) for agent in new}
            for agent in self._shown(actions, new):
                answer = observer.answer(actions, agent, None)
                self._opened[agent] = opening[agent], None if answer is None else answer.outcome
        looked = {agent: self._opened[agent][1] for agent, offer in opening.items() if offer is not None}
        same = all(offer == opening[agent] for agent, offer in looked.items())
        return offers if same else dict(offers) | looked

    def send(self, ask: Callable[..., Any], partner: str, *more: Any, **named: Any) -> Any:
        """`OneShotSyncAgent.propose`, which sends what was looked at."""
        offer = ask(partner, *more, **named)
        if partner in self._sent and offer is not None and offer != self._countered.get(partner):
            # negmas lost the counter-offer, and asked for first proposals in its place
            offer = self._offered(partner, self._agent.negotiators[partner][0].nmi.state, offer)
        self._sent.add(partner)
        return offer

    def all(self, ask: Callable[..., Any], offers: Mapping[str, Outcome | None], states: Mapping[str, SAOState]) -> Any:
        """`OneShotSyncAgent.counter_all`."""
        if self._thinking:
            return ask(offers=offers, states=states)
        shown, when = dict(offers), dict(states)  # the agent may change what it is given
        responses = self._think(ask, offers=offers, states=states)
        if not isinstance(responses, Mapping):
            return responses
        actions = self._new_actions()
        for agent, offer in shown.items():
            self.observer.see_offer(agent, offer, when[agent])
            self._read(actions, agent, responses.get(agent))
        changed = self._shown(actions, shown)
        answers = {agent: self.observer.answer(actions, agent, shown[agent]) for agent in changed}
        given = {agent: answer for agent, answer in answers.items() if answer is not None}
        final = dict(responses) | given if given else responses
        self._countered |= {agent: getattr(final.get(agent), "outcome", None) for agent in shown}
        return final

    def turn(self, ask: Callable[..., SAOResponse], partner: str, state: SAOState) -> SAOResponse:
        """`AsyncAdapter.take_turn`."""
        response = self._think(ask, partner, state)
        return self._one(partner, state.current_offer, state, response)

    def respond(self, ask: Callable[..., Any], partner: str, state: SAOState, *more: Any, **named: Any) -> Any:
        """`OneShotAgent.respond`: an acceptance is looked at; a counter-offer that takes its place is kept."""
        if self._thinking:
            return ask(partner, state, *more, **named)
        given = self._think(ask, partner, state, *more, **named)
        if given != ResponseType.ACCEPT_OFFER or state.current_offer is None:
            return given
        accepted = SAOResponse(ResponseType.ACCEPT_OFFER, state.current_offer)
        response = self._one(partner, state.current_offer, state, accepted)
        if response is accepted:
            return given
        if response.response == ResponseType.REJECT_OFFER and response.outcome is not None:
            self._counters[partner] = response.outcome
        return response.response

    def propose(self, ask: Callable[..., Any], partner: str, state: SAOState, *more: Any, **named: Any) -> Any:
        """`OneShotAgent.propose`: an offer is looked at."""
        if self._thinking:
            return ask(partner, state, *more, **named)
        if partner in self._counters:
            return self._counters.pop(partner)
        offer = self._think(ask, partner, state, *more, **named)
        return None if offer is None else self._offered(partner, state, offer)

    def _offered(self, partner: str, state: SAOState, offer: Outcome) -> Any:
        """An offer, after a look at it."""
        standing = state.current_offer if state.current_proposer_agent != self._agent.id else None
        made = SAOResponse(ResponseType.REJECT_OFFER, offer)
        response = self._one(partner, standing, state, made)
        return offer if response is made else response.outcome

    def _think(self, ask: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Ask the agent."""
        self._thinking = True
        try:
            return ask(*given, **named)
        finally:
            self._thinking = False

    def _one(self, partner: str, offer: Outcome | None, state: SAOState, response: Any) -> Any:
        """The response in one negotiation, after a look at it."""
        self.observer.see_offer(partner, offer, state)
        actions = self._new_actions()
        self._read(actions, partner, response)
        if not self._shown(actions, (partner,)):
            return response
        return self.observer.answer(actions, partner, offer) or response

    def _shown(self, actions: np.ndarray, agents: Any) -> list[str]:
        """Show a decision; returns those of the agents whose answers were changed."""
        before = actions.copy()
        self._look(self.observer.view, actions)
        self.observer.take(actions.copy())
        return [agent for agent in agents if actions[self._partners[agent]] != before[self._partners[agent]]]

    def _read(self, actions: np.ndarray, agent: str, response: Any) -> None:
        """Put a response into the array: no answer for one that waits."""
        kind = getattr(response, "response", ResponseType.END_NEGOTIATION)
        if kind == ResponseType.END_NEGOTIATION:
            actions[self._partners[agent]]["response"] = END
        elif kind == ResponseType.ACCEPT_OFFER:
            actions[self._partners[agent]]["response"] = ACCEPT
        elif kind == ResponseType.REJECT_OFFER:
            self._put(actions, agent, response.outcome)

    def _put(self, actions: np.ndarray, agent: str, offer: Any) -> None:
        """Put an offer into the array. What is no offer, has numbers that are not whole, or is for a day on which
        nothing can be delivered, is none: with it negmas ends the negotiation."""
        try:
            given = [offer[place] for place in self.observer.issues.values()]
            numbers = [int(number) for number in given]
        except (TypeError, ValueError, IndexError, OverflowError):
            return
        if numbers != given or self.observer.outcome(*numbers) != tuple(offer):
            return
        actions[self._partners[agent]] = (OFFER, *numbers)


def look_at(agent: Any, seen: Seen, look: Look) -> None:
    """Show a function every decision of an agent; to be called before its first day.

    Args:
        agent: Any scml agent of the game.
        seen: How the game sees it.
        look: See `scml_gym.simulator.pending.Look`; what it changes is what the simulation has.
    """
    answers: list[Answers] = []  # made on the first day, when the agent's world is there

    def begin_day(ask: Callable[[], Any]) -> Any:
        if not answers:
            answers.append(Answers(agent, seen, look))
        answers[0].begin_day()
        return ask()

    def agree(ask: Callable[..., Any], contract: Any, *more: Any) -> Any:
        answers[0].observer.agree(_partner(agent, contract.annotation), contract)
        return ask(contract, *more)

    def fail(ask: Callable[..., Any], partners: Any, annotation: dict[str, Any], *more: Any) -> Any:
        answers[0].observer.fail(_partner(agent, annotation))
        return ask(partners, annotation, *more)

    def come_between(name: str, between: Callable[..., Any]) -> None:
        ask = getattr(agent, name)
        setattr(agent, name, lambda *given, **named: between(ask, *given, **named))

    come_between("before_step", begin_day)
    come_between("on_negotiation_success", agree)
    come_between("on_negotiation_failure", fail)
    if answers_together(type(agent)):
        come_between("first_proposals", lambda ask: answers[0].first(ask))
        come_between("propose", lambda *given, **named: answers[0].send(*given, **named))
        come_between("counter_all", lambda *given, **named: answers[0].all(*given, **named))
    elif isinstance(agent, AsyncAdapter):
        come_between("take_turn", lambda *given: answers[0].turn(*given))
    else:
        come_between("respond", lambda *given, **named: answers[0].respond(*given, **named))
        come_between("propose", lambda *given, **named: answers[0].propose(*given, **named))


def answers_together(agent: type) -> bool:
    """Whether agents of a class answer all partners together; some that negmas would have do so take each negotiation
    by itself after all."""
    itself = any(getattr(agent, name, None) is not getattr(SAOSyncController, name) for name in ("propose", "respond"))
    return issubclass(agent, OneShotSyncAgent) and not itself


def _partner(agent: Any, annotation: Mapping[str, Any]) -> str:
    seller, buyer = annotation["seller"], annotation["buyer"]
    return buyer if seller == agent.id else seller
