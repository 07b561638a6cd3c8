"""Every PettingZoo environment over worlds has a native batch with its arguments."""

import importlib

import numpy as np
import pytest

from scml_gym.core.arguments import argument_names
from scml_gym.core.errors import InputError
from scml_gym.registration import PARALLEL_ENVIRONMENTS

MODULES = {name: importlib.import_module(path) for name, path in PARALLEL_ENVIRONMENTS.items()}
OF_BATCHES = {"num_worlds", "autoreset_mode", "threads"}
OF_ONE = {"strict", "render_mode"}


@pytest.mark.parametrize("name", MODULES)
def test_a_batch_takes_the_arguments_of_the_environment_and_has_its_agents(name):
    module = MODULES[name]
    one, envs = module.parallel_env(), module.vector_env(num_worlds=3)
    assert argument_names(type(envs)) == argument_names(type(one)) - OF_ONE | OF_BATCHES
    assert envs.possible_agents == one.possible_agents
    assert (envs.num_worlds, envs.num_agents) == (3, len(one.possible_agents))
    assert envs.num_envs == 3 * len(one.possible_agents)
    agent = one.possible_agents[0]
    assert envs.single_observation_space == one.observation_space(agent)
    assert envs.single_action_space == one.action_space(agent)
    envs.close()
    envs.close()


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"backend": "reference"}, "backend='reference' cannot be batched: use parallel_env"),
        ({"threads": 0}, "threads=0"),
        ({"autoreset_mode": "never"}, "autoreset_mode='never'"),
        ({"strict": True}, "strict"),
        ({"dayz": 3}, "dayz.*did you mean 'days'"),
        ({"num_worlds": 0}, "num_worlds=0"),
        ({"num_worlds": 1.5}, r"num_worlds=1\.5"),
        ({"num_worlds": True}, "num_worlds=True"),
    ],
)
def test_what_cannot_be_batched_is_refused(name, options, words):
    with pytest.raises(InputError, match=words) as refused:
        MODULES[name].vector_env(**{"num_worlds": 2} | options)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", MODULES)
def test_seeds_are_those_of_worlds(name):
    envs = MODULES[name].vector_env(2, days=3)
    for wrong, words in (([1, 2, 3], "3 seeds for 2 worlds"), (1.5, "one for each world")):
        with pytest.raises(InputError, match=words):
            envs.reset(seed=wrong)
    for call in (envs.action_masks, envs.sample_mask, lambda: envs.step(np.zeros(envs.action_space.shape))):
        with pytest.raises(Exception, match="call reset before"):
            call()
