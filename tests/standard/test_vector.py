"""Vector environments of the Standard track: each row is a single environment, whatever the number of threads."""

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.game.codecs import NotCompiledError
from scml_gym.standard.executors import PlannerExecutor
from scml_gym.standard.strategies import STRATEGIES
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.pool import SpecPool
from tests.helpers.rows import check_rows

CONCURRENT, DAILY = "scml_gym/StandardConcurrent-v0", "scml_gym/StandardDaily-v0"
ROWS = 5
SETTING = {"days": (1, 5), "factories_per_level": (1, 4)}
CASES = {
    "default": (CONCURRENT, {}),
    "physical": (CONCURRENT, {"stock": "physical", "horizon": 2, "level": "last"}),
    "league": (CONCURRENT, {"generator": "league", "days": (5, 6), "level": "middle"}),
    "full": (CONCURRENT, {"observability": "full", "history": 2, "action": "continuous", "reward": "shaped-profit"}),
    "full-dict": (
        CONCURRENT,
        {"observability": "full", "history": 2, "action": "continuous", "reward": "shaped-profit"}
        | {"observation": "dict", "stock": "physical", "level": "first"},
    ),
    "goals": (CONCURRENT, {"action": "goals", "observation": "entities"}),
    "daily": (DAILY, {}),
    "daily-physical": (DAILY, {"stock": "physical", "level": "middle"}),
    "daily-traits": (
        DAILY,
        {"action": "traits", "executor": "stock", "observation": "entities", "stock": "physical", "level": "first"},
    ),
    "daily-by-day": (
        DAILY,
        {"action": "goals-by-day", "executor": "planner-by-day", "shield": "covered", "reward": "margin-shaped-profit"},
    ),
    "daily-numbers": (DAILY, {"action": "goals-continuous", "observation": "entities", "reward": "shaped-profit"}),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "threads"), [*((name, 1) for name in CASES), ("default", 2), ("daily", 2)])
def test_rows_equal_single_environments(name, threads):
    env_id, options = CASES[name]
    assert check_rows(env_id, SETTING | options, ROWS, threads) > ROWS


@pytest.mark.parametrize("env_id", [CONCURRENT, DAILY])
def test_a_pool_and_a_fixed_spec_are_played_as_by_single_environments(env_id):
    pool = SpecPool.generate(range(6), days=5, factories_per_level=(2, 3))
    drawn = {"generator": pool, "days": 5, "factories_per_level": (2, 3)}
    for options in (drawn, drawn | {"level": "middle"}, {"spec": league_spec(3, days=5), "level": "first"}):
        envs = gymnasium.make_vec(env_id, num_envs=3, **options)
        observations, _ = envs.reset(seed=9)
        for i in range(3):
            assert np.array_equal(observations[i], gymnasium.make(env_id, **options).reset(seed=9 + i)[0])


def test_every_strategy_may_be_an_opponent_and_may_be_exchanged():
    envs = gymnasium.make_vec(CONCURRENT, num_envs=8, **SETTING | {"opponents": ["do-nothing"]})
    envs.reset(seed=0)
    envs.set_opponents(sorted(STRATEGIES))
    for _ in range(30):
        observations, rewards, _, _, _ = envs.step(envs.action_space.sample())
        assert np.isfinite(observations).all() and np.isfinite(rewards).all()
    assert envs.observation_space.contains(observations)


def test_a_day_is_one_step_of_the_daily_environment():
    envs = gymnasium.make_vec(DAILY, num_envs=6, days=4, level="first", opponents=["sync-random"])
    envs.reset(seed=1)
    little = np.ones(envs.action_space.shape, dtype=np.int64)
    for day in range(4):
        terminated, infos = envs.step(little)[2::2]  # nobody goes bankrupt by it
        assert terminated.all() == terminated.any() == (day == 3)
    assert (infos["decisions"] > 4).all()  # the executor's


class Cautious(PlannerExecutor):
    """An executor of one's own."""


@pytest.mark.parametrize(
    ("env_id", "options", "words"),
    [
        (CONCURRENT, {"backend": "reference"}, "backend='reference'"),
        (CONCURRENT, {"opponents": ["scml:GreedyStdAgent"]}, "scml:GreedyStdAgent.*backend='reference'"),
        (CONCURRENT, {"opponents": ["best-subset"]}, "best-subset"),
        (CONCURRENT, {"stock": "mine"}, "stock='mine'"),
        (CONCURRENT, {"horizon": 11}, "horizon=11"),
        (CONCURRENT, {"n_levels": 5}, "n_levels=5"),
        (CONCURRENT, {"n_levels": 2, "level": "middle"}, "level='middle'"),
        (CONCURRENT, {"threads": 0}, "threads=0"),
        (DAILY, {"action": "choice"}, "choice"),
        (DAILY, {"executor": "nobody"}, "nobody"),
    ],
)
def test_what_cannot_be_batched_is_refused(env_id, options, words):
    with pytest.raises(InputError, match=words):
        gymnasium.make_vec(env_id, num_envs=2, **SETTING | options)


def test_an_executor_of_ones_own_plays_in_single_environments_only():
    with pytest.raises(NotCompiledError, match="executor: Cautious is for single environments"):
        gymnasium.make_vec(DAILY, num_envs=2, executor=Cautious, **SETTING)
    gymnasium.make(DAILY, executor=Cautious, **SETTING).reset(seed=0)


@pytest.mark.parametrize(("env_id", "wrong"), [(CONCURRENT, 99), (DAILY, 8), (DAILY, -1)])
def test_actions_outside_the_space_are_refused(env_id, wrong):
    envs = gymnasium.make_vec(env_id, num_envs=2, **SETTING | {"days": 5})
    envs.reset(seed=0)
    n = envs.single_action_space.shape[0]
    with pytest.raises(InputError, match="row 1"):
        envs.step(np.array([[0] * n, [wrong] * n]))
    with pytest.raises(InputError, match="shape"):
        envs.step(np.zeros((3, n), dtype=np.int64))
