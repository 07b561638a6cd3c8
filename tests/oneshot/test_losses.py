"""What a world's days lost, by cause: it is all of the difference to the ideal, and the ideal is that of the reward."""

from __future__ import annotations

import numpy as np
import pytest

from scml_gym.oneshot.losses import LOSSES_DTYPE, losses
from scml_gym.oneshot.players import player_maker
from scml_gym.oneshot.rewards.hindsight import compiled_hindsight_profit
from scml_gym.oneshot.settlement import settle_world, trading_prices
from scml_gym.oneshot.view import new_view
from scml_gym.oneshot.worlds.compiled.world import CompiledWorld
from scml_gym.oneshot.worlds.generation import league_spec

NAMES = LOSSES_DTYPE.names or ()
LINE_UP = ("best-subset", "greedy", "do-nothing", "best-subset", "greedy", "do-nothing")


@pytest.mark.parametrize("seed", range(3))
def test_the_causes_are_the_whole_difference_to_the_ideal_of_the_reward(seed):
    spec = league_spec(seed, days=6, factories_per_level=3)
    world = CompiledWorld(spec, [player_maker(name)(seed) for name in LINE_UP], seed)
    world.run()
    prices = trading_prices(spec, world.contracts)
    table = settle_world(spec, world.contracts, prices)
    lost = losses(spec, table, prices)
    causes = sum(lost[name] for name in NAMES[1:])
    assert np.allclose(lost["ideal_profit"] - causes, table["profit"])
    assert all(lost[name].any() for name in NAMES)
    for factory, day in np.ndindex(lost.shape):
        level, view = int(spec.level[factory]), new_view()
        view["level"], view["lines"] = level, spec.lines[factory]
        view["production_cost"], view["balance"] = spec.production_cost[factory], 1e6
        for name in ("exogenous_quantity", "exogenous_price", "disposal_cost", "shortfall_penalty"):
            view[name] = getattr(spec, name)[factory, day]
        view["input_price"], view["output_price"] = prices[level : level + 2, day]
        view["max_price"] = max(1, np.ceil(prices[1, day]))
        view["min_price"] = max(1, view["max_price"] - 1)
        assert lost["ideal_profit"][factory, day] == pytest.approx(compiled_hindsight_profit(view))
