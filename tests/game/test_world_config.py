"""Who plays in a world: players, or lists of players of which one is drawn for each world."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from scml_gym.core.errors import InputError
from scml_gym.oneshot.envs.config import OneShotConfig

POPULATIONS = [["greedy"], ["do-nothing", "random"], ["greedy"]]


def names_in(config, seed):
    return {player.strategy.name for player in config.sample(seed).players if player is not None}


def test_all_players_of_a_world_are_of_one_list():
    drawn = [names_in(OneShotConfig(opponents=POPULATIONS, days=2), seed) for seed in range(60)]
    greedy = sum(names == {"greedy"} for names in drawn)
    assert all(names == {"greedy"} or "greedy" not in names for names in drawn)
    assert 30 <= greedy <= 50  # two lists of three


def test_one_list_is_drawn_from_as_its_players_alone():
    flat, nested = (OneShotConfig(opponents=o, days=2) for o in (["greedy", "random"], [["greedy", "random"]]))
    assert [names_in(flat, seed) for seed in range(20)] == [names_in(nested, seed) for seed in range(20)]
    assert len(flat.by_population()) == 1


def first_days(env_id, opponents, rows=12):
    """Rewards of the same answers in a batch and in single environments, a row each."""
    settings = {"days": 1, "factories_per_level": 2, "opponents": opponents}
    envs = gymnasium.make_vec(env_id, rows, **settings)
    observations = envs.reset(seed=5)[0]
    singles = [gymnasium.make(env_id, **settings) for _ in range(rows)]
    alone = np.array([env.reset(seed=5 + i)[0] for i, env in enumerate(singles)])
    answer = np.zeros_like(envs.action_space.sample())
    rewards = [envs.step(answer)[1], np.array([env.step(answer[i])[1] for i, env in enumerate(singles)])]
    return observations, alone, *rewards


@pytest.mark.parametrize("env_id", ["scml_gym/OneShotConcurrent-v0", "scml_gym/StandardConcurrent-v0"])
def test_a_batch_draws_the_lists_that_single_environments_draw(env_id):
    batch, alone, *rewards = first_days(env_id, POPULATIONS)
    assert np.array_equal(batch, alone)
    assert np.array_equal(*rewards)
    envs = gymnasium.make_vec(env_id, 12, days=1, factories_per_level=2, opponents=["random"])
    envs.set_opponents(POPULATIONS)
    assert np.array_equal(envs.reset(seed=5)[0], batch)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([[]], "at least one player"),
        ([["greedy"], []], "at least one player"),
        ([["greedy"], "random"], "'random' stands beside lists of players"),
        ([["gredy"]], "did you mean 'greedy'"),
        ([[["greedy"]]], "valid: a name"),
    ],
)
def test_a_wrong_list_is_refused_in_one_line(wrong, message):
    envs = gymnasium.make_vec("scml_gym/OneShotConcurrent-v0", 2, days=2, opponents=POPULATIONS)
    before = envs.config.makers, envs.config.populations
    for refuse in (lambda: OneShotConfig(opponents=wrong), lambda: envs.set_opponents(wrong)):
        with pytest.raises(InputError, match=message) as caught:
            refuse()
        assert "\n" not in str(caught.value)
    assert (envs.config.makers, envs.config.populations) == before
