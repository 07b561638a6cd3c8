"""The shield in environments: what is played is safe, alike in both worlds and in batches."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.standard.envs import standard_factories_v0, standard_negotiations_v0
from scml_gym.standard.safety import judge_answers, largest_quantities
from scml_gym.standard.view import ACCEPT, BOOK_DAYS, OFFER
from tests.helpers.rows import check_rows

CONCURRENT, DAILY = "scml_gym/StandardConcurrent-v0", "scml_gym/StandardDaily-v0"
SETTING = {"days": 4, "factories_per_level": (2, 3), "opponents": ["greedy", "sync-random"]}


def watch(env, played):
    """Note every decision that is played in an environment: its view and its answers."""
    world = env.world.world if hasattr(env.world, "world") and hasattr(env.world.world, "step") else env.world
    step = world.step

    def watched(actions):
        played.extend((world.view(i).copy(), answers.copy()) for i, answers in actions.items())
        return step(actions)

    world.step = watched


@pytest.mark.parametrize(
    ("env_id", "options", "bound"),
    [
        (CONCURRENT, {"stock": "physical", "level": "middle"}, "covered"),
        (CONCURRENT, {"action": "continuous", "level": "first"}, "possible"),
        (CONCURRENT, {"action": "goals", "level": "last"}, "covered"),
        (DAILY, {"level": "middle", "stock": "physical"}, "possible"),
    ],
)
def test_whatever_is_chosen_is_safe(env_id, options, bound):
    """Without its masks, so that the shield has something to do."""
    env, played, changed = gymnasium.make(env_id, **SETTING | options, shield=bound).unwrapped, [], 0
    env.action_space.seed(0)
    for seed in range(3):
        _, info = env.reset(seed=seed)
        assert not info["shielded"].any()
        watch(env, played)
        done = False
        while not done:
            _, _, done, _, info = env.step(env.action_space.sample())
            assert info["shielded"].dtype == np.int64 and info["shielded"].shape == (16,)
            changed += info["shielded"].sum()
    acts = sum(int(np.isin(answers["response"], (ACCEPT, OFFER)).sum()) for _, answers in played)
    assert acts > 20
    assert bound == "possible" or changed > 0
    assert all(judge_answers(view, answers, bound).safe for view, answers in played)


def test_masks_have_what_is_safe_by_itself():
    env = gymnasium.make(CONCURRENT, **SETTING, shield="covered", level="middle", stock="physical").unwrapped
    free = gymnasium.make(CONCURRENT, **SETTING, level="middle", stock="physical").unwrapped
    env.action_space.seed(1)
    narrowed = 0
    for seed in range(4):
        env.reset(seed=seed)
        free.reset(seed=seed)
        done = False
        while not done:
            if env.world.pending:
                limits = largest_quantities(env.view)
                masks, wider = env.action_masks().reshape(16, 28), free.codec.mask(env.view).reshape(16, 28)
                assert (masks <= wider).sum() >= masks.size - 16  # the first day may be let in again
                for k in np.flatnonzero(env.view["partners"]["my_turn"]):
                    days, quantities = masks[k, 13:24], masks[k, 3:13]
                    assert masks[k, 0] and days.any() and quantities.any()
                    safe = limits[k // 8][:BOOK_DAYS] > 0
                    assert not masks[k, 2] or not (days & ~safe).any()
                    if masks[k, 2]:
                        assert quantities.nonzero()[0].max() + 1 <= max(1, limits[k // 8].max())
                    narrowed += wider[k].sum() > masks[k].sum()
            _, _, done, _, _ = env.step(env.action_space.sample(mask=env.sample_mask()))
    assert narrowed > 10


def play(env, steps=60):
    env.action_space.seed(3)
    observation, info = env.reset(seed=11)
    shown = [observation, info["shielded"], np.concatenate(info["action_mask"])]
    for _ in range(steps):
        observation, reward, done, _, info = env.step(env.action_space.sample())
        shown += [observation, reward, done, info["shielded"], np.concatenate(info["action_mask"])]
        if done:
            env.reset()
    return shown


@pytest.mark.slow
def test_both_worlds_and_copies_are_alike():
    options = SETTING | {"shield": "covered"}
    first = play(gymnasium.make(CONCURRENT, **options).unwrapped)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(first, play(gymnasium.make(CONCURRENT, **options, backend="reference").unwrapped), strict=True)
    )
    env = gymnasium.make(CONCURRENT, **options).unwrapped
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert all(np.array_equal(a, b) for a, b in zip(first, play(other), strict=True))


@pytest.mark.slow
def test_rows_of_a_batch_are_single_environments():
    assert check_rows(CONCURRENT, SETTING | {"shield": "covered", "stock": "physical"}, 4, steps=60) > 4


def test_agents_of_a_factory_are_shielded_together():
    env, played, changed = standard_negotiations_v0.parallel_env(**SETTING, shield="covered", level="first"), [], 0
    _, infos = env.reset(seed=5)
    watch(env, played)
    assert not any(info["shielded"] for info in infos.values())
    for agent in env.agents:
        env.action_space(agent).seed(1)
    while env.agents:
        _, _, _, _, infos = env.step({a: env.action_space(a).sample() for a in env.agents})
        changed += sum(info["shielded"] for info in infos.values())
    assert changed > 0
    assert all(judge_answers(view, answers).safe for view, answers in played)


def test_each_factory_is_told_what_was_changed_of_its_own():
    options = {"factories": (0, 2, 4), "factories_per_level": 2, "n_levels": 3, "days": 6, "opponents": ["greedy"]}
    env, played = standard_factories_v0.parallel_env(**options, shield="covered"), []
    _, infos = env.reset(seed=5)
    watch(env, played)
    due = {a for a in env.agents if infos[a]["my_turn"]}
    changed = dict.fromkeys(env.agents, 0)
    for agent in env.agents:
        env.action_space(agent).seed(2)
    while env.agents:
        _, _, _, _, infos = env.step({a: env.action_space(a).sample() for a in env.agents})
        for agent, info in infos.items():
            assert agent in due or not info["shielded"].any()
            changed[agent] += info["shielded"].sum()
        due = {a for a in env.agents if infos[a]["my_turn"]}
    assert sum(changed.values()) > 0
    assert all(judge_answers(view, answers).safe for view, answers in played)


def test_an_unknown_bound_and_other_games_are_refused():
    for make in (gymnasium.make, gymnasium.make_vec):
        with pytest.raises(InputError, match="shield='safe'; valid: covered, possible, None"):
            make(CONCURRENT, shield="safe")
        with pytest.raises(InputError, match="shield: unexpected keyword argument"):
            make("scml_gym/Bilateral-v0", shield="covered")
    with pytest.raises(InputError, match="shield=True"):
        standard_negotiations_v0.parallel_env(shield=True)
