"""Settlement: whole worlds follow from their contracts, to the last bit, as scml has them."""

import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.standard.settlement import settle_world
from scml_gym.standard.worlds.generation import league_spec
from tests.helpers.standard_worlds import BUILTINS, play, poor


def played(seed, n_levels, stock, cash):
    """A short world with that share of the league's cash; random answers and scml's agents in turn."""
    spec = league_spec(seed, days=8, factories_per_level=(2, 4), n_levels=n_levels)
    names = BUILTINS if seed % 2 else None
    return play(poor(spec, cash), seed, names, stock=stock)


@pytest.mark.parametrize("stock", ["league", "physical"])
@pytest.mark.parametrize("cash", [1.0, 0.2, 0.05])
@pytest.mark.parametrize(("seed", "n_levels"), [(0, 2), (1, 3), (2, 4), (3, 4)])
def test_equals_scml(seed, n_levels, cash, stock):
    world = played(seed, n_levels, stock, cash)
    found = settle_world(world.spec, world.contracts, stock)
    assert len(world.contracts) > 10
    assert np.array_equal(found.table["profit"], world.profits)
    assert np.array_equal(found.stock, world.stock)
    assert np.array_equal(found.trading_prices, world.trading_prices)
    assert np.array_equal(found.bankrupt[:, -1], world.bankrupt)
    assert np.array_equal(found.nullified, world.contracts["nullified"] == 1)
    table = found.table
    parts = table["revenue"] - table["supplies"] - table["production"] - table["storage"] - table["shortfall"]
    assert np.array_equal(parts, table["profit"])


@pytest.mark.slow
def test_the_worlds_have_what_is_replayed():
    """Bankruptcies, nullified contracts, futures, items from stock and items missing."""
    for stock in ("league", "physical"):
        worlds = [played(seed, n_levels, stock, 0.2) for seed, n_levels in ((0, 2), (1, 3), (2, 4), (3, 4))]
        contracts = np.concatenate([world.contracts for world in worlds])
        assert any(0 < world.bankrupt.sum() < world.spec.n_factories for world in worlds)
        assert contracts["nullified"].sum() > 5
        assert (contracts["delivery"] > contracts["day"]).sum() > 50
        found = [settle_world(world.spec, world.contracts, stock) for world in worlds]
        assert any(f.stock.max() > 10 for f in found)
        assert any(f.table["missing"].sum() > 10 for f in found)


@pytest.mark.parametrize("seed", range(3))
def test_what_production_takes_out_of_stock_is_the_only_difference_between_the_rules(seed):
    """The same contracts settled by both, with so much cash that nobody's bankruptcy changes what is delivered."""
    world = played(seed, 3, "league", 10.0)
    league, physical = (settle_world(world.spec, world.contracts, stock) for stock in ("league", "physical"))
    assert not (league.bankrupt | physical.bankrupt).any()
    bought = np.zeros_like(world.profits, dtype=np.int64)
    bought[world.spec.level == 0] = world.spec.exogenous_quantity[world.spec.level == 0]
    np.add.at(bought, (world.contracts["buyer"], world.contracts["delivery"]), world.contracts["quantity"])
    change = {rule: found.stock[:, 1:] - found.stock[:, :-1] for rule, found in (("l", league), ("p", physical))}
    assert np.array_equal(change["p"], bought - physical.table["produced"])
    assert np.array_equal(change["l"], np.maximum(0, bought - league.table["produced"]))
    assert (physical.stock >= 0).all()
    assert (physical.stock < league.stock).any()


def test_an_unknown_stock_rule_is_refused():
    spec = league_spec(0, days=5, factories_per_level=2, n_levels=2)
    with pytest.raises(InputError, match="stock='kept'; valid: league, physical"):
        settle_world(spec, play(spec, 0).contracts, "kept")
