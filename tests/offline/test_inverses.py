"""From answers back to actions: what an action means is what its inverse means."""

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.game.inverses import encode_answers, inverse_of
from scml_gym.oneshot.actions.factory import ACTIONS, make_codec
from scml_gym.standard.actions import ACTIONS as STANDARD_ACTIONS
from scml_gym.standard.actions import make_codec as make_standard_codec

CASES = [
    ("scml_gym/OneShotConcurrent-v0", {"days": 3, "action": "choice"}),
    ("scml_gym/OneShotConcurrent-v0", {"days": 3, "action": "continuous"}),
    ("scml_gym/OneShotConcurrent-v0", {"days": 3, "timing": "negotiations"}),
    ("scml_gym/StandardConcurrent-v0", {"days": 5, "action": "choice"}),
    ("scml_gym/StandardConcurrent-v0", {"days": 5, "action": "continuous"}),
]


@pytest.mark.parametrize(("env_id", "arguments"), CASES)
def test_the_action_of_an_actions_answers_means_the_same(env_id, arguments):
    env = gymnasium.make(env_id, **arguments)
    plain = env.unwrapped
    env.action_space.seed(3)
    observation, info = env.reset(seed=3)
    for _ in range(60):
        masked = not isinstance(env.action_space, gymnasium.spaces.Box)
        action = env.action_space.sample(mask=info["action_mask"]) if masked else env.action_space.sample()
        meant = plain.codec.decode(np.asarray(action), plain.view)
        again = encode_answers(plain.codec, meant, plain.view)
        assert env.action_space.contains(again)
        if masked:
            valid = plain.codec.mask(plain.view)
            sizes = np.atleast_1d(getattr(env.action_space, "nvec", valid.size))
            assert valid[np.cumsum(sizes) - sizes + np.atleast_1d(again)].all()
        told = plain.codec.decode(np.asarray(again), plain.view)
        assert told.tolist() == meant.tolist()
        observation, _, terminated, _, info = env.step(again)
        if terminated:
            observation, info = env.reset()
    env.close()


@pytest.mark.parametrize("codec", [make_codec("planner"), make_standard_codec("goals")])
def test_plans_and_goals_have_none(codec):
    assert {"planner"} <= set(ACTIONS) and {"goals"} <= set(STANDARD_ACTIONS)
    with pytest.raises(InputError, match="no action for a given answer; valid: choice, continuous"):
        inverse_of(codec)
