"""Every registered Gymnasium environment keeps its contracts."""

import json
import multiprocessing.popen_spawn_posix
import pickle
import re
import subprocess
import sys
import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import scml_gym
from scml_gym.core.errors import InputError
from scml_gym.registration import ENVIRONMENTS
from tests.helpers.episodes import GOLDEN, ONESHOT, OPTIONS, STANDARD, digest, golden, make, play
from tests.helpers.scripts import ROOT, Script, in_new_interpreter

IDS = sorted(ENVIRONMENTS)
CASES = [(name, options) for name in IDS for options in OPTIONS[name]]

SPAWNED = multiprocessing.popen_spawn_posix.Popen
"""As it is before tests replace it."""


def ids(case):
    return f"{case[0].split('/')[1]}-{'-'.join(str(v) for v in case[1].values()) or 'default'}"


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_gymnasiums_checker_is_content_without_a_warning(case):
    env = make(*case)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=True)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_two_copies_in_lockstep_are_equal_to_the_last_bit(case):
    first, second = make(*case), make(*case)
    assert digest(play(first, seed=5, episodes=2)) == digest(play(second, seed=5, episodes=2))


@pytest.mark.parametrize("name", IDS)
def test_another_seed_is_another_episode(name):
    assert digest(play(make(name, {}), seed=5)) != digest(play(make(name, {}), seed=6))


@pytest.mark.parametrize("name", IDS)
def test_pickled_environment_plays_the_same(name):
    env = make(name, {})
    copy = pickle.loads(pickle.dumps(env))
    assert digest(play(env, seed=3)) == digest(play(copy, seed=3))


def test_golden_episodes():
    """Behaviour that changes is a new version of the environment; see tests/helpers/episodes.py to write new
    digests."""
    assert golden() == json.loads(GOLDEN.read_text())


@pytest.mark.slow
def test_same_episodes_in_processes_with_other_hash_seeds_beside_each_other():
    """Each loads the machine for the others."""
    command = [sys.executable, "-m", "tests.helpers.episodes"]
    forked = Script(ROOT, command)  # with hash seed 0
    other = in_new_interpreter(ROOT, command, {"PYTHONHASHSEED": "1"})
    told = [forked.ended(), other]
    assert [process.returncode for process in told] == [0, 0]
    assert [json.loads(process.stdout) for process in told] == [json.loads(GOLDEN.read_text())] * 2


def _play_in_worker(name):
    env = gymnasium.make(f"scml_gym:{name}", days=3)  # nothing imported scml_gym here
    return digest(play(env, seed=2))


@pytest.mark.slow
def test_environment_exists_in_a_spawned_worker(monkeypatch):
    """In a new interpreter: other tests have it forked."""
    monkeypatch.setattr(multiprocessing.popen_spawn_posix, "Popen", SPAWNED)
    name = "scml_gym/OneShotConcurrent-v0"
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_play_in_worker, (name,)) == _play_in_worker(name)


def test_importing_scml_gym_loads_neither_scml_nor_torch():
    code = "import sys, scml_gym; print([m for m in ('scml', 'negmas', 'torch', 'pandas') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "options"),
    [("OneShotConcurrent", options) for options in ({}, {"timing": "moves"}, {"action": "continuous"})]
    + [("StandardConcurrent", options) for options in ({}, {"stock": "physical"}, {"action": "continuous"})]
    + [("StandardDaily", {})],
)
def test_return_is_the_score_less_one(name, options):
    name = f"scml_gym/{name}-v0"
    for seed in range(4):
        *_, last = play(make(name, options), seed=seed)
        info = last["info"]
        assert abs(last["return"] - (info["score"] - 1)) < 1e-9
        assert info["invalid_actions"] == 0
        assert 0 <= info["agreements"] <= info["negotiations"]


@pytest.mark.parametrize("name", [*ONESHOT, *STANDARD])
@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_rendering_shows_the_day(name, mode):
    env = make(name, {"render_mode": mode})
    env.reset(seed=0)
    frame: Any = env.render()
    if mode == "ansi":
        assert ("needs" if name in ONESHOT else "stock") in frame
        assert "its offer" in frame
    else:
        assert frame.dtype == np.uint8
        assert frame.ndim == 3
        assert frame.std() > 0


@pytest.mark.parametrize("name", STANDARD)
@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "frist"},
        {"opponents": ["sync-randm"]},
        {"opponents": ["best-subset"]},
        {"opponents": ["greedy?slak=1"]},
        {"n_levels": 5},
        {"horizon": 11},
        {"stock": "kept"},
        {"action": "plans"},
        {"reward": "regret"},
    ],
    ids=lambda wrong: "-".join(f"{k}-{v}" for k, v in wrong.items()),
)
def test_wrong_arguments_of_the_standard_track_are_refused_with_the_wrong_value(name, wrong):
    test_wrong_arguments_are_refused_with_the_wrong_value(name, wrong)


@pytest.mark.parametrize("name", ONESHOT)
@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "byuer"},
        {"opponents": ["best-subst"]},
        {"opponents": "greedy"},
        {"opponents": ["scml:GreedyAgent"]},
        {"opponents": ["best-subset?tolerence=1"]},
        {"days": 0},
        {"factories_per_level": 9},
        {"timing": "round"},
        {"backend": "fast"},
        {"generator": "leage"},
        {"observation": "image"},
        {"spec": "nowhere.npz"},
    ],
    ids=lambda wrong: "-".join(f"{k}-{v}" for k, v in wrong.items()),
)
def test_wrong_arguments_are_refused_with_the_wrong_value(name, wrong):
    with pytest.raises(InputError) as error:
        make(name, wrong)
    assert "\n" not in str(error.value)
    value = next(iter(wrong.values()))
    text = str(value[0] if isinstance(value, list) else value)
    assert re.split("[:?=]", text)[-1 if "=" not in text else -2] in str(error.value)


@pytest.mark.parametrize("name", ONESHOT)
def test_invalid_actions_are_counted_or_refused(name):
    env = make(name, {"level": "buyer"})
    _, info = env.reset(seed=1)
    mask = np.atleast_2d(info["action_mask"])  # a row for each partner
    assert not mask[:, 1].any()  # a buyer opens: nothing can be accepted yet
    accept = np.ones(8, dtype=np.int64) if "Concurrent" in name else 1
    *_, info = env.step(accept)
    strict = make(name, {"level": "buyer", "strict": True})
    strict.reset(seed=1)
    with pytest.raises(InputError, match="accept"):
        strict.step(accept)


@pytest.mark.parametrize(("name", "level"), [("OneShotConcurrent", "buyer"), ("StandardConcurrent", "last")])
def test_invalid_actions_are_reported(name, level):
    env = make(f"scml_gym/{name}-v0", {"level": level})
    env.reset(seed=1)
    accept = np.zeros(env.action_space.shape or (), dtype=np.int64)
    accept[:: 4 if "Standard" in name else 1] = 1
    if "Standard" in name:
        strict = make(f"scml_gym/{name}-v0", {"level": level, "strict": True})
        strict.reset(seed=1)
        with pytest.raises(InputError, match="accept"):
            strict.step(accept)
    done, info = False, {}
    while not done:
        _, _, done, _, info = env.step(accept)
    assert info["invalid_actions"] > 0


def test_action_outside_the_space():
    env = gymnasium.make("scml_gym/OneShotConcurrent-v0", days=3, disable_env_checker=True)
    env.reset(seed=1)
    with pytest.raises(InputError, match="99"):
        env.step(np.full(8, 99))
    with pytest.raises(InputError, match="shape"):
        env.step(np.zeros(3, dtype=np.int64))


@pytest.mark.slow
def test_stable_baselines_ppo_works_unchanged():
    from stable_baselines3 import PPO

    env = gymnasium.make("scml_gym/OneShotConcurrent-v0", days=3, factories_per_level=4)
    model = PPO("MlpPolicy", env, n_steps=16, batch_size=16, n_epochs=1, device="cpu")
    model.learn(32)
    assert model.num_timesteps == 32


def test_version():
    assert scml_gym.__version__
