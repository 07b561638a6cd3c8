"""scml's Standard world as it is, for comparison with the reference world: changed only in what makes it repeat.

These are the order of sets, the seeds of the global generators, which are set before the world is made, and the wall
clock: play it under `scml_gym.simulator.clock.stopped_clock`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scml.std.world import SCML2024StdWorld

from scml_gym.simulator.deterministic_world import OrderedWorld, world_arguments
from scml_gym.simulator.paused_world import PausedWorld
from scml_gym.simulator.scml_parameters import set_daily_costs, simulation_parameters
from scml_gym.standard.players import Player
from scml_gym.standard.view import MOST_HORIZON
from scml_gym.standard.worlds.adapters import agent_class
from scml_gym.standard.worlds.reference import ReferenceWorld
from scml_gym.standard.worlds.simulation import note_stock
from scml_gym.standard.worlds.spec import WorldSpec


class OfficialSimulation(OrderedWorld, SCML2024StdWorld):
    """`SCML2024StdWorld` with its sets in order, whose stocks are written down.

    Attributes:
        stock: As of `scml_gym.standard.worlds.simulation.StandardSimulation`.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.stock = np.zeros((len(self.factory_ids), self.n_steps + 1), dtype=np.int64)

    def simulation_step(self, stage: int = 0) -> None:
        """A day's stages."""
        super().simulation_step(stage)
        if stage:
            note_stock(self, self.stock)


class OfficialWorld(ReferenceWorld):
    """A `ReferenceWorld` over `OfficialSimulation`: with the league's stock rule and clocks.

    Args:
        spec: The world's parameters.
        players: For each factory who plays it.
        seed: Of the global generators.
        folder: For scml's logs.
        horizon: Days ahead that goods are traded for.
    """

    def __init__(
        self, spec: WorldSpec, players: Sequence[Player], seed: int, folder: Path, horizon: int = MOST_HORIZON
    ):
        who = [agent_class(player) for player in players]

        def make(name: str) -> OfficialSimulation:
            parameters = simulation_parameters(spec, "storage_cost")
            arguments = world_arguments(who, name) | {"log_folder": str(folder), "horizon": horizon}
            world = OfficialSimulation(**parameters, **arguments)
            set_daily_costs(world, spec, "storage_cost")
            return world

        PausedWorld.__init__(self, spec, players, seed, make)


def differences(world: ReferenceWorld, other: ReferenceWorld) -> list[str]:
    """In what two played worlds differ, to the last bit: contracts, profits, prices, stocks, bankruptcies or scores."""
    names = ("contracts", "profits", "trading_prices", "stock", "bankrupt", "scores")
    return [name for name in names if not np.array_equal(getattr(world, name), getattr(other, name))]
