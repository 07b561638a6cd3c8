"""Seats: the scml agents through which a FactoryPolicy plays a factory of a real world.

One seat class for each way of being asked. The reference world, deployment in scml's tournaments and user-written
policies all go through them, so an agent meets the same views everywhere.
"""

from __future__ import annotations

from typing import Any, cast

from negmas.gb.common import ResponseType
from negmas.outcomes import Outcome
from negmas.sao.common import SAOResponse, SAOState
from negmas.situated import Contract
from scml.oneshot.agent import OneShotAgent, OneShotSyncAgent
from scml.oneshot.common import QUANTITY, UNIT_PRICE, is_system_agent

from scml_gym.game.world import FactoryPolicy
from scml_gym.oneshot.actions.factory import repair
from scml_gym.oneshot.view import ACCEPT, BUYER, OFFER, SELLER, ActionArray, FactoryView, new_view

RESPONSES = {ACCEPT: ResponseType.ACCEPT_OFFER, OFFER: ResponseType.REJECT_OFFER}
"""negmas' response for each of ours; all others end the negotiation."""


class Adapter:
    """What all seats share: the view of the factory, kept up to date by scml's callbacks, and its policy.

    Mixed into a scml agent class; ``policy`` must be set before the world's first day. ``decisions``, ``invalid``,
    ``agreements`` and ``negotiations`` count what the policy decided, how many of its answers were not playable, and
    what came of it.
    """

    _awi: Any
    policy: FactoryPolicy

    @property
    def awi(self) -> Any:
        """The factory's view of its scml world, a ``OneShotAWI``."""
        return self._awi

    def init(self) -> None:
        """Fill the fields that hold for the whole world."""
        awi = self.awi
        self.decisions = self.invalid = self.agreements = self.negotiations = 0
        self.view: FactoryView = new_view()
        level = SELLER if awi.is_first_level else BUYER
        partners = awi.my_consumers if level == SELLER else awi.my_suppliers
        self.slots = {agent: k for k, agent in enumerate(p for p in partners if not is_system_agent(p))}
        self.names = list(self.slots)
        rivals = [a for a in (awi.all_suppliers[1] if level == SELLER else awi.all_consumers[1])]
        position = rivals.index(awi.agent.id)
        view = self.view
        view["n_days"] = awi.n_steps
        view["level"] = level
        view["factory"] = position if level == SELLER else len(self.names) + position
        view["n_partners"] = len(self.names)
        view["n_competitors"] = len(rivals) - 1
        view["lines"] = awi.n_lines
        view["production_cost"] = awi.profile.cost
        view["initial_balance"] = awi._world.initial_balances[awi.agent.id]

    def before_step(self) -> None:
        """Fill the fields of a new day; on the first one the policy is told that a world begins."""
        awi, view = self.awi, self.view
        seller = view["level"] == SELLER
        view["day"] = awi.current_step
        view["decision"] = 0
        view["agreed_quantity"] = 0
        if seller:
            quantity, total = awi.current_exogenous_input_quantity, awi.current_exogenous_input_price
        else:
            quantity, total = awi.current_exogenous_output_quantity, awi.current_exogenous_output_price
        view["exogenous_quantity"] = quantity
        view["exogenous_price"] = total / quantity if quantity else 0.0
        view["needs"] = min(int(view["lines"]), quantity)
        summary = awi.exogenous_contract_summary
        view["total_supply"], view["total_demand"] = summary[0][0], summary[-1][0]
        view["shortfall_penalty"] = awi.current_shortfall_penalty
        view["disposal_cost"] = awi.current_disposal_cost
        view["input_price"] = awi.penalty_multiplier(True, None)
        view["output_price"] = awi.penalty_multiplier(False, None)
        view["balance"] = awi.current_balance
        issues = awi.current_output_issues if seller else awi.current_input_issues
        view["min_quantity"], view["max_quantity"] = issues[QUANTITY].min_value, issues[QUANTITY].max_value
        view["min_price"], view["max_price"] = issues[UNIT_PRICE].min_value, issues[UNIT_PRICE].max_value
        partners = view["partners"]
        partners[:] = 0
        partners["exists"][: len(self.names)] = 1
        negotiators = cast("OneShotAgent", self).negotiators
        for agent, (negotiator, _) in negotiators.items():
            partner = partners[self.slots[agent]]
            partner["running"] = 1
            view["n_rounds"] = negotiator.nmi.n_steps
        self.negotiations += len(negotiators)
        partners["relative_time"] = partners["running"] / (view["n_rounds"] + 1)
        if view["day"] == 0:
            self.policy.begin(view)

    def step(self) -> None:
        """The day's negotiations are over."""
        self.view["partners"]["running"] = 0
        self.view["partners"]["my_turn"] = 0
        self.policy.end_day(self.view)

    def on_negotiation_success(self, contract: Contract, mechanism: Any) -> None:
        """Book an agreement at once: later decisions of the same pass see it."""
        self.agreements += 1
        view = self.view
        partner = view["partners"][self.slots[self._partner(contract.annotation)]]
        partner["running"] = 0
        partner["agreed_quantity"] = contract.agreement["quantity"]
        partner["agreed_price"] = contract.agreement["unit_price"]
        view["agreed_quantity"] += contract.agreement["quantity"]
        view["needs"] = min(int(view["lines"]), int(view["exogenous_quantity"] - view["agreed_quantity"]))

    def on_negotiation_failure(self, partners: list[str], annotation: dict, mechanism: Any, state: SAOState) -> None:
        """Book a negotiation that ended without agreement."""
        self.view["partners"][self.slots[self._partner(annotation)]]["running"] = 0

    def _partner(self, annotation: dict) -> str:
        return annotation["buyer"] if self.view["level"] == SELLER else annotation["seller"]

    def _see_offer(self, agent: str, offer: Outcome | None, state: SAOState) -> None:
        """Write a partner's standing offer into its slot, and that an answer is asked for."""
        partner = self.view["partners"][self.slots[agent]]
        if offer is not None:
            partner["offer_quantity"], partner["offer_price"] = offer[QUANTITY], offer[UNIT_PRICE]
        partner["step"] = state.step
        partner["relative_time"] = (state.step + 1) / (self.view["n_rounds"] + 1)
        partner["my_turn"] = 1

    def _decide(self) -> ActionArray:
        """Ask the policy, check its answers and book them."""
        view, partners = self.view, self.view["partners"]
        actions = self.policy.act(view)
        self.invalid += repair(view, actions)
        self.decisions += 1
        view["decision"] += 1
        for k, (response, quantity, price) in enumerate(actions.tolist()):
            if response == OFFER:
                partners[k]["my_quantity"], partners[k]["my_price"] = quantity, price
        partners["my_turn"] = 0
        return actions

    def _outcome(self, action: Any) -> tuple[int, int, int]:
        return (int(action["quantity"]), int(self.view["day"]), int(action["price"]))


class SyncAdapter(Adapter, OneShotSyncAgent):
    """A seat that answers all partners together, exactly where scml's ``OneShotSyncAgent`` is asked."""

    def first_proposals(self) -> dict[str, Outcome | None]:
        """The buyer opens all negotiations; a seller's first proposals are never sent, so its policy is not asked."""
        agents = list(self.negotiators)
        if self.view["level"] == SELLER:
            return dict.fromkeys(agents)
        for agent, (negotiator, _) in self.negotiators.items():
            if self.view["partners"][self.slots[agent]]["running"]:
                self._see_offer(agent, None, negotiator.nmi.state)
        actions = self._decide()
        return {a: self._proposal(actions[self.slots[a]]) for a in agents}

    def counter_all(self, offers: dict[str, Outcome | None], states: dict[str, SAOState]) -> dict[str, SAOResponse]:
        """Answer the offers that are in; the other negotiations go on waiting (a missing key would end them)."""
        for agent, offer in offers.items():
            self._see_offer(agent, offer, states[agent])
        actions = self._decide()
        answers = {a: SAOResponse(ResponseType.WAIT, None) for a in self.negotiators if a not in offers}
        for agent, offer in offers.items():
            action = actions[self.slots[agent]]
            response = RESPONSES.get(int(action["response"]), ResponseType.END_NEGOTIATION)
            outcome = offer if response == ResponseType.ACCEPT_OFFER else self._proposal(action)
            answers[agent] = SAOResponse(response, outcome)
        return answers

    def _proposal(self, action: Any) -> Outcome | None:
        return self._outcome(action) if action["response"] == OFFER else None


class AsyncAdapter(Adapter, OneShotAgent):
    """A seat that answers each negotiation by itself, as scml's ``OneShotAgent`` is asked."""

    def before_step(self) -> None:
        """A new day: no counter-offer is kept from the last one."""
        self._counters: dict[str, Outcome] = {}
        super().before_step()

    def respond(self, negotiator_id: str, state: SAOState, source: str | None = None) -> ResponseType:
        """Answer a standing offer; a counter-offer is handed over in the ``propose`` that follows."""
        self._see_offer(negotiator_id, state.current_offer, state)
        action = self._decide()[self.slots[negotiator_id]]
        if action["response"] == OFFER:
            self._counters[negotiator_id] = self._outcome(action)
        return RESPONSES.get(int(action["response"]), ResponseType.END_NEGOTIATION)

    def propose(self, negotiator_id: str, state: SAOState) -> Outcome | None:
        """The counter-offer decided with the response, or a first offer."""
        if negotiator_id in self._counters:
            return self._counters.pop(negotiator_id)
        self._see_offer(negotiator_id, None, state)
        action = self._decide()[self.slots[negotiator_id]]
        return self._outcome(action) if action["response"] == OFFER else None
