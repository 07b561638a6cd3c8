"""Settlement: profits, bankruptcies and counts of negotiations agree with scml's own, to the last bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scml.oneshot.agents import (
    EqualDistOneShotAgent,
    GreedyOneShotAgent,
    RandomOneShotAgent,
    SyncRandomOneShotAgent,
)

from scml_gym.oneshot.settlement import settle_world
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld
from scml_gym.simulator.line_up import negotiation_counts

AGENTS = (SyncRandomOneShotAgent, RandomOneShotAgent, GreedyOneShotAgent, EqualDistOneShotAgent)


def played(seed: int, cash: float) -> tuple[ReferenceWorld, np.ndarray]:
    """A short world with that share of the league's cash, and how many negotiations each factory was in."""
    spec = league_spec(seed, days=8, factories_per_level=(3, 5))
    spec = dataclasses.replace(spec, initial_balance=(spec.initial_balance * cash).astype(np.int64))
    world = ReferenceWorld(spec, [(AGENTS[(seed + i) % 4], {}) for i in range(spec.n_factories)], seed)
    counted = np.zeros(spec.n_factories, dtype=np.int64)
    for factory, agent in enumerate(world.agents):
        before_step = agent.before_step

        def count(factory: int = factory, agent=agent, before_step=before_step) -> None:
            counted[factory] += len(agent.negotiators)
            before_step()

        agent.before_step = count
    world.run()
    return world, counted


@pytest.mark.parametrize("cash", [1.0, 0.12, 0.04])
@pytest.mark.parametrize("seed", range(4))
def test_equals_scml(seed: int, cash: float) -> None:
    world, counted = played(seed, cash)
    table = settle_world(world.spec, world.contracts, world.trading_prices)
    assert np.array_equal(table["profit"], world.profits)
    assert np.array_equal(table["bankrupt"][:, -1] == 1, world.bankrupt)
    assert np.array_equal(negotiation_counts(world.spec.level, table["bankrupt"]), counted)
    parts = table["revenue"] - table["supplies"] - table["production"] - table["disposal"] - table["shortfall"]
    assert np.array_equal(parts, table["profit"])


def test_the_low_cash_worlds_have_bankruptcies() -> None:
    world, _ = played(0, 0.12)
    assert 0 < world.bankrupt.sum() < world.spec.n_factories
