"""How the Standard track sees a factory of scml's simulation, and the scml agents through which policies play one."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from negmas.outcomes import Outcome
from negmas.situated import Contract
from scml.oneshot.common import QUANTITY, TIME, UNIT_PRICE, is_system_agent

from scml_gym.core.errors import InputError
from scml_gym.simulator.adapters import AsyncAdapter, SyncAdapter, playing_class
from scml_gym.simulator.observer import ViewObserver
from scml_gym.standard.rules import book_agreement, opens_negotiations, repair
from scml_gym.standard.view import BOOK_DAYS, MAX_LEVELS, MAX_PER_LEVEL, MIN_LEVELS, MOST_HORIZON, new_view


class StandardObserver(ViewObserver):
    """The view of a factory, kept up to date with scml.

    Args:
        agent: Any agent of a Standard world of scml, which is there: who plays the factory does not matter.

    Raises:
        InputError: if the world has more levels, factories or days ahead than a view holds.
    """

    issues: ClassVar = {"quantity": QUANTITY, "day": TIME, "price": UNIT_PRICE}
    repair: ClassVar = staticmethod(repair)

    def __init__(self, agent: Any):
        awi = agent.awi
        levels = [[a for a in factories if not is_system_agent(a)] for factories in awi.all_consumers[:-1]]
        sizes = [len(factories) for factories in levels]
        if not MIN_LEVELS <= len(sizes) <= MAX_LEVELS or max(sizes) > MAX_PER_LEVEL or awi.horizon > MOST_HORIZON:
            raise InputError(
                f"levels of {', '.join(map(str, sizes))} factories, horizon {awi.horizon}; valid: {MIN_LEVELS} to "
                f"{MAX_LEVELS} levels of 1 to {MAX_PER_LEVEL} factories, horizon 0 to {MOST_HORIZON}"
            )
        level = awi.level
        suppliers = levels[level - 1] if level > 0 else []
        consumers = levels[level + 1] if level + 1 < len(levels) else []
        partners = {other: k for k, other in enumerate(suppliers)}
        partners |= {other: MAX_PER_LEVEL + k for k, other in enumerate(consumers)}
        super().__init__(agent, new_view(), partners)
        view = self.view
        view["n_days"] = awi.n_steps
        view["level"], view["n_levels"] = level, len(levels)
        view["factory"] = sum(sizes[:level]) + levels[level].index(awi.agent.id)
        view["n_suppliers"], view["n_consumers"] = len(suppliers), len(consumers)
        view["n_competitors"] = sizes[level] - 1
        view["lines"] = awi.n_lines
        view["physical"] = getattr(awi._world, "physical", False)  # scml's own worlds have the league's rule
        view["production_cost"] = awi.profile.cost
        view["initial_balance"] = awi._world.initial_balances[awi.agent.id]

    def begin_day(self) -> None:
        """Fill the fields of a new day."""
        awi, view = self._agent.awi, self.view
        view["day"] = awi.current_step
        view["decision"] = 0
        view["stock"] = awi.current_inventory_input
        bought, paid = awi.current_exogenous_input_quantity, awi.current_exogenous_input_price
        sold, received = awi.current_exogenous_output_quantity, awi.current_exogenous_output_price
        view["exogenous_supply"], view["exogenous_supply_price"] = bought, paid / bought if bought else 0.0
        view["exogenous_sales"], view["exogenous_sales_price"] = sold, received / sold if sold else 0.0
        summary = awi.exogenous_contract_summary
        view["total_supply"], view["total_demand"] = summary[0][0], summary[-1][0]
        view["shortfall_penalty"] = awi.current_shortfall_penalty
        view["storage_cost"] = awi.current_storage_cost
        view["input_price"] = awi.penalty_multiplier(True, None)
        view["output_price"] = awi.penalty_multiplier(False, None)
        view["balance"] = awi.current_balance
        self._begin_ranges()
        write_books(view, awi)
        self.begin_partners()

    def _begin_ranges(self) -> None:
        """What today's offers must keep to; scml's issues of a product that nobody negotiates about are out of date."""
        awi, view = self._agent.awi, self.view
        sides = {"input": (view["n_suppliers"], "current_input_issues")}
        sides["output"] = view["n_consumers"], "current_output_issues"
        for side, (n, name) in sides.items():
            if n:
                issues = getattr(awi, name)
                prices = issues[UNIT_PRICE]
                view[f"min_{side}_price"], view[f"max_{side}_price"] = prices.min_value, prices.max_value
                view["min_quantity"], view["max_quantity"] = issues[QUANTITY].min_value, issues[QUANTITY].max_value
                view["last_day"] = issues[TIME].max_value

    def agree(self, partner: str, contract: Contract) -> None:
        """Write an agreement into the view."""
        agreement, k = contract.agreement, self.partners[partner]
        self.view["partners"][k]["running"] = 0
        book_agreement(self.view, k, agreement["quantity"], agreement["time"], agreement["unit_price"])

    def opens(self, partner: str) -> bool:
        """Every second level makes the first offers, to all its partners."""
        view = self.view
        first = opens_negotiations(view["level"], view["n_levels"])
        return bool(first and view["partners"][self.partners[partner]]["running"])

    def outcome(self, *offer: int) -> Outcome:
        """What an answer offers."""
        return offer


def write_books(record: Any, awi: Any) -> None:
    """Write what a factory has agreed to buy and to sell, from today on.

    Args:
        record: With ``supplies`` and ``sales``, items by days from today, and, where it has them, ``supplies_cost`` and
            ``sales_revenue``, money by days from today; see `scml_gym.standard.view.VIEW_DTYPE`.
        awi: What scml lets the factory know.

    Source: scml/oneshot/awi.py, ``total_supplies_at`` and ``total_sales_at``; nullified contracts stay in them.
    """
    today = awi.current_step
    days = range(today, today + BOOK_DAYS)
    record["supplies"] = [awi.total_supplies_at(day) for day in days]
    record["sales"] = [awi.total_sales_at(day) for day in days]
    if "supplies_cost" in record.dtype.names:
        record["supplies_cost"] = _totals(today, awi.supplies_cost, awi.future_supplies_cost)
        record["sales_revenue"] = _totals(today, awi.sales_cost, awi.future_sales_cost)


def _totals(today: int, now: dict[str, int], later: dict[int, dict[str, int]]) -> np.ndarray:
    """Money by days from today, of all partners together."""
    totals = np.zeros(BOOK_DAYS, dtype=np.int64)
    totals[0] = sum(now.values())
    for day, by_partner in later.items():
        totals[day - today] = sum(by_partner.values())
    return totals


class StandardSyncAdapter(SyncAdapter):
    """Plays a synchronous policy of the Standard track: all partners, on both sides, are answered together."""

    observer_type = StandardObserver


class StandardAsyncAdapter(AsyncAdapter):
    """Plays a policy of the Standard track that answers each negotiation by itself."""

    observer_type = StandardObserver


def agent_class(player: Any) -> tuple[type, dict[str, Any]]:
    """The scml agent class, with its keyword arguments, that plays a factory for a player: a policy, an agent class
    with arguments itself, or None for an external factory."""
    return playing_class(player, StandardSyncAdapter, StandardAsyncAdapter, StandardSyncAdapter)
