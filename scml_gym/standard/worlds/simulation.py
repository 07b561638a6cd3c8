"""scml's Standard world, built from a `WorldSpec`."""

from __future__ import annotations

from typing import Any

import numpy as np
from scml.std.world import SCML2024StdWorld

from scml_gym.simulator.deterministic_world import DeterministicWorld, OrderedWorld
from scml_gym.simulator.scml_parameters import set_daily_costs, simulation_parameters
from scml_gym.standard.rules import PRICE_RANGE, QUANTITY_MULTIPLIER, stock_after, stock_rule
from scml_gym.standard.worlds.spec import WorldSpec


class StandardSimulation(DeterministicWorld, SCML2024StdWorld):
    """`SCML2024StdWorld` with the parameters of a spec.

    Args:
        spec: The parameters.
        agents: For each factory of the spec, the scml agent class and its keyword arguments.
        stock: ``"league"``, or ``"physical"``: what production used is taken out of stock when a day is settled, which
            scml does not do; see `scml_gym.standard.rules.stock_after`.
        horizon: Days ahead that goods are traded for.
        name: Of the world.

    Attributes:
        physical: Whether the stock rule is the physical one.
        stock: Inputs in stock at the start of each day, int64, shape ``(n_factories, n_days + 1)``; days to come repeat
            what is known last.
    """

    def __init__(
        self,
        spec: WorldSpec,
        agents: list[tuple[type, dict[str, Any]]],
        stock: str = "league",
        horizon: int = 10,
        name: str = "world",
    ):
        self.physical = stock_rule(stock)
        self.stock = np.zeros((spec.n_factories, spec.n_days + 1), dtype=np.int64)
        # all that scml would else take from a module's table, which its own tournaments write into
        defaults: dict[str, Any] = {"price_range_fraction": PRICE_RANGE, "quantity_multiplier": QUANTITY_MULTIPLIER}
        defaults |= {"perishable": False, "price_multiplier": 0.0, "wide_price_range": False}
        defaults |= {"one_time_per_negotiation": False}
        super().__init__(agents, name, horizon=horizon, **defaults, **simulation_parameters(spec, "storage_cost"))
        set_daily_costs(self, spec, "storage_cost")

    def simulation_step(self, stage: int = 0) -> None:
        """A day's stages: it begins, and it is settled."""
        before = [self._inventory_input[agent] for agent in self.factory_ids]
        super().simulation_step(stage)
        if stage == 0:
            return
        if self.physical:
            for agent, stock in zip(self.factory_ids, before, strict=True):
                bought = self._input_quantity[agent]
                produced = stock + bought - self._penalized_quantity[agent]  # storage is paid for what was not used
                self._inventory_input[agent] = stock_after(True, stock, bought, produced)
        note_stock(self, self.stock)


def note_stock(world: OrderedWorld, table: np.ndarray) -> None:
    """Write the stocks after a day that was settled into a table of the mornings, for all days to come."""
    for factory, agent in enumerate(world.factory_ids):
        table[factory, world.current_step + 1 :] = world._inventory_input[agent]
