"""Parameters of worlds of the Standard track: from a seed, a file, a real world."""

from typing import Any

import pytest
from scml.oneshot.world import SCML2024OneShotWorld
from scml.std.world import SCML2024StdWorld, StdWorld

from scml_gym.core.errors import InputError
from scml_gym.oneshot.worlds.generation import league_spec as oneshot_spec
from scml_gym.oneshot.worlds.reference import ReferenceWorld as OneShotReferenceWorld
from scml_gym.standard.worlds.adapters import StandardObserver
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.reference import ReferenceWorld
from scml_gym.standard.worlds.spec import WorldSpec
from tests.helpers.standard_worlds import BUILTINS, cast, play, scmls_own


def test_spec_is_a_function_of_the_seed_and_survives_a_file(tmp_path):
    ranges: dict[str, Any] = {"days": (5, 9), "factories_per_level": (1, 8)}
    specs = [league_spec(seed, **ranges) for seed in range(30)]
    assert specs[3].equals(league_spec(3, **ranges))
    assert not specs[3].equals(specs[4])
    assert {spec.n_levels for spec in specs} == {2, 3, 4}
    assert {spec.n_days for spec in specs} == {5, 6, 7, 8, 9}
    assert {size for spec in specs for size in spec.level_sizes} == set(range(1, 9))
    specs[3].save(tmp_path / "spec.npz")
    assert WorldSpec.load(tmp_path / "spec.npz").equals(specs[3])


def test_spec_of_a_real_world_is_the_spec_it_was_built_from():
    for seed in range(4):
        spec = league_spec(seed, days=5, factories_per_level=(1, 4))
        world = ReferenceWorld(spec, cast(spec, seed), seed=seed, horizon=3 * (seed % 2))
        assert WorldSpec.from_world(world.world).equals(spec)
        world.run()
        assert WorldSpec.from_world(world.world).equals(spec)  # at any time of its life


def test_spec_of_scmls_own_world(tmp_path):
    """Read into a spec, rebuilt and read again."""
    spec = WorldSpec.from_world(scmls_own(SCML2024StdWorld, tmp_path))
    again = ReferenceWorld(spec, cast(spec, 0))
    assert WorldSpec.from_world(again.world).equals(spec)
    assert spec.n_days == 6
    assert spec.n_levels in (2, 3)
    assert ((spec.storage_cost >= 0.01) & (spec.storage_cost <= 0.05)).all()


def test_worlds_of_other_rules_are_refused(tmp_path):
    for world, message in (
        (scmls_own(SCML2024OneShotWorld, tmp_path), "perishable=True"),
        (scmls_own(SCML2024StdWorld, tmp_path, perishable=True), "perishable=True"),
        (scmls_own(SCML2024StdWorld, tmp_path, n_processes=5), "5 levels; valid: 2 to 4"),
        (scmls_own(StdWorld, tmp_path, price_range_fraction=0.3), "price_range_fraction=0.3, not 0.1"),
    ):
        with pytest.raises(InputError, match=message) as error:
            WorldSpec.from_world(world)
        assert "\n" not in str(error.value)
    world = scmls_own(SCML2024StdWorld, tmp_path)
    factory = next(iter(world.agent_disposal_cost))
    world.agent_disposal_cost[factory][0] = 0.1
    with pytest.raises(InputError, match="disposal costs"):
        WorldSpec.from_world(world)
    world = scmls_own(SCML2024StdWorld, tmp_path)
    day, contracts = next((day, contracts) for day, contracts in world.exogenous_contracts.items() if contracts)
    contracts.append(contracts[0])
    with pytest.raises(InputError, match=f"two exogenous contracts on day {day}"):
        WorldSpec.from_world(world)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"days": 4}, r"days=4.*5 to 10000"),
        ({"days": 3, "n_levels": 3}, r"days=3.*4 to 10000"),
        ({"days": (5, 4)}, r"days=\(5, 4\)"),
        ({"n_levels": 5}, r"n_levels=5.*2 to 4"),
        ({"n_levels": (3, 2)}, r"n_levels=\(3, 2\)"),
        ({"n_levels": 1}, r"n_levels=1"),
        ({"factories_per_level": 0}, r"factories_per_level=0.*1 to 8"),
        ({"factories_per_level": (4, 9)}, r"factories_per_level=\(4, 9\)"),
        ({"days": 5.5}, r"days=5.5"),
    ],
)
def test_worlds_that_cannot_be_drawn_are_refused(arguments, message):
    with pytest.raises(InputError, match=message) as error:
        league_spec(0, **arguments)
    assert "\n" not in str(error.value)


def test_the_smallest_worlds_can_be_drawn_and_played():
    for n_levels in (2, 3, 4):
        spec = league_spec(1, days=n_levels + 1, factories_per_level=1, n_levels=n_levels)
        assert spec.level_sizes == (1,) * n_levels
        play(spec, 1, BUILTINS)


def test_a_spec_of_the_other_track_is_refused():
    spec: Any = oneshot_spec(0, days=5, factories_per_level=2)
    with pytest.raises(InputError, match="a spec of OneShot, not of the Standard track"):
        ReferenceWorld(spec, [None] * 4)
    spec = league_spec(0, days=5, factories_per_level=2, n_levels=2)
    with pytest.raises(InputError, match="a spec of the Standard track, not of OneShot"):
        OneShotReferenceWorld(spec, [None] * 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"n_agents_per_process": 9}, "levels of 9, 9 factories"), ({"horizon": 11}, "horizon 11; valid: .* 0 to 10")],
)
def test_a_world_that_is_too_large_for_a_view_is_refused(arguments, message, tmp_path):
    world = scmls_own(SCML2024StdWorld, tmp_path, n_processes=2, **arguments)
    agent = next(iter(world.agents.values()))
    with pytest.raises(InputError, match=message):
        StandardObserver(agent)
