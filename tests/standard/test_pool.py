"""The pool of Standard worlds; see tests/simulator/test_pool.py for what the pools of all tracks do."""

import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.standard.worlds.pool import SpecPool
from tests.helpers.pools import damaged


@pytest.fixture(scope="module")
def pool():
    return SpecPool.generate(range(12), days=(5, 6), factories_per_level=(1, 3), n_levels=(2, 4))


def test_draws_by_levels_and_by_the_factories_of_the_levels_that_there_are(pool):
    assert {pool(seed, (5, 6), (1, 3), 2).n_levels for seed in range(20)} == {2}
    assert {spec.n_levels for spec in pool.select((5, 6), (1, 3), (3, 4))} == {3, 4}
    for spec in pool.select((5, 6), (1, 2), (2, 4)):
        assert max(spec.level_sizes) <= 2


def test_refuses_levels_that_it_does_not_hold(pool):
    with pytest.raises(InputError, match="n_levels="):
        pool(0, 5, (1, 3), 5)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"n_levels": np.ones(12, np.int64)}, "says n_levels=1"),
        ({"n_factories": np.zeros(12, np.int64)}, "in all 0"),
        ({"storage_cost": np.zeros((12, 6, 16))}, "storage_cost"),
        ({"n_days": np.full(12, 7)}, "says 7 days"),
    ],
)
def test_refuses_files_that_do_not_fit(pool, tmp_path, changes, part):
    with pytest.raises(InputError, match=part):
        SpecPool.load(damaged(pool, tmp_path, **changes))
