"""How OneShot sees a factory of scml's simulation, and the scml agents through which its policies play one."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from negmas.outcomes import Outcome
from negmas.situated import Contract
from scml.oneshot.common import QUANTITY, UNIT_PRICE, is_system_agent

from scml_gym.oneshot.rules import book_agreement, needs_of, repair
from scml_gym.oneshot.view import BUYER, SELLER, WAIT, new_view
from scml_gym.simulator.adapters import AsyncAdapter, SyncAdapter, playing_class
from scml_gym.simulator.external import MovesAdapter
from scml_gym.simulator.observer import ViewObserver


class OneShotObserver(ViewObserver):
    """The view of a factory, kept up to date with scml.

    Args:
        agent: Any OneShot agent of scml whose world is there: who plays the factory does not matter.
    """

    issues: ClassVar = {"quantity": QUANTITY, "price": UNIT_PRICE}
    repair: ClassVar = staticmethod(repair)

    def __init__(self, agent: Any):
        awi = agent.awi
        level = SELLER if awi.is_first_level else BUYER
        others = awi.my_consumers if level == SELLER else awi.my_suppliers
        partners = {other: k for k, other in enumerate(p for p in others if not is_system_agent(p))}
        super().__init__(agent, new_view(), partners)
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
        self.begin_partners()

    def take(self, actions: Any) -> int:
        """Make a decision's answers playable, in place, show them, and count who is let wait how often."""
        partners = self.view["partners"]
        asked = partners["my_turn"] != 0
        invalid = super().take(actions)
        waits = actions["response"] == WAIT
        partners["waits"][asked] = np.where(waits, partners["waits"] + 1, 0)[asked]
        return invalid

    def agree(self, partner: str, contract: Contract) -> None:
        """Write an agreement into the view."""
        agreement, k = contract.agreement, self.partners[partner]
        self.view["partners"][k]["running"] = 0
        book_agreement(self.view, k, agreement["quantity"], agreement["unit_price"])

    def opens(self, partner: str) -> bool:
        """The buyer makes the first offer."""
        return bool(self.view["level"] == BUYER and self.view["partners"][self.partners[partner]]["running"])

    def outcome(self, *offer: int) -> Outcome:
        """What an answer offers, for delivery today."""
        quantity, price = offer
        return quantity, int(self.view["day"]), price


class OneShotSyncAdapter(SyncAdapter):
    """Plays a synchronous policy of OneShot: all partners are answered together."""

    observer_type = OneShotObserver


class OneShotAsyncAdapter(AsyncAdapter):
    """Plays a policy of OneShot that answers each negotiation by itself."""

    observer_type = OneShotObserver

    def init(self) -> None:
        """The agent's world is there, and with it the number of factories, which is how often negmas lets one wait."""
        super().init()
        self.view["most_waits"] = self.view["n_partners"] + self.view["n_competitors"] + 1


class OneShotMovesAdapter(MovesAdapter):
    """Plays an external factory of OneShot in ``"moves"`` timing."""

    observer_type = OneShotObserver


EXTERNAL = {"rounds": OneShotSyncAdapter, "moves": OneShotMovesAdapter, "negotiations": OneShotAsyncAdapter}
"""The adapter of an external factory, by timing."""


def agent_class(player: Any, timing: str) -> tuple[type, dict[str, Any]]:
    """The scml agent class, with its keyword arguments, that plays a factory for a player: a policy, an agent class
    with arguments itself, or None for an external factory."""
    return playing_class(player, OneShotSyncAdapter, OneShotAsyncAdapter, EXTERNAL[timing])
