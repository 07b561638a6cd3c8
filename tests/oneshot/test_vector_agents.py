"""Batches of OneShot's PettingZoo environments: each agent of a world is a row."""

import numpy as np
import pytest

from scml_gym.game.codecs import NotCompiledError
from scml_gym.oneshot.envs import oneshot_factories_v0, oneshot_negotiations_v0
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from tests.helpers.rows import check_agent_rows

WORLDS = 5
SETTING = {
    "days": (1, 4),
    "factories_per_level": (1, 4),
    "opponents": ["best-subset", "greedy", "random", "do-nothing"],
}
PLANNED = SETTING | {"factories_per_level": 3, "factories": (4, 0), "action": "planner", "reward": "negotiations"}
CASES = {
    "negotiations": (oneshot_negotiations_v0, SETTING),
    "negotiations-moves": (oneshot_negotiations_v0, SETTING | {"timing": "moves", "level": "seller"}),
    "factories": (oneshot_factories_v0, PLANNED),
    "factories-moves": (oneshot_factories_v0, PLANNED | {"factories": (0, 4, 5), "timing": "moves"}),
}


@pytest.mark.slow
@pytest.mark.parametrize(("case", "threads"), [*((case, 1) for case in CASES), ("negotiations", 2)])
def test_rows_equal_the_agents_of_single_environments(case, threads):
    module, options = CASES[case]
    assert check_agent_rows(module, options, WORLDS, threads) > WORLDS


def test_negotiations_that_ended_with_their_world_are_kept_aside():
    envs = oneshot_negotiations_v0.vector_env(3, autoreset_mode="SameStep", **SETTING)
    later = oneshot_negotiations_v0.vector_env(3, **SETTING)
    envs.action_space.seed(4)
    envs.reset(seed=2)
    later.reset(seed=2)
    terminated, infos, information = np.zeros(envs.num_envs, dtype=bool), {}, {}
    while not terminated.any():
        actions = envs.action_space.sample()
        _, rewards, terminated, _, infos = envs.step(actions)
        _, expected, _, _, information = later.step(actions)
        assert np.array_equal(rewards, expected)
        assert np.array_equal(infos["negotiation_end"][~terminated], information["negotiation_end"][~terminated])
    assert not infos["negotiation_end"][terminated].any()
    final = infos["final_info"]
    assert np.array_equal(final["_negotiation_end"], terminated)
    assert np.array_equal(final["negotiation_end"][terminated], information["negotiation_end"][terminated])
    assert final["negotiation_end"][terminated].any()


class Own(NegotiationReward):
    """A reward that computes its own numbers."""

    def ended(self, view, k, needs):
        return 0.0


def test_a_reward_of_ones_own_plays_in_single_environments_only():
    with pytest.raises(NotCompiledError, match=r"reward: Own is for single environments .*parallel_env"):
        oneshot_negotiations_v0.vector_env(2, reward=Own(), **SETTING)
    oneshot_negotiations_v0.parallel_env(reward=Own(), **SETTING).reset(seed=0)
