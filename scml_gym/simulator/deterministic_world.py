"""The real OneShot world of the league, made lean and reproducible; its rules are scml's own.

What is changed, and why (line numbers of scml 0.8.4 and negmas 0.16.0):

- No folder is made and no log written (negmas/situated/world.py:612 makes one under the home directory).
- No wall-clock limit; a negotiation draws no random number for each second that passes (see `lean_negotiation`).
- Contracts and entities are kept in the order in which they came, not in sets ordered by address or random ids
  (world.py:430, 467), so execution order, and with it the last bit of prices, is the same in every run.
- Negotiations cost less (see `lean_negotiation`), and no statistics are kept.
- Agents are named by position only, so that nobody can tell a strategy by its partner's name.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any, cast

from negmas import Contract
from scml.oneshot.common import OneShotExogenousContract, OneShotProfile
from scml.oneshot.sysagents import DefaultOneShotAdapter
from scml.oneshot.world import SCML2024OneShotWorld

from scml_gym.oneshot.view import SELLER
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.negotiation import DeterministicMechanism, make_lean, uses_callbacks


class InsertionOrderedSet:
    """The part of ``set`` that negmas uses, iterated in the order of insertion."""

    def __init__(self, items: Iterable[Any] = ()):
        self._items = dict.fromkeys(items)

    def add(self, item: Any) -> None:
        """As ``set.add``."""
        self._items[item] = None

    def remove(self, item: Any) -> None:
        """As ``set.remove``."""
        del self._items[item]

    def __contains__(self, item: object) -> bool:
        return item in self._items

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._items))

    def __len__(self) -> int:
        return len(self._items)


class _OrderedContracts(defaultdict):
    """Unsigned contracts by day, each day's in order of conclusion."""

    def __init__(self, content: dict[int, Iterable[Contract]]):
        super().__init__(InsertionOrderedSet, {day: InsertionOrderedSet(c) for day, c in content.items()})


class DeterministicWorld(SCML2024OneShotWorld):
    """`SCML2024OneShotWorld` built from a `WorldSpec`.

    Args:
        spec: The parameters.
        agents: For each factory of the spec, the scml agent class and its keyword arguments.
        one_offer_per_step: Step negotiations one move at a time (the league's RL mode) instead of whole rounds.
    """

    # negmas makes this folder in its constructor: here there is none, which also turns its detailed logs off
    _extra_folder: Any = property(lambda self: None, lambda self, value: None)

    def __init__(
        self,
        spec: WorldSpec,
        agents: list[tuple[type, dict[str, Any]]],
        one_offer_per_step: bool = False,
        name: str = "world",
    ):
        no_clock: dict[str, Any] = {"time_limit": None, "neg_time_limit": None}
        no_clock |= dict.fromkeys(("neg_hidden_time_limit", "neg_step_time_limit"), math.inf)
        adapters: list[Any] = [DefaultOneShotAdapter] * spec.n_factories
        super().__init__(
            catalog_prices=spec.catalog_prices.copy(),
            profiles=_profiles(spec),
            agent_types=adapters,
            agent_params=[{"controller_type": c, "controller_params": dict(p)} for c, p in agents],
            exogenous_contracts=_exogenous(spec),
            initial_balance=spec.initial_balance.copy(),
            n_steps=spec.n_days,
            neg_n_steps=spec.rounds,
            one_offer_per_step=one_offer_per_step,
            force_signing=True,
            penalties_scale="trading",
            agent_name_reveals_type=False,
            name=name,
            **no_clock,
        )
        assert self.mechanisms is not None
        players = [self.agents[a].adapted_object for a in self.factory_ids]
        for player in players:
            make_lean(player)
        parameters: dict[str, Any] = next(iter(self.mechanisms.values()))
        parameters["extra_callbacks"] = any(uses_callbacks(p) for p in players)
        # negmas' annotation says name -> parameters, but takes a class too; a name would be looked up each time
        self.mechanisms = cast(Any, {DeterministicMechanism: parameters})
        self.save_negotiations = False
        # a set to negmas: it adds to it and iterates over it, here in order
        self._entities = cast(Any, {0: InsertionOrderedSet(self.agents.values())})
        for factory, agent in enumerate(self.factory_ids):
            self.agent_shortfall_penalty[agent] = spec.shortfall_penalty[factory].tolist()
            self.agent_disposal_cost[agent] = spec.disposal_cost[factory].tolist()

    @property
    def factory_ids(self) -> list[str]:
        """Agent ids in the order of the spec."""
        return [a for a in self.agents if a in self.agent_profiles]

    def on_contract_concluded(self, contract: Contract, to_be_signed_at: int) -> None:
        """Keep unsigned contracts in the order of their conclusion."""
        if not isinstance(self.unsigned_contracts, _OrderedContracts):
            self.unsigned_contracts = _OrderedContracts(self.unsigned_contracts)
        super().on_contract_concluded(contract, to_be_signed_at)

    def executable_contracts(self) -> Collection[Contract]:
        """Today's contracts in the order of signing (without the consistency check over the whole past)."""
        return self.contracts_per_step.get(self.current_step, [])

    def update_stats(self, stage: int) -> None:
        """Keep no statistics; profits and contracts are kept by the world itself."""


def _profiles(spec: WorldSpec) -> list[OneShotProfile]:
    return [
        OneShotProfile(
            cost=int(spec.production_cost[i]),
            input_product=int(spec.level[i]),
            n_lines=int(spec.lines[i]),
            shortfall_penalty_mean=float(spec.penalty_profile[i, 0]),
            shortfall_penalty_dev=float(spec.penalty_profile[i, 1]),
            disposal_cost_mean=float(spec.penalty_profile[i, 2]),
            disposal_cost_dev=float(spec.penalty_profile[i, 3]),
            storage_cost_mean=0.0,
            storage_cost_dev=0.0,
        )
        for i in range(spec.n_factories)
    ]


def _exogenous(spec: WorldSpec) -> list[OneShotExogenousContract]:
    """One contract a factory and day with a quantity, in scml's order: by factory, then by day."""
    contracts = []
    for i in range(spec.n_factories):
        seller = spec.level[i] == SELLER
        for day in range(spec.n_days):
            if spec.exogenous_quantity[i, day] == 0:
                continue
            parties: dict[str, Any] = {"seller": -1, "buyer": i} if seller else {"seller": i, "buyer": -1}
            contracts.append(
                OneShotExogenousContract(
                    quantity=int(spec.exogenous_quantity[i, day]),
                    unit_price=int(spec.exogenous_price[i, day]),
                    product=0 if seller else 2,
                    **parties,
                    time=day,
                    revelation_time=day,
                )
            )
    return contracts
