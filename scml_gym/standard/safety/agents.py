"""Agents of scml whose answers are looked at, or changed, before the simulation has them.

Whoever plays a factory, what it answers is put into the array of answers that views go with; so one layer serves all of
them. Agents that answer all partners together are asked as they are; those that answer each negotiation by itself too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from negmas.gb.common import ResponseType
from negmas.outcomes import Outcome
from negmas.sao.common import SAOResponse, SAOState
from scml.oneshot.agent import OneShotSyncAgent
from scml.oneshot.common import QUANTITY, TIME, UNIT_PRICE

from scml_gym.standard.safety.answers import restrict_answers
from scml_gym.standard.safety.bounds import BOUNDS
from scml_gym.standard.view import ACCEPT, END, OFFER, ActionArray, StandardView, new_actions
from scml_gym.standard.worlds.adapters import StandardObserver, write_books

Look = Callable[[StandardView, ActionArray], object]
"""``(view, actions)``: sees what an agent answers to a view, and may change it in place."""


class Answers:
    """What an agent answers, as arrays beside views; see `look_at`.

    Args:
        agent: An scml agent of the Standard track, whose world is there.
        look: Is shown every decision.
    """

    def __init__(self, agent: Any, look: Look):
        self._agent, self._look = agent, look
        self._observer = StandardObserver(agent)
        self._counters: dict[str, Outcome] = {}
        self.begin_day()

    def begin_day(self) -> None:
        """A day starts: all its negotiations are there."""
        self._observer.begin_day()
        self._counters.clear()

    def see(self) -> StandardView:
        """The view of now, with what was agreed since the last decision."""
        view, awi = self._observer.view, self._agent.awi
        write_books(view, awi)
        running = {agent: negotiator.nmi for agent, (negotiator, _) in self._agent.negotiators.items()}
        for agent, k in self._observer.partners.items():
            nmi = running.get(agent)
            view["partners"][k]["running"] = nmi is not None and nmi.state.running
        return view

    def first(self, offers: dict[str, Outcome | None]) -> dict[str, Outcome | None]:
        """First offers, after a look at them; those of a factory that does not open are never sent."""
        view, observer = self.see(), self._observer
        opening = {agent: offer for agent, offer in offers.items() if observer.opens(agent)}
        for agent in opening:
            observer.see_offer(agent, None, self._agent.negotiators[agent][0].nmi.state)
        actions = new_actions()
        for agent, offer in opening.items():
            if offer is not None:
                self._put(actions, agent, offer)
        before = actions.copy()
        self._look(view, actions)
        observer.take(actions.copy())
        return offers | {agent: self._outcome(actions, before, agent, opening[agent]) for agent in opening}

    def all(
        self, offers: dict[str, Outcome | None], states: dict[str, SAOState], responses: dict[str, SAOResponse]
    ) -> dict[str, SAOResponse]:
        """Responses to the offers that are in, after a look at them."""
        view, observer, actions = self.see(), self._observer, new_actions()
        for agent, offer in offers.items():
            observer.see_offer(agent, offer, states[agent])
            self._read(actions, agent, responses.get(agent))
        before = actions.copy()
        self._look(view, actions)
        observer.take(actions.copy())
        changed = dict(responses)
        for agent, offer in offers.items():
            k = observer.partners[agent]
            answer = observer.answer(actions, agent, offer)
            if actions[k] != before[k] and answer is not None:
                changed[agent] = answer
        return changed

    def one(self, agent: str, offer: Outcome | None, state: SAOState, response: SAOResponse) -> SAOResponse:
        """The response in one negotiation, after a look at it."""
        return self.all({agent: offer}, {agent: state}, {agent: response})[agent]

    def respond(self, respond: Callable[..., Any], agent: str, state: SAOState, source: str | None) -> Any:
        """`OneShotAgent.respond`: an acceptance is looked at; a counter-offer that takes its place is kept."""
        given = respond(agent, state, source)
        if given != ResponseType.ACCEPT_OFFER:
            return given
        response = self.one(
            agent, state.current_offer, state, SAOResponse(ResponseType.ACCEPT_OFFER, state.current_offer)
        )
        if response.response == ResponseType.REJECT_OFFER and response.outcome is not None:
            self._counters[agent] = response.outcome
        return response.response

    def propose(self, propose: Callable[..., Any], agent: str, state: SAOState) -> Outcome | None:
        """`OneShotAgent.propose`: an offer is looked at."""
        if agent in self._counters:
            return self._counters.pop(agent)
        offer = propose(agent, state)
        if offer is None:
            return None
        standing = state.current_offer if state.current_proposer_agent != self._agent.id else None
        response = self.one(agent, standing, state, SAOResponse(ResponseType.REJECT_OFFER, offer))
        return response.outcome

    def _read(self, actions: ActionArray, agent: str, response: SAOResponse | None) -> None:
        """Put a response into the array: no answer for one that waits."""
        k = self._observer.partners[agent]
        if response is None or response.response == ResponseType.END_NEGOTIATION:
            actions[k]["response"] = END
        elif response.response == ResponseType.ACCEPT_OFFER:
            actions[k]["response"] = ACCEPT
        elif response.response == ResponseType.REJECT_OFFER and response.outcome is not None:
            self._put(actions, agent, response.outcome)

    def _put(self, actions: ActionArray, agent: str, offer: Outcome) -> None:
        """Put an offer into the array; negmas takes numbers that are not whole for their whole part."""
        action = actions[self._observer.partners[agent]]
        action["response"] = OFFER
        action["quantity"], action["day"], action["price"] = (int(offer[i]) for i in (QUANTITY, TIME, UNIT_PRICE))

    def _outcome(self, actions: ActionArray, before: ActionArray, agent: str, offer: Outcome | None) -> Outcome | None:
        """A first offer after the look; None where it was taken away."""
        k = self._observer.partners[agent]
        if actions[k] == before[k]:
            return offer
        answer = self._observer.answer(actions, agent, None)
        return None if answer is None else answer.outcome


def look_at(agent: Any, look: Look) -> None:
    """Show a function every decision of an agent; to be called before its first day.

    Args:
        agent: Any scml agent of the Standard track.
        look: See `Look`; what it changes is what the simulation has.
    """
    answers: list[Answers] = []  # made on the first day, when the agent's world is there
    before_step = agent.before_step

    def begin_day() -> None:
        if answers:
            answers[0].begin_day()
        else:
            answers.append(Answers(agent, look))
        before_step()

    agent.before_step = begin_day
    if isinstance(agent, OneShotSyncAgent):
        first_proposals, counter_all = agent.first_proposals, agent.counter_all

        agent.first_proposals = lambda: answers[0].first(first_proposals())
        agent.counter_all = lambda offers, states: answers[0].all(offers, states, counter_all(offers, states))
    else:
        respond, propose = agent.respond, agent.propose

        def answer(negotiator_id: str, state: SAOState, source: str | None = None) -> Any:
            return answers[0].respond(respond, negotiator_id, state, source)

        def ask(negotiator_id: str, state: SAOState) -> Any:
            return answers[0].propose(propose, negotiator_id, state)

        agent.respond, agent.propose = answer, ask


@functools.cache
def shielded_class(agent: type, bound: int, chance: float) -> type:
    """The class of agents that are those of another class, whose answers are made safe; see `shield_player`."""

    def make(self: Any, *arguments: Any, **named: Any) -> None:
        super(shielded, self).__init__(*arguments, **named)
        look_at(self, lambda view, actions: restrict_answers(view, actions, BOUNDS[bound], chance))

    shielded = type(
        f"Shielded{agent.__name__}", (agent,), {"__init__": make, "__doc__": f"{agent.__name__}, shielded."}
    )
    return shielded
