"""What helps learning in the joint environment: days as episodes, regret, rows of entities, forms with a memory."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from scml_gym.core.errors import InputError
from scml_gym.oneshot.actions.factory import ACTIONS, ChoiceActions
from scml_gym.oneshot.envs import oneshot_factories_v0
from scml_gym.oneshot.exported_policies import JointPolicy
from scml_gym.oneshot.observations.factory import EntityEncoder, JointEncoder
from scml_gym.oneshot.view import new_actions
from scml_gym.oneshot.worlds.generation import league_spec
from tests.helpers.episodes import digest, play, play_parallel

NAME = "scml_gym/OneShotConcurrent-v0"
SUMMARY = {"score", "profit", "agreements", "negotiations", "invalid_actions", "decisions", "bankrupt"}


def make(**options) -> Any:
    return gymnasium.make(NAME, **{"days": 4, "factories_per_level": (4, 5), **options}).unwrapped


def worlds_of(env, seed, n=1):
    """The episodes of the next ``n`` worlds under random valid play: the day, the steps and what each step gave."""
    env.action_space.seed(seed)
    episodes = []
    observation, info = env.reset(seed=seed)
    while n:
        episode: dict[str, Any] = {"day": int(env.view["day"]), "first": observation, "steps": []}
        episodes.append(episode)
        done = False
        while not done:
            observation, reward, done, _, info = env.step(env.action_space.sample(mask=env.sample_mask()))
            episode["steps"].append((observation, reward, info))
        if "score" in info:
            n -= 1
        if n:
            observation, info = env.reset()
    return episodes


def poor(seed, cash=0.12):
    """A world in which some factories go bankrupt."""
    spec = league_spec(seed, days=8, factories_per_level=(3, 4))
    return dataclasses.replace(spec, initial_balance=(spec.initial_balance * cash).astype(np.int64))


@pytest.mark.slow
@pytest.mark.parametrize("timing", ["rounds", "moves"])
@pytest.mark.parametrize("backend", ["compiled", "reference"])
def test_days_are_the_episodes_and_add_up_to_the_world(backend, timing):
    for seed in range(3):
        episodes = worlds_of(make(episode="day", backend=backend, timing=timing), seed)
        (world,) = worlds_of(make(backend=backend, timing=timing), seed)
        days = [e["day"] for e in episodes]
        assert days == sorted(set(days))
        assert all("score" not in info for e in episodes for *_, info in e["steps"][:-1])
        assert [set(e["steps"][-1][2]) >= SUMMARY for e in episodes] == [False] * (len(days) - 1) + [True]
        assert sum(len(e["steps"]) for e in episodes) == len(world["steps"])
        last = episodes[-1]["steps"][-1][2]
        assert last["score"] == world["steps"][-1][2]["score"]
        if len(days) == 4:  # none was skipped
            total = sum(reward for e in episodes for _, reward, _ in e["steps"])
            assert total == pytest.approx(last["score"] - 1)
            ideal = sum(info["ideal_profit"] for e in episodes for *_, info in e["steps"])
            assert ideal == pytest.approx(sum(info["ideal_profit"] for *_, info in world["steps"]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"episode": "day", "reward": "regret", "observation": "entities"},
        {"episode": "day", "timing": "moves", "history": 1, "reward": "negotiations"},
        {"action": "planner", "reward": "regret"},
    ],
    ids=str,
)
def test_both_worlds_give_the_same_bits(options):
    compiled, reference = (gymnasium.make(NAME, days=4, backend=b, **options) for b in ("compiled", "reference"))
    assert digest(play(compiled, seed=3, episodes=9)) == digest(play(reference, seed=3, episodes=9))


def test_factories_share_a_form_with_a_memory():
    env = oneshot_factories_v0.parallel_env(action="planner", factories=(0, 4), factories_per_level=4, days=3)
    play_parallel(env, seed=1)
    known = env.codec.memory.any(axis=1)
    assert known[[0, 4]].all()
    assert known.sum() == 2


def test_a_day_ends_with_its_last_view():
    env = make(episode="day", observation="dict")
    for episode in worlds_of(env, 1, n=2):
        observation = episode["steps"][-1][0]
        assert observation["factory"][0] == episode["first"]["factory"][0]  # the same day
        assert not observation["partners"][:, 1:3].any()  # nothing runs, nothing is asked
        mask = np.array(episode["steps"][-1][2]["action_mask"])
        assert mask[:, 0].all()
        assert mask.sum() == 8


def test_unfinished_days_are_left_and_seeds_start_anew():
    env = make(episode="day", days=6)
    env.reset(seed=3)
    world, day = env.world, int(env.view["day"])
    env.reset()
    assert env.world is world
    assert env.view["day"] > day
    env.reset(seed=3)
    assert env.world is not world
    assert env.view["day"] == day
    for _ in range(6):
        env.reset()
    assert env.world is not world  # the next one began


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["compiled", "reference"])
def test_bankruptcy_ends_the_worlds_last_episode(backend):
    met = 0
    for seed in range(6):
        episodes = worlds_of(make(episode="day", backend=backend, spec=poor(seed), reward="regret"), seed)
        info = episodes[-1]["steps"][-1][2]
        assert all(reward <= 1e-9 for e in episodes for _, reward, _ in e["steps"])
        met += bool(info["bankrupt"]) and episodes[-1]["day"] < 7
    assert met


@pytest.mark.slow
def test_a_learner_whom_nobody_asks_is_an_error():
    class Silent:
        """Ends all its negotiations."""

        synchronous = True

        def begin(self, view):
            pass

        def act(self, view):
            return new_actions()

        def end_day(self, view):
            pass

    arguments = {"level": "seller", "opponents": [lambda seed: Silent()], "backend": "reference", "days": 1}
    with pytest.raises(InputError, match="nobody asked"):
        make(episode="day", **arguments).reset(seed=0)
    env = make(**arguments)
    env.reset(seed=0)
    *_, done, _, info = env.step(np.zeros(8, dtype=np.int64))
    assert done
    assert info["negotiations"] > 0


def test_strict_days_refuse_invalid_answers():
    env = make(episode="day", strict=True, level="buyer")
    env.reset(seed=1)
    with pytest.raises(InputError, match="accept"):
        env.step(np.ones(8, dtype=np.int64))


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_vectorised_days_are_those_of_the_single_environment(mode):
    arguments = {"episode": "day", "days": 3, "factories_per_level": 4}
    envs: Any = gymnasium.make_vec(
        NAME, num_envs=2, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}, **arguments
    )
    singles = [gymnasium.make(NAME, **arguments) for _ in range(2)]
    observations, _ = envs.reset(seed=5)
    expected = [env.reset(seed=5 + i)[0] for i, env in enumerate(singles)]
    ended, scores, met = [False, False], 0, 0
    for _ in range(40):
        assert np.array_equal(observations, expected)
        observations, rewards, terminations, _, infos = envs.step(np.zeros((2, 8), dtype=np.int64))
        for i, env in enumerate(singles):
            if ended[i] and mode == AutoresetMode.NEXT_STEP:
                expected[i], reward, done = env.reset()[0], 0.0, False
            else:
                expected[i], reward, done, _, info = env.step(np.zeros(8, dtype=np.int64))
                met += done
                scores += "score" in info
                if done and mode == AutoresetMode.SAME_STEP:
                    assert np.array_equal(infos["final_obs"][i], expected[i])
                    expected[i] = env.reset()[0]
            ended[i] = done
            assert (rewards[i], terminations[i]) == (reward, done)
    assert 0 < scores < met
    envs.close()


@pytest.mark.parametrize("options", [{}, {"spec": 0.12}, {"timing": "moves"}], ids=str)
def test_regret_is_the_profit_less_the_ideal(options):
    for seed in range(4):
        arguments = {"spec": poor(seed, options["spec"])} if "spec" in options else options
        env = make(reward="regret", **arguments)
        (world,) = worlds_of(env, seed)
        info = world["steps"][-1][2]
        ideal = sum(step[2]["ideal_profit"] for step in world["steps"])
        total = sum(step[1] for step in world["steps"])
        assert total * env.view["initial_balance"] == pytest.approx(info["profit"] - ideal)
        assert all(step[1] <= 1e-9 for step in world["steps"])


def test_histories_go_on_from_day_to_day_as_in_deployment():
    env = make(episode="day", history=2)
    episodes = worlds_of(env, 2)
    shown = [row for e in episodes for row in (e["first"], *(step[0] for step in e["steps"][:-1]))]
    assert len(shown) > len(episodes) > 1
    for earlier, later in itertools.pairwise(shown):
        assert np.array_equal(later[95:99], earlier[19:23])  # the first partner's offers


def test_rows_hold_what_the_blocks_hold():
    blocks = JointEncoder(layout="dict")
    rows = EntityEncoder()
    env = make(observation="entities")
    assert env.observation_space.shape == (9, 16)
    assert len(rows.features) == 9 * 16
    assert len({feature.name for feature in rows.features}) == 9 * 16
    for seed in range(3):
        observation, _ = env.reset(seed=seed)
        parts: Any = blocks.encode(env.view)
        assert env.observation_space.contains(observation)
        assert observation[:, 0].tolist() == [1.0] + [0.0] * 8
        assert np.array_equal(observation[0, 1:], parts["factory"])
        assert np.array_equal(observation[1:, 1:11], parts["partners"])
        assert not observation[1:, 11:].any()
        values = dict(zip([s.name for s in rows.features], observation.ravel().tolist(), strict=True))
        assert values["partners[1].exists"] == parts["partners"][1, 0]


@pytest.mark.parametrize("wrong", [{"observability": "full"}, {"history": 1}, {"observability": "half"}], ids=str)
def test_rows_have_neither_history_nor_private_fields(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        make(observation="entities", **wrong)


class Remembering(ChoiceActions):
    """Notes what it is told."""

    def __init__(self):
        super().__init__()
        self.told = []

    def reset(self):
        self.told = ["reset"]

    def end_day(self, view):
        self.told.append(int(view["day"]))

    def decode(self, action, view):
        assert self.told == ["reset", *range(int(view["day"]))]
        return super().decode(action, view)


@pytest.mark.parametrize("episode", ["world", "day"])
def test_a_form_is_told_of_worlds_and_days(episode):
    env = make(action=f"{__name__}:Remembering", episode=episode)
    worlds_of(env, 4, n=3)
    assert env.codec.told == ["reset", 0, 1, 2, 3]


def test_a_deployed_form_is_told_of_worlds_and_days():
    policy = JointPolicy(lambda *_: (np.zeros(8, dtype=np.int64), None), {"action": f"{__name__}:Remembering"})
    env = make()
    env.reset(seed=0)
    for day in range(2):
        view = env.view.copy()
        view["day"] = day
        if day == 0:
            policy.begin(view)
        policy.act(view)
        policy.end_day(view)
    assert policy._codec.told == ["reset", 0, 1]


@pytest.mark.parametrize("form", sorted(ACTIONS))
def test_masks_are_split_by_dimension(form):
    env = make(action=form)
    env.reset(seed=1)
    parts = env.sample_mask()
    assert np.array_equal(np.concatenate(parts), env.action_masks())
    if isinstance(env.action_space, gymnasium.spaces.MultiDiscrete):
        assert [len(part) for part in parts] == env.action_space.nvec.tolist()
        assert env.action_space.contains(env.action_space.sample(mask=parts))


def test_unknown_episode_is_refused():
    with pytest.raises(InputError, match="'week'"):
        make(episode="week")
