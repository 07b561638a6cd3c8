"""scml's OneShot world, built from a `WorldSpec`."""

from __future__ import annotations

from typing import Any

from scml.oneshot.world import SCML2024OneShotWorld

from scml_gym.oneshot.worlds.spec import WorldSpec
from scml_gym.simulator.deterministic_world import DeterministicWorld
from scml_gym.simulator.scml_parameters import set_daily_costs, simulation_parameters


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
        parameters = simulation_parameters(spec, "disposal_cost")
        super().__init__(agents, name, one_offer_per_step=one_offer_per_step, **parameters)
        set_daily_costs(self, spec, "disposal_cost")
