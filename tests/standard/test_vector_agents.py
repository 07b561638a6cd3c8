"""Batches of the Standard track's PettingZoo environments: each agent of a world is a row."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from scml_gym.agents.sb3.batch import BatchVecEnv
from scml_gym.core.errors import InputError
from scml_gym.standard.envs import standard_factories_v0, standard_negotiations_v0
from scml_gym.standard.worlds.generation import league_spec
from scml_gym.standard.worlds.pool import SpecPool
from tests.helpers.rows import check_agent_rows

WORLDS = 4
SETTING = {"days": (1, 5), "factories_per_level": (1, 4)}
MODULES = {"negotiations": standard_negotiations_v0, "factories": standard_factories_v0}
SMALL = {
    "negotiations": SETTING,
    "factories": SETTING | {"factories_per_level": 2, "factories": (0, 2, 5), "observability": "full", "history": 1},
}
ALL = tuple(range(6))
CASES = {
    "negotiations": ("negotiations", {}),
    "negotiations-physical": ("negotiations", {"stock": "physical", "level": "middle", "horizon": 2}),
    "factories": ("factories", {}),
    "self-play": ("factories", {"factories": ALL, "stock": "physical", "observation": "dict"}),
    "factories-league": ("factories", {"factories": (3, 0), "n_levels": (2, 3), "generator": "league", "days": 5}),
}
"""A batch is compiled for each combination of forms; these are two."""

parametrize_modules = pytest.mark.parametrize("name", MODULES)


def make(name, worlds: Any = 2, **arguments):
    return MODULES[name].vector_env(worlds, **SMALL[name] | arguments)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "threads"), [*((case, 1) for case in CASES), ("negotiations", 2), ("self-play", 2)])
def test_rows_equal_the_agents_of_single_environments(case, threads):
    name, options = CASES[case]
    assert check_agent_rows(MODULES[name], SMALL[name] | options, WORLDS, threads) > WORLDS


@parametrize_modules
def test_a_pool_and_a_fixed_spec_are_played_as_by_single_environments(name):
    pool = SpecPool.generate(range(6), days=5, factories_per_level=2, n_levels=3)
    drawn = {"generator": pool, "days": 5, "n_levels": 3, "factories_per_level": 2}
    for options in (drawn, {"spec": league_spec(3, days=5, factories_per_level=2, n_levels=3)}):
        envs = make(name, **options)
        observations, _ = envs.reset(seed=9)
        for i in range(2):
            seen, _ = MODULES[name].parallel_env(**SMALL[name] | options).reset(seed=9 + i)
            rows = observations[i * envs.num_agents : (i + 1) * envs.num_agents]
            assert np.array_equal(rows, list(seen.values()))


@parametrize_modules
def test_rows_of_a_world_end_together_and_the_last_ones_are_kept_aside(name):
    envs, later = make(name, 3, autoreset_mode="SameStep"), make(name, 3)
    envs.action_space.seed(4)
    m = envs.num_agents
    observations, _ = envs.reset(seed=2)
    later.reset(seed=2)
    terminated = np.zeros(envs.num_envs, dtype=bool)
    while not terminated.any():
        actions = envs.action_space.sample()
        observations, rewards, terminated, _, infos = envs.step(actions)
        last, expected, done, _, information = later.step(actions)
        assert np.array_equal(terminated, done) and np.array_equal(rewards, expected)
        assert (terminated.reshape(3, m).all(axis=1) == terminated.reshape(3, m).any(axis=1)).all()
        assert np.array_equal(infos["active"][~done], information["active"][~done])
        for i in np.flatnonzero(terminated):
            assert np.array_equal(infos["final_obs"][i], last[i])
            for key in ("score", "profit", "active", "action_mask"):
                assert infos["final_info"][f"_{key}"][i]
                assert np.array_equal(infos["final_info"][key][i], information[key][i])
            assert not infos["final_info"]["active"][i]
    first, _ = later.reset(options={"reset_mask": terminated})  # the same as its next episode
    assert np.array_equal(first[terminated], observations[terminated])


@parametrize_modules
def test_worlds_are_reset_by_hand_as_a_whole(name):
    envs = make(name, 3, autoreset_mode="Disabled", days=(1, 4))
    with pytest.raises(InputError, match="valid: all of them at the first reset"):
        envs.reset(options={"reset_mask": np.arange(envs.num_envs) < envs.num_agents})
    observations, _ = envs.reset(seed=5)
    terminated = np.zeros(envs.num_envs, dtype=bool)
    infos = {}
    while not terminated.any():
        observations, _, terminated, _, infos = envs.step(envs.action_space.sample())
    row = int(np.argmax(terminated))
    with pytest.raises(InputError, match=f"row {row} has ended"):
        envs.step(envs.action_space.sample())
    active, masks = infos["active"].copy(), envs.action_masks().copy()
    again, infos = envs.reset(options={"reset_mask": terminated})
    assert np.array_equal(again[~terminated], observations[~terminated])
    assert np.array_equal(infos["_active"], terminated)
    assert np.array_equal(infos["active"][~terminated], active[~terminated])
    assert np.array_equal(envs.action_masks()[~terminated], masks[~terminated])
    terminated[row] = False
    if envs.num_agents > 1:
        with pytest.raises(InputError, match=f"valid: all of its {envs.num_agents} rows or none"):
            envs.reset(options={"reset_mask": np.arange(envs.num_envs) == 1})


@parametrize_modules
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_a_copy_goes_on_alike_and_alone(name, way):
    envs, expected = make(name, threads=2), make(name)
    envs.action_space.seed(4)
    for both in (envs, expected):
        both.reset(seed=2)
    actions = [envs.action_space.sample() for _ in range(30)]
    for action in actions[:10]:
        envs.step(action)
        expected.step(action)
    clone = way(envs)
    envs.step(actions[0])  # changes nothing in the copy
    envs.close()
    envs.close()
    del envs
    for action in actions[10:]:
        left, right = clone.step(action), expected.step(action)
        assert all(np.array_equal(mine, other) for mine, other in zip(left[:3], right[:3], strict=True))
    clone.close()
    clone.close()


@parametrize_modules
def test_what_is_chosen_in_rows_that_are_not_active_changes_nothing(name):
    envs, other = make(name), make(name)
    envs.action_space.seed(4)
    _, infos = envs.reset(seed=2)
    other.reset(seed=2)
    for _ in range(25):
        rows = [envs.single_action_space.sample(mask=mask) for mask in envs.sample_mask()]
        rows = np.array(rows)
        assert not rows[~infos["active"]].any() or name == "factories"
        step = envs.step(rows)
        rest = other.step(np.where(infos["active"][:, None], rows, 0))
        assert np.array_equal(step[0], rest[0]) and np.array_equal(step[1], rest[1])
        infos = step[4]


def test_in_each_running_world_one_factory_has_something_to_answer():
    envs = make("factories", 3)
    _, infos = envs.reset(seed=1)
    terminated = np.zeros(envs.num_envs, dtype=bool)
    for _ in range(30):
        assert np.array_equal(infos["active"].reshape(3, -1).sum(axis=1), ~terminated.reshape(3, -1)[:, 0])
        _, _, terminated, _, infos = envs.step(envs.action_space.sample())


def test_returns_are_scores_and_gymnasiums_wrapper_counts_them():
    envs = RecordEpisodeStatistics(make("factories", 3, factories=ALL))
    envs.action_space.seed(3)
    envs.reset(seed=6)
    seen = 0
    while seen < 2:
        _, _, terminated, _, infos = envs.step(envs.action_space.sample())
        for i in np.flatnonzero(terminated):
            assert infos["episode"]["r"][i] == pytest.approx(infos["score"][i] - 1.0, abs=1e-9)
            seen += 1


def test_stable_baselines_takes_agents_as_rows():
    vec = BatchVecEnv(make("negotiations", 3, autoreset_mode="SameStep"), 1.0)
    vec.seed(5)
    observations, _ = make("negotiations", 3).reset(seed=5)
    assert np.array_equal(vec.reset(), observations)
    for _ in range(20):
        masks = np.array(vec.env_method("action_masks"))
        assert masks.shape == (48, 28)
        _, rewards, done, infos = vec.step(np.zeros((48, 4), dtype=np.int64))
        assert rewards.shape == done.shape == (48,)
        assert all(("score" in info) == ended for info, ended in zip(infos, done, strict=True))


def test_opponents_may_be_exchanged():
    envs = make("negotiations", opponents=["do-nothing"])
    observations, _ = envs.reset(seed=0)
    envs.set_opponents(["greedy"])
    for _ in range(20):
        observations, rewards, _, _, _ = envs.step(envs.action_space.sample())
        assert np.isfinite(observations).all() and np.isfinite(rewards).all()
    assert envs.observation_space.contains(observations)


class Own:
    """A reward of one's own."""

    def reset(self, view):
        """Nothing."""

    def __call__(self, transition):
        return 0.0


@parametrize_modules
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"opponents": ["scml:GreedyStdAgent"]}, "scml:GreedyStdAgent.*backend='reference'"),
        ({"stock": "mine"}, "stock='mine'"),
        ({"reward": Own()}, "reward: Own is for single environments .*parallel_env"),
    ],
)
def test_what_cannot_be_batched_is_refused(name, options, words):
    with pytest.raises(InputError, match=words) as refused:
        make(name, **options)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("factories", [(), (0, 0), (-1,), ("first",)])
def test_factories_that_are_no_agents(factories):
    with pytest.raises(InputError, match="factories="):
        make("factories", factories=factories)


def test_a_factory_that_a_world_lacks_is_refused_at_the_reset():
    envs = make("factories", factories=(0, 6))
    with pytest.raises(InputError, match="world 0: factory 6: this world has factories 0 to 5"):
        envs.reset(seed=1)
    with pytest.raises(Exception, match="call reset before"):
        envs.action_masks()
    envs.close()


@parametrize_modules
def test_actions_outside_the_space_are_refused_with_their_row(name):
    envs = make(name, days=5)
    for call in (envs.action_masks, envs.sample_mask, lambda: envs.step(envs.action_space.sample())):
        with pytest.raises(Exception, match="call reset before"):
            call()
    _, infos = envs.reset(seed=0)
    row = int(np.flatnonzero(infos["active"])[-1])
    wrong = np.zeros(envs.action_space.shape, dtype=np.int64)
    wrong[row] = 99
    with pytest.raises(InputError, match=rf"^row {row}: action \[99, .*valid: MultiDiscrete"):
        envs.step(wrong)
    with pytest.raises(InputError, match="shape"):
        envs.step(wrong[1:])
    with pytest.raises(InputError, match="shape"):
        envs.step(wrong.reshape(2, -1))
    with pytest.raises(InputError, match="valid: whole numbers"):
        envs.step(np.full(envs.action_space.shape, 0.5))
    envs.step(np.zeros(envs.action_space.shape, dtype=np.int32).tolist())
