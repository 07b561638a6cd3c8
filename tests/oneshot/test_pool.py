"""The pool of OneShot worlds; see tests/simulator/test_pool.py for what the pools of all tracks do."""

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.oneshot.worlds.pool import SpecPool
from tests.helpers.pools import damaged

SEEDS = [3, -4, 5, 2**70, 7, 8, 9, 10]


@pytest.fixture(scope="module")
def pool():
    return SpecPool.generate(SEEDS, days=(3, 6), factories_per_level=(1, 3))


def test_environment_takes_it_as_a_generator(pool):
    env = gymnasium.make("scml_gym/OneShotConcurrent-v0", generator=pool, days=(3, 6), factories_per_level=(1, 3))
    env.reset(seed=0)
    with pytest.raises(InputError, match="days=50, but the pool"):
        gymnasium.make("scml_gym/OneShotConcurrent-v0", generator=pool, factories_per_level=(1, 3))


def test_a_file_of_an_earlier_version_is_read(pool, tmp_path):
    """What is in a file: the ranges by name, the seeds, every column of records and days but profits."""
    pool.save(tmp_path / "pool.npz")
    with np.load(tmp_path / "pool.npz") as data:
        assert str(data["schema"]) == "scml-gym-spec-pool-1"
        assert data["days"].tolist() == [3, 6] and data["factories_per_level"].tolist() == [1, 3]
        assert {"n_sellers", "catalog_prices", "disposal_cost"} < set(data) and "profit" not in data


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"schema": np.array("other")}, "schema 'other'"),
        ({"lines": None}, "schema"),
        ({"lines": np.zeros((8, 3), np.int64)}, r"lines is int64 of shape \(8, 3\)"),
        ({"disposal_cost": np.zeros((8, 6, 16), np.float32)}, "disposal_cost is float32"),
        ({"exogenous_quantity": np.zeros(8, np.int64)}, "exogenous_quantity"),
        ({"n_days": np.full(8, 7)}, "says 7 days; its table has rows for 1 to 6"),
        ({"n_sellers": np.zeros(8, np.int64)}, "says n_sellers=0"),
    ],
)
def test_refuses_files_that_do_not_fit(pool, tmp_path, changes, part):
    with pytest.raises(InputError, match=part):
        SpecPool.load(damaged(pool, tmp_path, **changes))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shortfall_penalty", np.nan),
        ("disposal_cost", np.inf),
        ("initial_balance", -1),
        ("exogenous_quantity", 2**62),
        ("rounds", -1),
        ("rounds", 2**62),
        ("catalog_prices", -5),
        ("n_sellers", 99999999),
        ("n_days", -1),
    ],
)
def test_no_world_has_such_numbers(pool, tmp_path, key, value):
    pool.save(tmp_path / "pool.npz")
    with np.load(tmp_path / "pool.npz") as data:
        wrong = np.full_like(data[key], value)
    with pytest.raises(InputError, match=r"bad\.npz: ") as error:
        SpecPool.load(damaged(pool, tmp_path, **{key: wrong}))
    assert "\n" not in str(error.value)
