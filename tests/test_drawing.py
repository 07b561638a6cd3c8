"""Rows of native batches are drawn as their single environments draw themselves."""

import importlib

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.registration import ENVIRONMENTS, PARALLEL_ENVIRONMENTS
from tests.helpers.small import SMALL


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_row_is_drawn_as_its_single_environment_draws_itself(name):
    small = next(options for start, options in SMALL.items() if f"/{start}" in name)
    envs = gymnasium.make_vec(name, num_envs=2, threads=2, **small)
    single = gymnasium.make(name, render_mode="ansi", **small)
    with pytest.raises(InputError, match="call reset before draw"):
        envs.draw(0)
    envs.reset(seed=5)
    single.reset(seed=6)
    assert envs.draw(1, "ansi") == single.render()
    actions = [envs.single_action_space.sample(mask=mask) for mask in envs.sample_mask()]
    envs.step(np.array(actions))
    single.step(actions[1])
    assert envs.draw(1, "ansi") == single.render()
    picture = envs.draw(np.int64(1))
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3 and picture.std() > 0
    for row, mode, told in ((2, "ansi", "row=2; valid:"), (-1, "ansi", "row=-1; valid:"), (0, "svg", "mode='svg'")):
        with pytest.raises(InputError, match=told):
            envs.draw(row, mode)
    envs.close()


@pytest.mark.parametrize("name", PARALLEL_ENVIRONMENTS)
def test_an_agents_row_shows_what_its_player_sees(name):
    module = importlib.import_module(PARALLEL_ENVIRONMENTS[name])
    options = {"days": 3} | ({"n_levels": 3} if name == "standard_factories_v0" else {})
    envs, one = module.vector_env(2, **options), module.parallel_env(render_mode="ansi", **options)
    envs.reset(seed=5)
    one.reset(seed=6)
    drawn = [envs.draw(row, "ansi") for row in range(envs.num_agents, envs.num_envs)]
    assert one.render() in drawn
    assert len(set(drawn)) == (envs.num_agents if "factories" in name else 1)
    envs.close()
