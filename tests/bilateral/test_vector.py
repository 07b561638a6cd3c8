"""Vector environments of bilateral negotiations, and rows that differ: each row is a single environment."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from scml_gym.bilateral.envs.vector.acceptance_rows import AcceptanceRow, AcceptanceRows
from scml_gym.bilateral.view import ACCEPTED_BY
from scml_gym.core.errors import InputError

ROWS = 4
SMALL = {"scenario": "EnglandZimbabwe", "rounds": 9, "opponent": "boulware"}
ACCEPTANCE, OFFERS = "scml_gym/BilateralAcceptance-v0", "scml_gym/Bilateral-v0"
CASES = {
    "acceptance": (ACCEPTANCE, {"opponent": "AgentK"}),
    "opens": (ACCEPTANCE, {"opponent_first": False, "accept_reward": "c", "offer_reward": "c", "failure_penalty": -1}),
    "random": (ACCEPTANCE, {"scenario": "random", "opponent": "Gahboninho"}),
    "outcome": (OFFERS, {"history": 2}),
    "target": (OFFERS, {"action": "target", "opponent_first": False, "offer_reward": "b"}),
    "random-outcome": (OFFERS, {"scenario": {"issues": [1, 3], "values": [1, 4]}, "history": 1}),
}


def draw_actions(envs, rng):
    """Mostly the action in which a negotiation goes on."""
    some = rng.random(ROWS) < 0.15
    last = envs.single_action_space.n - 1 if envs.single_action_space.n > 2 else 0
    return np.where(some, rng.integers(envs.single_action_space.n, size=ROWS), last)


def check_info(infos, i, info):
    for name, value in info.items():
        assert infos[f"_{name}"][i]
        assert np.array_equal(infos[name][i], value)
    for name in ("utility", "round", "accepted_by"):
        assert (name in info) == bool(infos.get(f"_{name}", np.zeros(ROWS))[i])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_rows_equal_single_environments(case, threads):
    name, options = CASES[case]
    options = SMALL | options
    envs = gymnasium.make_vec(name, num_envs=ROWS, threads=threads, **options)
    singles = [gymnasium.make(name, **options).unwrapped for _ in range(ROWS)]
    rng = np.random.default_rng(1)
    observations, infos = envs.reset(seed=40)
    for i, env in enumerate(singles):
        observation, info = env.reset(seed=40 + i)
        assert np.array_equal(observations[i], observation)
        check_info(infos, i, info)
    ended, episodes = np.zeros(ROWS, dtype=bool), 0
    for _ in range(60):
        actions = draw_actions(envs, rng)
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        assert not truncated.any()
        assert envs.observation_space.contains(observations)
        for i, env in enumerate(singles):
            if ended[i]:
                (observation, info), reward, done = env.reset(), 0.0, False
            else:
                observation, reward, done, _, info = env.step(actions[i])
            assert np.array_equal(observations[i], observation)
            assert (rewards[i], terminated[i]) == (reward, done)
            check_info(infos, i, info)
        ended = terminated
        episodes += ended.sum()
    assert episodes > ROWS


def test_same_step_autoreset_keeps_the_last_observation_aside():
    envs = gymnasium.make_vec(ACCEPTANCE, num_envs=ROWS, autoreset_mode=AutoresetMode.SAME_STEP, **SMALL)
    singles = [gymnasium.make(ACCEPTANCE, **SMALL).unwrapped for _ in range(ROWS)]
    rng = np.random.default_rng(2)
    envs.reset(seed=3)
    for i, env in enumerate(singles):
        env.reset(seed=3 + i)
    ends = 0
    for _ in range(50):
        actions = draw_actions(envs, rng)
        observations, rewards, terminated, _, infos = envs.step(actions)
        assert "utility" not in infos  # it is in final_info
        for i, env in enumerate(singles):
            observation, reward, done, _, info = env.step(actions[i])
            assert (rewards[i], terminated[i]) == (reward, done)
            if done:
                ends += 1
                assert np.array_equal(infos["final_obs"][i], observation)
                check_info(infos["final_info"], i, info)
                observation, info = env.reset()
            assert np.array_equal(observations[i], observation)
            assert np.array_equal(infos["action_mask"][i], info["action_mask"])
    assert ends > ROWS


def test_disabled_autoreset_waits_for_the_mask():
    envs = gymnasium.make_vec(ACCEPTANCE, num_envs=2, autoreset_mode="Disabled", **SMALL)
    with pytest.raises(InputError, match="reset_mask of 1 rows; valid: all of them at the first reset"):
        envs.reset(options={"reset_mask": np.array([False, True])})
    observations, _ = envs.reset(seed=5)
    again, _, terminated, _, _ = envs.step(np.array([0, 1]))
    assert terminated.tolist() == [False, True]
    with pytest.raises(InputError, match="row 1 has ended"):
        envs.step(np.array([0, 0]))
    after, infos = envs.reset(options={"reset_mask": terminated})
    assert np.array_equal(after[0], again[0])
    assert infos["_action_mask"].tolist() == [False, True]
    envs.step(np.array([0, 0]))


def test_gymnasiums_wrapper_sums_the_rewards():
    envs = RecordEpisodeStatistics(gymnasium.make_vec(ACCEPTANCE, num_envs=ROWS, **SMALL | {"offer_reward": "a"}))
    envs.reset(seed=1)
    _, rewards, terminated, _, infos = envs.step(np.ones(ROWS, dtype=np.int64))
    assert terminated.all()
    assert np.allclose(infos["episode"]["r"], infos["utility"], atol=1e-12)
    assert np.array_equal(rewards, infos["utility"])


def shaped(utility, mean):
    return utility * utility - mean


def own_offer_reward(utility, mean):
    return (1.0 - utility) / 7.0


DIFFERENT = [
    AcceptanceRow("EnglandZimbabwe", 0, "boulware", 9, True, "a", "b", 0.0),
    AcceptanceRow("EnglandZimbabwe", 1, "Gahboninho", 12, False, "b", "c", -0.5),
    AcceptanceRow("Party", 0, "AgentK", 5, True, "c", "a", -1.0, bids="boulware"),
    AcceptanceRow("Party", 1, "boulware?exponent=2", 7, True, shaped, own_offer_reward, -0.25),
]


def test_different_rows_equal_single_environments_and_restart_in_the_same_step():
    rows = AcceptanceRows(DIFFERENT)
    singles = [gymnasium.make(ACCEPTANCE, **vars(row)).unwrapped for row in DIFFERENT]
    seeds = [7, 3, 7, 11]
    observations = rows.reset(seeds)
    for i, env in enumerate(singles):
        assert np.array_equal(observations[i], env.reset(seed=seeds[i])[0])
    rng = np.random.default_rng(0)
    ends = np.zeros(ROWS, dtype=int)
    for _ in range(800):  # more negotiations of a row than seeds are drawn ahead
        actions = (rng.random(ROWS) < 0.15).astype(int)
        step = rows.step(actions)
        masks = rows.action_masks()
        for i, env in enumerate(singles):
            observation, reward, done, _, info = env.step(actions[i])
            assert np.array_equal(step.final_observations[i], observation)
            assert (step.rewards[i], step.done[i]) == (reward, done)
            if done:
                ends[i] += 1
                for name in ("utility", "opponent_utility", "agreement", "round"):
                    assert getattr(step, name)[i] == info[name]
                assert ACCEPTED_BY[step.accepted_by[i]] == info["accepted_by"]
                observation, info = env.reset()
            assert np.array_equal(step.observations[i], observation)
            assert np.array_equal(masks[i], info["action_mask"])
    assert ends.min() > 64


def test_steps_of_rows_are_the_callers_to_keep():
    rows = AcceptanceRows(DIFFERENT)
    rows.reset(range(ROWS))
    first = rows.step(np.zeros(ROWS, dtype=int))
    kept = [np.array(column) for column in first]
    for _ in range(20):
        rows.step(np.zeros(ROWS, dtype=int))
    for before, now in zip(kept, first, strict=True):
        assert np.array_equal(before, now)


def test_wrong_rows_are_refused():
    with pytest.raises(InputError, match="none given"):
        AcceptanceRows([])
    rows = AcceptanceRows(DIFFERENT)
    with pytest.raises(InputError, match="call reset"):
        rows.step(np.zeros(ROWS, dtype=int))
    with pytest.raises(InputError, match="1 seeds for 4 rows"):
        rows.reset([1])
    rows.reset(range(ROWS))
    with pytest.raises(InputError, match="row 2: action 5"):
        rows.step(np.array([0, 0, 5, 0]))


def not_numbers(utility, mean):
    return len(utility.hex())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"backend": "reference"}, "backend='reference' cannot be batched"),
        ({"autoreset_mode": "sometimes"}, "autoreset_mode='sometimes'"),
        ({"threads": 0}, "threads=0"),
        ({"num_envs": 0}, "num_envs=0"),
        ({"accept_reward": not_numbers}, "'not_numbers' does not compile"),
    ],
)
@pytest.mark.parametrize("name", [ACCEPTANCE, OFFERS])
def test_what_cannot_be_batched_is_refused(name, options, words):
    with pytest.raises(InputError, match=words):
        gymnasium.make_vec(name, **{"num_envs": 2} | SMALL | options)


@pytest.mark.parametrize("name", [ACCEPTANCE, OFFERS])
def test_actions_outside_the_space_are_refused(name):
    envs = gymnasium.make_vec(name, num_envs=2, **SMALL)
    envs.reset(seed=0)
    with pytest.raises(InputError, match="row 1: action 999"):
        envs.step(np.array([0, 999]))
    with pytest.raises(InputError, match="shape"):
        envs.step(np.zeros(3, dtype=np.int64))
