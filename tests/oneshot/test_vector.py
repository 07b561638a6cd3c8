"""Vector environments: each row is a single environment, whatever the number of rows and threads."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import NormalizeObservation, RecordEpisodeStatistics

from scml_gym.core.errors import InputError
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.pool import SpecPool
from scml_gym.vector.seeds import AHEAD
from tests.helpers.rows import check_info, check_rows

ID = "scml_gym/OneShotConcurrent-v0"
ROWS = 5
SETTING = {
    "days": (1, 4),
    "factories_per_level": (1, 4),
    "opponents": ["best-subset", "greedy", "random", "do-nothing"],
}
DAYS = {"episode": "day", "observation": "entities", "reward": "regret"}
OPTIONS = {
    "default": {},
    "history": {"history": 2},
    "moves": {"timing": "moves"},
    "league": {"generator": "league", "days": (3, 4)},
    "day": DAYS,
    "day-planner": DAYS | {"action": "planner"},
    "full": {"observability": "full", "history": 2, "reward": "negotiations", "action": "continuous"},
    "full-dict": {"observability": "full", "history": 1, "reward": "negotiations", "action": "continuous"}
    | {"observation": "dict"},
    "full-day": {"observability": "full", "history": 2, "reward": "shaped-profit", "action": "planner"}
    | {"episode": "day", "timing": "moves"},
}
"""Each form of action, observation, reward and episode, together with most others: a batch is compiled for each
combination of them, and these are five."""


@pytest.mark.parametrize(("name", "threads"), [*((name, 1) for name in OPTIONS), ("default", 2), ("full-day", 2)])
def test_rows_equal_single_environments(name, threads):
    assert check_rows(ID, SETTING | OPTIONS[name], ROWS, threads) > ROWS


def test_a_row_plays_on_when_its_seeds_are_used_up():
    options = {"days": 3, "factories_per_level": 1, "opponents": ["greedy"]}
    envs = gymnasium.make_vec(ID, num_envs=2, **options)
    single = gymnasium.make(ID, **options).unwrapped
    envs.action_space.seed(0)
    observations, _ = envs.reset(seed=7)
    single.reset(seed=8)
    episodes, ended = 0, False
    while episodes < 2 * AHEAD + 2:
        actions = envs.action_space.sample()
        observations, _, terminated, _, _ = envs.step(actions)
        observation = single.reset()[0] if ended else single.step(actions[1])[0]
        assert np.array_equal(observations[1], observation)
        ended = terminated[1]
        episodes += int(ended)


def test_same_step_autoreset_keeps_the_last_observation_aside():
    arguments = SETTING | {"num_envs": ROWS}
    same_step = gymnasium.make_vec(ID, autoreset_mode=AutoresetMode.SAME_STEP, **arguments)
    singles = [gymnasium.make(ID, **SETTING).unwrapped for _ in range(ROWS)]
    same_step.action_space.seed(1)
    same_step.reset(seed=3)
    for i, env in enumerate(singles):
        env.reset(seed=3 + i)
    ends = 0
    for _ in range(100):
        actions = same_step.action_space.sample()
        observations, rewards, terminated, _, infos = same_step.step(actions)
        for i, env in enumerate(singles):
            observation, reward, done, _, info = env.step(actions[i])
            assert rewards[i] == reward
            assert terminated[i] == done
            if done:
                ends += 1
                assert np.array_equal(infos["final_obs"][i], observation)
                assert infos["_final_info"][i]
                check_info(infos["final_info"], i, info)
                observation, info = env.reset()
            assert np.array_equal(observations[i], observation)
            assert np.array_equal(infos["action_mask"][i], np.concatenate(info["action_mask"]))
    assert ends > ROWS


def test_disabled_autoreset_waits_for_the_mask():
    envs = gymnasium.make_vec(ID, num_envs=3, autoreset_mode="Disabled", **SETTING)
    envs.action_space.seed(2)
    observations, _ = envs.reset(seed=5)
    terminated = np.zeros(3, dtype=bool)
    while not terminated.any():
        observations, _, terminated, _, _ = envs.step(envs.action_space.sample())
    with pytest.raises(InputError, match="has ended"):
        envs.step(envs.action_space.sample())
    again, infos = envs.reset(options={"reset_mask": terminated})
    assert np.array_equal(again[~terminated], observations[~terminated])
    assert np.array_equal(infos["_action_mask"], terminated)
    envs.step(envs.action_space.sample())


def test_gymnasiums_wrappers_work_unchanged():
    envs = RecordEpisodeStatistics(NormalizeObservation(gymnasium.make_vec(ID, num_envs=ROWS, **SETTING)))
    envs.action_space.seed(3)
    observations, _ = envs.reset(seed=6)
    seen = 0
    for _ in range(60):
        observations, _, terminated, _, infos = envs.step(envs.action_space.sample())
        assert np.isfinite(observations).all()
        if terminated.any():
            for i in np.flatnonzero(terminated):
                assert infos["episode"]["r"][i] == pytest.approx(infos["score"][i] - 1.0, abs=1e-9)
                seen += 1
    assert seen > 0


def test_a_pool_and_a_fixed_spec_are_played_as_by_single_environments():
    pool = SpecPool.generate(range(4), days=3, factories_per_level=(2, 3))
    for options in ({"generator": pool, "days": 3, "factories_per_level": (2, 3)}, {"spec": league_spec(3, days=3)}):
        envs = gymnasium.make_vec(ID, num_envs=3, **options)
        observations, _ = envs.reset(seed=9)
        for i in range(3):
            assert np.array_equal(observations[i], gymnasium.make(ID, **options).reset(seed=9 + i)[0])


def test_every_strategy_may_be_an_opponent():
    envs = gymnasium.make_vec(ID, num_envs=8, **SETTING | {"opponents": sorted(STRATEGIES)})
    envs.reset(seed=0)
    for _ in range(20):
        observations, rewards, _, _, _ = envs.step(envs.action_space.sample())
        assert np.isfinite(observations).all()
        assert np.isfinite(rewards).all()
    assert envs.observation_space.contains(observations)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"backend": "reference"}, "backend='reference'"),
        ({"opponents": ["scml:GreedyOneShotAgent"]}, "scml:GreedyOneShotAgent.*backend='reference'"),
        ({"autoreset_mode": "sometimes"}, "autoreset_mode='sometimes'"),
        ({"threads": 0}, "threads=0"),
        ({"episode": "week"}, "episode='week'"),
    ],
)
def test_what_cannot_be_batched_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        gymnasium.make_vec(ID, num_envs=2, **SETTING | options)
    with pytest.raises(InputError, match="num_envs=0"):
        gymnasium.make_vec(ID, num_envs=0)


def test_actions_outside_the_space_are_refused():
    envs = gymnasium.make_vec(ID, num_envs=2, **SETTING)
    envs.reset(seed=0)
    with pytest.raises(InputError, match="row 1"):
        envs.step(np.array([[0] * 8, [99] * 8]))
    with pytest.raises(InputError, match="shape"):
        envs.step(np.zeros((3, 8), dtype=np.int64))
