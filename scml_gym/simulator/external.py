"""External factories: how the reference world hands their decisions out and takes the answers in."""

from __future__ import annotations

from typing import Any

import greenlet
from negmas.gb.common import ResponseType
from negmas.sao.common import SAOResponse
from scml.oneshot.agent import OneShotAgent

from scml_gym.oneshot.rules import repair
from scml_gym.oneshot.view import OFFER, SELLER, ActionArray, FactoryView
from scml_gym.simulator.adapters import RESPONSES, Adapter


class External:
    """The policy of an external factory: it hands the decision out of the simulation and waits for the answer."""

    synchronous = True

    def __init__(self, factory: int, simulation: greenlet.greenlet):
        self._factory = factory
        self._simulation = simulation
        self.closed: list[FactoryView] = []

    def begin(self, view: FactoryView) -> None:
        """Nothing: the environment sees the first view with the first decision."""

    def act(self, view: FactoryView) -> ActionArray:
        """Pause the simulation here until `ReferenceWorld.step` brings the answer."""
        outside = self._simulation.parent
        assert outside is not None, "an external factory decides inside a running simulation only"
        return outside.switch(self._factory)

    def end_day(self, view: FactoryView) -> None:
        """Keep the last view of the day, which the next decision's view no longer shows."""
        self.closed.append(view.copy())


class MovesAdapter(Adapter, OneShotAgent):
    """The seat of an external factory in ``"moves"`` timing: the world answers for it before each pass."""

    def propose(self, negotiator_id: str, state: Any) -> None:
        """Never asked: a negotiation in which it is this factory's turn gets its answer with the pass."""
        raise AssertionError("an external factory was asked inside the simulation")

    def look(self) -> bool:
        """Read the running negotiations; True where an answer is due in one of them."""
        partners = self.view["partners"]
        partners["my_turn"] = 0
        due = False
        details = self.awi.current_negotiation_details["sell" if self.view["level"] == SELLER else "buy"]
        for agent, detail in details.items():
            mechanism = detail.nmi._mechanism
            state = mechanism.state
            slot = self.slots[agent]
            mine = self.negotiators[agent][0].id
            received = state.current_offer is not None and state.current_proposer != mine
            if mechanism.next_negotitor_ids()[0] == mine:
                self._see_offer(agent, state.current_offer if received else None, state)
                due = True
            else:
                partners[slot]["step"] = state.step
        return due

    def answers(self, actions: ActionArray) -> dict[str, dict[str, SAOResponse]]:
        """The checked actions as negmas takes them: mechanism id -> {negotiator id: response}."""
        details = self.awi.current_negotiation_details["sell" if self.view["level"] == SELLER else "buy"]
        self.invalid += repair(self.view, actions)
        self.decisions += 1
        self.view["decision"] += 1
        result = {}
        for agent, detail in details.items():
            slot = self.slots[agent]
            partner = self.view["partners"][slot]
            if not partner["my_turn"]:
                continue
            action = actions[slot]
            response = RESPONSES.get(int(action["response"]), ResponseType.END_NEGOTIATION)
            outcome = None
            if action["response"] == OFFER:
                outcome = self._outcome(action)
                partner["my_quantity"], partner["my_price"] = action["quantity"], action["price"]
            elif response == ResponseType.ACCEPT_OFFER:
                outcome = detail.nmi._mechanism.state.current_offer
            result[detail.nmi.mechanism_id] = {self.negotiators[agent][0].id: SAOResponse(response, outcome)}
        self.view["partners"]["my_turn"] = 0
        return result
