"""Mates: others for whose rewards the learner of a native batch is paid, too."""

import copy

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.oneshot.envs import oneshot_factories_v0
from tests.helpers.self_play import DAYS

GAMES = {
    "oneshot": ("OneShotConcurrent-v0", DAYS, "boulware"),
    "standard": ("StandardDaily-v0", {"observation": "flat", "reward": "daily-profit"}, "just-in-time"),
}
"""In environments that other tests compile too."""


def make(game, weight=None, rows=3, autoreset_mode="SameStep"):
    """Rows in which all others are of one kind: mates of that weight, if one is given."""
    name, arguments, other = GAMES[game]
    arguments = {"days": 4, "factories_per_level": 2, "opponents": [other]} | arguments
    envs = gymnasium.make_vec(f"scml_gym/{name}", rows, autoreset_mode=autoreset_mode, **arguments)
    if weight is not None:
        envs.set_opponents([], [other], weight)
    envs.reset(seed=5)
    return envs


def rewards_of(envs, steps=40):
    """Of random valid answers."""
    paid, rng = [], np.random.default_rng(0)
    sizes = envs.single_action_space.nvec
    for _ in range(steps):
        heads = np.split(envs.action_masks(), np.cumsum(sizes)[:-1], axis=1)
        actions = [[rng.choice(np.flatnonzero(head[i])) for head in heads] for i in range(envs.num_envs)]
        paid.append(envs.step(np.array(actions, dtype=envs.single_action_space.dtype))[1])
    return np.array(paid)


@pytest.mark.parametrize("game", GAMES)
def test_a_team_is_paid_by_the_weight_of_the_mates(game):
    alone, half, whole = (rewards_of(make(game, weight)) for weight in (None, 0.5, 1.0))
    assert np.abs(half - alone).max() > 0.0
    assert whole - alone == pytest.approx(2 * (half - alone), abs=1e-12)
    paid = np.any(alone != 0.0, axis=1)
    assert np.all(half[~paid] == alone[~paid])  # where a day ends, and nowhere else
    if game == "oneshot":
        assert np.all(whole <= alone + 1e-12)  # nobody earns more than in hindsight


def test_the_mates_rewards_are_their_profits():
    totals = []
    for weight in (None, 0.25):
        envs = make("standard", weight, rows=1, autoreset_mode="Disabled")
        total, done = 0.0, False
        while not done:
            _, reward, (done,), _, _ = envs.step(np.zeros_like(envs.action_space.sample()))
            total += reward[0]
        totals.append(total)
    world, learner = envs.batch.worlds[0], envs.batch.rows["factory"][0]
    earned = world["players"]["total_profit"] / np.maximum(world["spec"]["initial_balance"], 1.0)
    earned[learner] = 0.0
    assert np.count_nonzero(earned) > 1
    assert totals[1] == pytest.approx(totals[0] + 0.25 * earned.sum())


def test_a_copy_is_paid_alike():
    envs = make("oneshot", 0.5)
    rewards_of(envs, 10)
    clone = copy.deepcopy(envs)
    assert np.array_equal(rewards_of(clone), rewards_of(envs))


def test_who_plays_several_factories_has_no_mates():
    envs = oneshot_factories_v0.vector_env(2, days=2, opponents=["greedy"])
    before = envs.config.makers
    wrong = {
        "pays no learner for its mates": (["conceder"],),
        "mates='greedy'": ("greedy",),
        "mates=None": (None,),
        "weight": (["greedy"], "a"),
    }
    for told, arguments in wrong.items():
        with pytest.raises(InputError, match=told):
            envs.set_opponents(["greedy"], *arguments)
        assert envs.config.makers is before
    envs.close()
