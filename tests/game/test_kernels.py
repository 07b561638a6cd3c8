"""What native vector environments take from the parts of single ones, and what they refuse."""

import pickle

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.game.codecs import NotCompiledError
from scml_gym.game.kernels import action_kernel, encoder_kernel, reward_kernel
from scml_gym.oneshot.actions.factory import ACTIONS, ChoiceActions
from scml_gym.oneshot.observations.factory import ASKED_OBSERVATIONS, OBSERVATIONS, JointEncoder
from scml_gym.oneshot.rewards.factory import REWARDS, DailyProfit
from scml_gym.standard import actions as standard_actions
from scml_gym.standard import observations as standard_observations
from scml_gym.standard import rewards as standard_rewards

REGISTERED = [
    *((action_kernel, registry, name) for registry in (ACTIONS, standard_actions.ACTIONS) for name in registry),
    *(
        (encoder_kernel, r, name)
        for r in (OBSERVATIONS, ASKED_OBSERVATIONS, standard_observations.OBSERVATIONS)
        for name in r
    ),
    *((reward_kernel, registry, name) for registry in (REWARDS, standard_rewards.REWARDS) for name in registry),
]


@pytest.mark.parametrize(("kernel", "registry", "name"), REGISTERED)
def test_every_registered_part_has_a_kernel(kernel, registry, name):
    part = registry.get(name)()
    assert kernel(part) == kernel(part)  # one that is compiled once
    if kernel is reward_kernel:
        assert kernel(pickle.loads(pickle.dumps(part))) == kernel(registry.get(name)())


class Mirrored(ChoiceActions):
    def decode(self, action, view):
        return super().decode(action[::-1], view)


class Louder(JointEncoder):
    def encode(self, view, hidden_state=None):
        return super().encode(view, hidden_state) * 2


class Doubled(DailyProfit):
    def __call__(self, transition):
        return 2 * super().__call__(transition)


class Renamed(ChoiceActions):
    """A subclass that changes nothing."""


@pytest.mark.parametrize(
    ("kernel", "part", "name"),
    [
        (action_kernel, Mirrored(), "action: Mirrored"),
        (encoder_kernel, Louder(), "observation: Louder"),
        (reward_kernel, Doubled(), "reward: Doubled"),
        (reward_kernel, object(), "reward: object"),
    ],
)
def test_what_does_more_than_its_kernel_is_refused(kernel, part, name):
    with pytest.raises(NotCompiledError, match=name):
        kernel(part)
    assert action_kernel(Renamed()) == action_kernel(ChoiceActions())


def test_a_choice_outside_its_head_is_refused_in_a_batch():
    """In a form that other tests compile too."""
    form = {"action": "planner", "episode": "day", "observation": "entities", "reward": "regret"}
    envs = gymnasium.make_vec("scml_gym/OneShotConcurrent-v0", num_envs=2, days=2, **form)
    envs.reset(seed=0)
    for value in (-1, 7):
        with pytest.raises(InputError, match="row 1: action"):
            envs.step(np.array([[0] * 6, [value] * 6]))
