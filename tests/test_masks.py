"""Masks in the form that spaces sample with, and information that consumers can make specs of."""

import gymnasium
import numpy as np
import pytest
from pettingzoo.test import api_test, seed_test
from pettingzoo.utils import parallel_to_aec

from scml_gym.commitment import MARKOV_GAMES, commitment_env, parallel_env
from scml_gym.oneshot.envs import oneshot_factories_v0, oneshot_negotiations_v0
from scml_gym.standard.envs import standard_factories_v0, standard_negotiations_v0

PARALLEL = {
    "oneshot_negotiations_v0": lambda: oneshot_negotiations_v0.parallel_env(days=2),
    "oneshot_factories_v0": lambda: oneshot_factories_v0.parallel_env(days=2),
    "oneshot_factories_v0 in moves": lambda: oneshot_factories_v0.parallel_env(days=2, timing="moves"),
    "standard_negotiations_v0": lambda: standard_negotiations_v0.parallel_env(days=2),
    "standard_factories_v0": lambda: standard_factories_v0.parallel_env(days=2),
    **{name: lambda name=name: parallel_env(name) for name in MARKOV_GAMES if name != "matrix"},
    "commitments": lambda: commitment_env(parallel_env("stag-hunt", horizon=4), mega_step=2),
    "commitments of negotiations": lambda: commitment_env(oneshot_negotiations_v0.parallel_env(days=1)),
}

SINGLE = {
    "OneShotConcurrent": {"days": 3},
    "OneShotConcurrent planner": {"days": 3, "action": "planner", "episode": "day", "observation": "entities"}
    | {"reward": "regret"},
    "OneShotBilateral": {"days": 3},
    "StandardConcurrent": {"days": 3},
    "StandardConcurrent goals": {"days": 3, "action": "goals", "observation": "entities"},
    "StandardDaily": {"days": 3},
    "BilateralAcceptance": {"opponent_first": False, "rounds": 8},
    "Bilateral": {"scenario": "random", "rounds": 8},
}
"""In forms that other tests compile too."""


def small(name):
    """Of the native batch and the single environment."""
    return f"scml_gym/{name.split()[0]}-v0", SINGLE[name]


@pytest.mark.parametrize("name", PARALLEL)
@pytest.mark.filterwarnings("ignore")
def test_pettingzoos_own_tests_of_the_sequential_form(name):
    api_test(parallel_to_aec(PARALLEL[name]()), num_cycles=20)
    seed_test(lambda: parallel_to_aec(PARALLEL[name]()), num_cycles=20)


@pytest.mark.parametrize("name", SINGLE)
def test_spaces_sample_with_the_mask_of_the_information(name):
    made, arguments = small(name)
    env = gymnasium.make(made, **arguments)
    env.action_space.seed(1)
    _, info = env.reset(seed=3)
    for _ in range(30):
        flat = env.get_wrapper_attr("action_masks")()
        assert flat.dtype == np.bool_ and flat.ndim == 1
        parts = info["action_mask"] if isinstance(info["action_mask"], tuple) else (info["action_mask"],)
        assert all(part.dtype == np.int8 for part in parts) and np.array_equal(np.concatenate(parts), flat)
        action = np.atleast_1d(env.action_space.sample(mask=info["action_mask"]))
        assert all(part[choice] for part, choice in zip(parts, action, strict=True))
        _, _, done, _, info = env.step(action if len(action) > 1 else action[0])
        if done:
            _, info = env.reset()


@pytest.mark.parametrize("name", SINGLE)
def test_batches_sample_with_their_masks(name):
    made, arguments = small(name)
    envs = gymnasium.make_vec(made, num_envs=3, autoreset_mode="SameStep", **arguments)
    envs.single_action_space.seed(1)
    _, infos = envs.reset(seed=3)
    for _ in range(20):
        assert infos["action_mask"].dtype == np.bool_ and np.array_equal(infos["action_mask"], envs.action_masks())
        actions = [envs.single_action_space.sample(mask=mask) for mask in envs.sample_mask()]
        assert all(
            infos["action_mask"][i][np.cumsum([0, *map(len, row)])[k] + choice]
            for i, row in enumerate(rows(envs))
            for k, choice in enumerate(np.atleast_1d(actions[i]))
        )
        infos = envs.step(actions)[4]


def rows(envs):
    return [part if isinstance(part, tuple) else (part,) for part in envs.sample_mask()]


def kinds(info):
    """Of the values: what a consumer would make a spec of."""
    return {key: type(value) for key, value in info.items()}


@pytest.mark.parametrize("name", PARALLEL)
def test_information_of_a_key_is_of_one_kind_and_never_none(name):
    env = PARALLEL[name]()
    seen = {}
    _, infos = env.reset(seed=1)
    while env.agents:
        for info in infos.values():
            for key, kind in kinds(info).items():
                assert kind is not type(None), key
                assert seen.setdefault(key, kind) is kind, key
        actions = {a: env.action_space(a).sample(infos[a].get("action_mask")) for a in env.agents}
        infos = env.step(actions)[4]
