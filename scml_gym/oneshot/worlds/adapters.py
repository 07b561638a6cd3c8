"""How OneShot sees a factory of scml's simulation, and the scml agents through which its policies play one."""

from __future__ import annotations

from typing import Any

from negmas.gb.common import ResponseType
from negmas.outcomes import Outcome
from negmas.sao.common import SAOResponse, SAOState
from negmas.situated import Contract
from scml.oneshot.common import QUANTITY, UNIT_PRICE, is_system_agent

from scml_gym.oneshot.rules import book_agreement, needs_of, repair
from scml_gym.oneshot.view import ACCEPT, BUYER, NOOP, OFFER, SELLER, ActionArray, FactoryView, new_view
from scml_gym.simulator.adapters import AsyncAdapter, SyncAdapter
from scml_gym.simulator.external import MovesAdapter


class OneShotObserver:
    """The view of a factory, kept up to date with scml; a `scml_gym.simulator.adapters.Observer`.

    Args:
        agent: Any OneShot agent of scml whose world is there: who plays the factory does not matter.

    Attributes:
        view: Of the factory.
        partners: Id of each partner's agent -> the partner's index in the view.
    """

    def __init__(self, agent: Any):
        self._agent = agent
        awi = agent.awi
        self.view: FactoryView = new_view()
        level = SELLER if awi.is_first_level else BUYER
        others = awi.my_consumers if level == SELLER else awi.my_suppliers
        self.partners = {other: k for k, other in enumerate(p for p in others if not is_system_agent(p))}
        rivals = list(awi.all_suppliers[1] if level == SELLER else awi.all_consumers[1])
        position = rivals.index(awi.agent.id)
        view = self.view
        view["n_days"] = awi.n_steps
        view["level"] = level
        view["factory"] = position if level == SELLER else len(self.partners) + position
        view["n_partners"] = len(self.partners)
        view["n_competitors"] = len(rivals) - 1
        view["lines"] = awi.n_lines
        view["production_cost"] = awi.profile.cost
        view["initial_balance"] = awi._world.initial_balances[awi.agent.id]

    def begin_day(self) -> None:
        """Fill the fields of a new day."""
        awi, view = self._agent.awi, self.view
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
        view["needs"] = needs_of(view["lines"], view["exogenous_quantity"], 0)
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
        partners["exists"][: len(self.partners)] = 1
        for other, (negotiator, _) in self._agent.negotiators.items():
            partners[self.partners[other]]["running"] = 1
            view["n_rounds"] = negotiator.nmi.n_steps
        partners["relative_time"] = partners["running"] / (view["n_rounds"] + 1)

    def end_day(self) -> None:
        """The day's negotiations are over."""
        self.view["partners"]["running"] = 0
        self.forget_turns()

    def see_offer(self, partner: str, offer: Outcome | None, state: SAOState) -> None:
        """Write a partner's standing offer into the view, and that an answer is asked for."""
        record = self.view["partners"][self.partners[partner]]
        if offer is not None:
            record["offer_quantity"], record["offer_price"] = offer[QUANTITY], offer[UNIT_PRICE]
        record["step"] = state.step
        record["relative_time"] = (state.step + 1) / (self.view["n_rounds"] + 1)
        record["my_turn"] = 1

    def see_step(self, partner: str, step: int) -> None:
        """Write how far a negotiation is."""
        self.view["partners"][self.partners[partner]]["step"] = step

    def forget_turns(self) -> None:
        """No answer is asked for any more."""
        self.view["partners"]["my_turn"] = 0

    def agree(self, partner: str, contract: Contract) -> None:
        """Write an agreement into the view."""
        agreement, k = contract.agreement, self.partners[partner]
        self.view["partners"][k]["running"] = 0
        book_agreement(self.view, k, agreement["quantity"], agreement["unit_price"])

    def fail(self, partner: str) -> None:
        """A negotiation ended without agreement."""
        self.view["partners"][self.partners[partner]]["running"] = 0

    def opens(self, partner: str) -> bool:
        """The buyer makes the first offer."""
        return bool(self.view["level"] == BUYER and self.view["partners"][self.partners[partner]]["running"])

    def take(self, actions: ActionArray) -> int:
        """Make a decision's answers playable, in place, and show them; returns how many were not."""
        view, partners = self.view, self.view["partners"]
        invalid = repair(view, actions)
        view["decision"] += 1
        for k, (response, quantity, price) in enumerate(actions.tolist()):
            if response == OFFER:
                partners[k]["my_quantity"], partners[k]["my_price"] = quantity, price
        self.forget_turns()
        return invalid

    def answer(self, actions: ActionArray, partner: str, offer: Outcome | None) -> SAOResponse | None:
        """The checked answer to a partner as negmas takes it; None for a no-op."""
        response, quantity, price = actions[self.partners[partner]].tolist()
        if response == NOOP:
            return None
        if response == ACCEPT:
            return SAOResponse(ResponseType.ACCEPT_OFFER, offer)
        if response == OFFER:
            return SAOResponse(ResponseType.REJECT_OFFER, (quantity, int(self.view["day"]), price))
        return SAOResponse(ResponseType.END_NEGOTIATION, None)


class OneShotSyncAdapter(SyncAdapter):
    """Plays a synchronous policy of OneShot: all partners are answered together."""

    observer_type = OneShotObserver


class OneShotAsyncAdapter(AsyncAdapter):
    """Plays a policy of OneShot that answers each negotiation by itself."""

    observer_type = OneShotObserver


class OneShotMovesAdapter(MovesAdapter):
    """Plays an external factory of OneShot in ``"moves"`` timing."""

    observer_type = OneShotObserver


def agent_class(player: Any, timing: str) -> tuple[type, dict[str, Any]]:
    """The scml agent class, with its keyword arguments, that plays a factory for a player: a policy, an agent class
    with arguments itself, or None for an external factory."""
    if player is None:
        return (OneShotMovesAdapter if timing == "moves" else OneShotSyncAdapter), {}
    if isinstance(player, tuple):
        return player
    return (OneShotSyncAdapter if player.synchronous else OneShotAsyncAdapter), {}
