"""Before reset, after close and after a refused reset: one line that says what to do, or nothing."""

import gymnasium
import numpy as np
import pytest

from scml_gym.commitment import commitment_env, parallel_env
from scml_gym.core.errors import InputError
from scml_gym.oneshot.envs import oneshot_factories_v0, oneshot_negotiations_v0
from scml_gym.registration import ENVIRONMENTS
from scml_gym.standard.envs import standard_factories_v0, standard_negotiations_v0
from tests.helpers.small import SMALL

BACKENDS = ("compiled", "reference")


def make(name, **arguments):
    small = next(options for start, options in SMALL.items() if f"/{start}" in name)
    return gymnasium.make(name, **small, **arguments).unwrapped


PARALLEL = {
    "factories": lambda **a: oneshot_factories_v0.parallel_env(days=3, **a),
    "negotiations": lambda **a: oneshot_negotiations_v0.parallel_env(days=3, **a),
    "standard factories": lambda **a: standard_factories_v0.parallel_env(days=3, n_levels=3, **a),
    "standard negotiations": lambda **a: standard_negotiations_v0.parallel_env(days=3, **a),
}

GAMES = {
    "game": lambda: parallel_env("stag-hunt"),
    "commitment": lambda: commitment_env(parallel_env("stag-hunt")),
}


def refused(call):
    with pytest.raises(
        (InputError, gymnasium.error.ResetNeeded), match=r"^(call reset before|no agent is left)"
    ) as said:
        call()
    assert "\n" not in str(said.value)


def single_calls(env):
    valid = env.action_space.sample()
    return [
        env.action_masks,
        env.render,
        lambda: env.step(valid),
        *([env.sample_mask] if hasattr(env, "sample_mask") else []),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_single_environments(name, backend):
    opponents = {} if "/Bilateral" in name else {"opponents": ["greedy"]}
    env = make(name, backend=backend, render_mode="ansi", **opponents)
    env.close()
    for _ in range(2):
        for call in single_calls(env):
            refused(call)
        _, info = env.reset(seed=1)
        assert isinstance(env.render(), str)
        env.step(env.action_space.sample(mask=info["action_mask"]))
        env.close()
        env.close()
    for call in single_calls(env):
        refused(call)
    assert env.render_mode == "ansi"
    env.reset()


def test_an_environment_without_a_render_mode_draws_nothing_at_any_time():
    for name in ENVIRONMENTS:
        assert make(name).render() is None


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", PARALLEL)
def test_parallel_environments(name, backend):
    env = PARALLEL[name](backend=backend, render_mode="ansi", opponents=["greedy"])
    agent = env.possible_agents[0]
    calls = [lambda: env.step({}), lambda: env.step({agent: 0}), env.render]
    calls += [lambda: env.sample_mask(agent)] if hasattr(env, "sample_mask") else []
    env.close()
    for _ in range(2):
        for call in calls:
            refused(call)
        _, infos = env.reset(seed=1)
        env.step({a: env.action_space(a).sample(infos[a]["action_mask"]) for a in env.agents})
        assert isinstance(env.render(), str)
        env.close()
        env.close()


@pytest.mark.parametrize("name", PARALLEL)
def test_parallel_environments_after_the_end(name):
    env = PARALLEL[name](render_mode="ansi")
    _, infos = env.reset(seed=1)
    with pytest.raises(InputError, match=r"^nobody: there is no such agent"):
        env.step({"nobody": 0})
    while env.agents:
        infos = env.step({a: env.action_space(a).sample(infos[a]["action_mask"]) for a in env.agents})[4]
    assert isinstance(env.render(), str)
    refused(lambda: env.step({}))


@pytest.mark.parametrize("name", GAMES)
def test_games(name):
    env = GAMES[name]()
    env.close()
    refused(lambda: env.step({}))
    env.reset(seed=1)
    env.close()
    env.close()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_batches(name):
    small = next(options for start, options in SMALL.items() if f"/{start}" in name)
    envs = gymnasium.make_vec(name, num_envs=2, threads=2, **small)
    for call in (envs.action_masks, envs.sample_mask, lambda: envs.step(np.zeros(envs.action_space.shape, dtype=int))):
        refused(call)
    envs.close()
    envs.close()
    envs.reset(seed=1)
    envs.step([envs.single_action_space.sample(mask=mask) for mask in envs.sample_mask()])
    envs.close()


def failing(seed):
    raise InputError("no player")


def test_a_refused_reset_can_be_closed_and_another_one_tried():
    broken = oneshot_factories_v0.parallel_env(days=3, backend="reference", opponents=[failing])
    for _ in range(2):
        with pytest.raises(InputError, match=r"no player"):
            broken.reset(seed=1)
        refused(lambda: broken.step({}))
        broken.close()
        broken.close()
    outside = oneshot_factories_v0.parallel_env(days=3, factories=(0, 15), factories_per_level=4)
    with pytest.raises(InputError, match=r"^factory 15"):
        outside.reset(seed=1)
    outside.close()
    env = make("scml_gym/OneShotBilateral-v0", partner=7, factories_per_level=3, render_mode="ansi")
    with pytest.raises(InputError, match=r"^partner=7"):
        env.reset(seed=1)
    for call in single_calls(env):
        refused(call)
    env.close()
    env.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_closed_negotiations_take_no_answers(backend):
    env = make("scml_gym/Bilateral-v0", backend=backend)
    env.reset(seed=1)
    world = env._world
    world.close()
    world.close()
    with pytest.raises(InputError, match=r"ended"):
        world.answer(0)
