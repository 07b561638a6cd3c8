"""The vector environment of one negotiation: each row is a single environment, as SyncVectorEnv would play it."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import NormalizeObservation, RecordEpisodeStatistics

from scml_gym.core.errors import InputError
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.oneshot.strategies import STRATEGIES
from scml_gym.oneshot.worlds.generation import league_spec
from scml_gym.oneshot.worlds.pool import SpecPool

ID = "scml_gym/OneShotBilateral-v0"
ROWS = 5
OPPONENTS = ["best-subset", "greedy", "random", "do-nothing"]
SETTING = {"days": (1, 4), "factories_per_level": (1, 4), "opponents": OPPONENTS}
REWARD = NegotiationReward(scaling="share", costs="penalty", end_gap=0.5, relative=False)
OPTIONS = {
    "default": {},
    "world": {"episode": "world"},
    "needs": {"observation": "needs", "episode": "world", "quantity_bins": 4, "price_bins": 3},
    "offer": {"observation": "offer", "others": "greedy"},
    "flat": {"observation": "flat", "others": "subset-population"},
    "moves": {"timing": "moves", "others": "adaptive-price"},
    "moves-world": {"timing": "moves", "episode": "world", "observation": "flat", "others": "do-nothing"},
    "partner": {"partner": 0, "others": "random", "reward": REWARD},
    "idle": {"opponents": ["do-nothing", "single-agreement-random"], "level": "buyer"},
    "league": {"generator": "league", "days": (3, 4)},
}
CASES = [(name, "NextStep", 1) for name in OPTIONS]
CASES += [(name, mode, 2) for name in ("default", "moves-world") for mode in ("NextStep", "SameStep")]


def assert_same(ours, theirs, where=""):
    """Two informations or observations, of one dtype where they are arrays of numbers."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            assert_same(ours[key], theirs[key], f"{where}/{key}")
    elif theirs.dtype == object:
        assert [x is None for x in ours] == [x is None for x in theirs], where
        for mine, single in zip(ours, theirs, strict=True):
            assert mine is None or np.array_equal(mine, single), where
    else:
        in_a_batch = np.dtype(np.bool_) if "action_mask" in str(where) else theirs.dtype  # see docs/environments.md
        assert ours.dtype == in_a_batch, where
        assert np.array_equal(ours, theirs), where


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode", "threads"), CASES)
def test_rows_equal_single_environments(name, mode, threads):
    options = SETTING | OPTIONS[name]
    ours = gymnasium.make_vec(ID, num_envs=ROWS, autoreset_mode=mode, threads=threads, **options)
    theirs = SyncVectorEnv([lambda: gymnasium.make(ID, **options)] * ROWS, autoreset_mode=AutoresetMode(mode))
    assert ours.single_observation_space == theirs.single_observation_space
    assert (ours.observation_space, ours.action_space) == (theirs.observation_space, theirs.action_space)
    rng = np.random.default_rng(0)
    assert_same((left := ours.reset(seed=40))[0], (right := theirs.reset(seed=40))[0])
    assert_same(left[1], right[1])
    masks, seen, partners = left[1]["action_mask"], set(), set()
    for step in range(150):
        actions = np.array([rng.choice(np.flatnonzero(row)) for row in masks])
        if step % 10 == 9:
            actions = ours.action_space.sample()  # invalid answers too
        left, right = ours.step(actions), theirs.step(actions)
        for mine, single in zip(left, right, strict=True):
            assert_same(mine, single, (name, step))
        masks = left[4]["action_mask"]
        ends = left[4].get("final_info", left[4]).get("negotiation_end", {"quantity": np.zeros(0)})
        seen |= set((ends["quantity"] > 0).tolist())
        partners |= set(left[4]["partner"].tolist())
        assert np.array_equal(masks, ours.action_masks())
    assert True in seen or name in ("idle", "moves-world")
    assert len(partners) > 1 or name == "partner"


def test_rows_do_not_depend_on_their_number():
    few, many = (gymnasium.make_vec(ID, num_envs=n, **SETTING) for n in (2, 7))
    assert_same(few.reset(seed=3)[0], many.reset(seed=3)[0][:2])
    for _ in range(60):
        actions = many.action_space.sample()
        left, right = few.step(actions[:2]), many.step(actions)
        for mine, other in zip(left[:3], right[:3], strict=True):
            assert np.array_equal(mine, other[:2])


def test_disabled_autoreset_waits_for_the_mask_and_goes_on_as_the_single_environments():
    envs = gymnasium.make_vec(ID, num_envs=3, autoreset_mode="Disabled", **SETTING)
    singles = [gymnasium.make(ID, **SETTING).unwrapped for _ in range(3)]
    observations, _ = envs.reset(seed=5)
    for i, env in enumerate(singles):
        env.reset(seed=5 + i)
    unfinished = 0
    for _ in range(30):
        actions = np.full(3, 2)
        observations, rewards, terminated, _, _ = envs.step(actions)
        for i, env in enumerate(singles):
            assert (observations[i], rewards[i], terminated[i]) == env.step(2)[:3]
        if not terminated.any():
            continue
        with pytest.raises(InputError, match="has ended"):
            envs.step(actions)
        mask = terminated.copy()
        mask[2] = True  # a negotiation that has not ended is left, too
        unfinished += not terminated[2]
        again, infos = envs.reset(options={"reset_mask": mask})
        assert np.array_equal(again[~mask], observations[~mask])
        assert np.array_equal(infos["_action_mask"], mask)
        assert "negotiation_end" not in infos
        for i in np.flatnonzero(mask):
            observation, info = singles[i].reset()
            assert again[i] == observation
            assert np.array_equal(infos["action_mask"][i], info["action_mask"])
    assert unfinished > 0


def test_gymnasiums_wrappers_work_unchanged():
    plain = gymnasium.make_vec(ID, num_envs=ROWS, observation="flat", **SETTING)
    envs = RecordEpisodeStatistics(NormalizeObservation(plain))
    _, infos = envs.reset(seed=6)
    total, seen = np.zeros(ROWS), 0
    for _ in range(60):
        observations, rewards, terminated, _, infos = envs.step(envs.action_space.sample())
        assert np.isfinite(observations).all()
        total += rewards
        for i in np.flatnonzero(terminated):
            assert infos["episode"]["r"][i] == pytest.approx(total[i])
            assert infos["negotiation_end"]["reward"][i] == rewards[i]
            total[i] = 0.0
            seen += 1
    assert seen > 0


def test_a_pool_and_a_fixed_spec_are_played_as_by_single_environments():
    pool = SpecPool.generate(range(4), days=3, factories_per_level=(2, 3))
    for options in ({"generator": pool, "days": 3, "factories_per_level": (2, 3)}, {"spec": league_spec(3, days=3)}):
        envs = gymnasium.make_vec(ID, num_envs=3, **options)
        observations, _ = envs.reset(seed=9)
        for i in range(3):
            assert observations[i] == gymnasium.make(ID, **options).reset(seed=9 + i)[0]


@pytest.mark.parametrize("others", sorted(STRATEGIES))
def test_every_strategy_may_answer_the_other_partners(others):
    options = {"others": others, "opponents": ["greedy"], "days": 3, "factories_per_level": 3, "observation": "flat"}
    envs = gymnasium.make_vec(ID, num_envs=1, **options)
    env = gymnasium.make(ID, **options).unwrapped
    _, infos = envs.reset(seed=0)
    env.reset(seed=0)
    ended = False
    for _ in range(25):
        action = int(np.flatnonzero(infos["action_mask"][0])[-1])
        observations, rewards, terminated, _, infos = envs.step([action])
        observation, reward, done, _, _ = (env.reset()[0], 0.0, False, None, None) if ended else env.step(action)
        assert np.array_equal(observations[0], observation)
        assert (rewards[0], terminated[0]) == (reward, done)
        ended = done


class Doubled(NegotiationReward):
    """A reward that computes its own numbers."""

    def ended(self, view, k, needs):
        return 2 * super().ended(view, k, needs)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"backend": "reference"}, "backend='reference'"),
        ({"opponents": ["scml:GreedyOneShotAgent"]}, "scml:GreedyOneShotAgent.*backend='reference'"),
        ({"others": "nicer"}, "nicer"),
        ({"reward": Doubled()}, "Doubled"),
        ({"observation": "all"}, "observation='all'"),
        ({"episode": "day"}, "episode='day'"),
        ({"autoreset_mode": "sometimes"}, "autoreset_mode='sometimes'"),
        ({"num_envs": 0}, "num_envs=0"),
    ],
)
def test_what_cannot_be_batched_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        gymnasium.make_vec(ID, **{"num_envs": 2} | SETTING | options)


def test_partners_and_actions_that_do_not_exist_are_refused():
    envs = gymnasium.make_vec(ID, num_envs=2, partner=9, **SETTING)
    for _ in range(2):
        with pytest.raises(InputError, match="row 0: partner=9: this world's factory has partners 0 to"):
            envs.reset(seed=0)
    envs = gymnasium.make_vec(ID, num_envs=2, **SETTING)
    envs.reset(seed=0)
    with pytest.raises(InputError, match="row 1: action 22"):
        envs.step([0, 22])
    with pytest.raises(InputError, match="shape"):
        envs.step(np.zeros((2, 1), dtype=np.int64))
