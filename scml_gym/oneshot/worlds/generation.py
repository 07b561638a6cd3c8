"""World generators: where WorldSpecs come from."""

from __future__ import annotations

import numpy as np

from scml_gym.core.arguments import Range, whole_range
from scml_gym.oneshot.view import MAX_PARTNERS
from scml_gym.oneshot.worlds.spec import WorldSpec, profile_fields
from scml_gym.simulator.global_rng import GlobalStreams
from scml_gym.simulator.world_spec import MOST_DAYS


def league_spec(seed: int, days: Range = (50, 200), factories_per_level: Range = (4, 8)) -> WorldSpec:
    """A world as the league draws it: scml's own generator for the 2024 OneShot world, made a function of the seed.

    Args:
        seed: Any integer; the same one gives the same spec in every process.
        days: Simulated days, at least 3.
        factories_per_level: Drawn for each level of its own; 1 to ``MAX_PARTNERS``.

    Raises:
        InputError: if a range is empty or outside what a world can hold.

    Source: scml/oneshot/world.py, ``SCMLBaseWorld.generate``; daily penalties as in its constructor.
    """
    days = whole_range("days", days, 3, MOST_DAYS)  # scml generates no world of fewer than three days
    factories_per_level = whole_range("factories_per_level", factories_per_level, 1, MAX_PARTNERS)
    from scml.oneshot.agents import GreedyOneShotAgent
    from scml.oneshot.world import SCML2024OneShotWorld

    with GlobalStreams(seed).active():
        config = SCML2024OneShotWorld.generate(
            agent_types=[GreedyOneShotAgent],
            n_steps=days,
            n_agents_per_process=factories_per_level,
            random_agent_types=True,
        )
        profiles = config["profiles"]
        fields = profile_fields(profiles)
        penalties = fields["penalty_profile"]
        noise = np.random.randn(len(profiles), 2, config["n_steps"])
    shape = (len(profiles), config["n_steps"])
    quantity, price = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for contract in config["exogenous_contracts"]:
        factory = max(contract.seller, contract.buyer)  # the other side is the system, -1
        quantity[factory, contract.time] = contract.quantity
        price[factory, contract.time] = contract.unit_price
    return WorldSpec(
        **fields,
        initial_balance=np.array(config["initial_balance"]),
        exogenous_quantity=quantity,
        exogenous_price=price,
        shortfall_penalty=np.abs(noise[:, 0] * penalties[:, 1:2] + penalties[:, 0:1]),
        disposal_cost=np.abs(noise[:, 1] * penalties[:, 3:4] + penalties[:, 2:3]),
        catalog_prices=np.array(config["catalog_prices"]),
    )
