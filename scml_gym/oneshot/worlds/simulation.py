"""scml's OneShot world, built from a `WorldSpec`."""

from __future__ import annotations

from typing import Any

from scml.oneshot.common import OneShotExogenousContract, OneShotProfile
from scml.oneshot.world import SCML2024OneShotWorld

from scml_gym.oneshot.view import SELLER
from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.deterministic_world import DeterministicWorld


class OneShotSimulation(DeterministicWorld, SCML2024OneShotWorld):
    """`SCML2024OneShotWorld` with the parameters of a spec.

    Args:
        spec: The parameters.
        agents: For each factory of the spec, the scml agent class and its keyword arguments.
        one_offer_per_step: Step negotiations one move at a time (the league's RL mode) instead of whole rounds.
        name: Of the world.
    """

    def __init__(
        self,
        spec: WorldSpec,
        agents: list[tuple[type, dict[str, Any]]],
        one_offer_per_step: bool = False,
        name: str = "world",
    ):
        super().__init__(
            agents,
            name,
            catalog_prices=spec.catalog_prices.copy(),
            profiles=_profiles(spec),
            exogenous_contracts=_exogenous(spec),
            initial_balance=spec.initial_balance.copy(),
            n_steps=spec.n_days,
            neg_n_steps=spec.rounds,
            one_offer_per_step=one_offer_per_step,
            penalties_scale="trading",
        )
        for factory, agent in enumerate(self.factory_ids):
            self.agent_shortfall_penalty[agent] = spec.shortfall_penalty[factory].tolist()
            self.agent_disposal_cost[agent] = spec.disposal_cost[factory].tolist()


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
