"""The algorithm: a whole update is Stable-Baselines3's, and a small problem is learnt."""

import copy
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, MultiDiscrete
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import DummyVecEnv

from scml_gym.agents.fast_ppo.algorithm import Training, play, update
from scml_gym.agents.sb3.heads import HeadsPolicy
from scml_gym.core.errors import InputError

ROWS, STEPS, OPTIONS = 16, 8, 4
SETTINGS = {
    **{"n_steps": STEPS, "n_epochs": 3, "batch_size": 32, "gamma": 0.9, "gae_lambda": 0.8, "clip_range": 0.1},
    **{"normalize_advantage": True, "ent_coef": 0.01, "vf_coef": 0.5, "max_grad_norm": 0.5, "target_kl": None},
}


class Guess(gymnasium.Env):
    """One decision: say for both numbers that are shown, as one of so many lights, which they are; it may go on."""

    observation_space = Box(0, 1, (2 * OPTIONS,), np.float32)
    action_space = MultiDiscrete([OPTIONS, OPTIONS])


class GuessRows:
    """Many of them, of which so much is asked as `play` does."""

    action_space = MultiDiscrete([[OPTIONS, OPTIONS]] * ROWS)

    def __init__(self, goes_on):
        self._rng, self._goes_on = np.random.default_rng(0), goes_on

    def reset(self, seed=None):
        self._numbers = self._rng.integers(OPTIONS, size=(ROWS, 2))
        return np.eye(OPTIONS, dtype=np.float32)[self._numbers].reshape(ROWS, -1), {}

    def step(self, actions):
        rewards = (actions == self._numbers).mean(axis=1)
        done = self._rng.random(ROWS) >= self._goes_on
        return self.reset()[0], rewards, done, np.zeros(ROWS, dtype=bool), {}


def made(rate, goes_on=0.0, **changes):
    """A model of Stable-Baselines3, and a training of the same one here."""
    settings = SETTINGS | changes
    spaces = [Guess() for _ in range(ROWS)]
    model = PPO(
        HeadsPolicy, DummyVecEnv([lambda env=env: env for env in spaces]), learning_rate=rate, seed=1, **settings
    )
    model.set_logger(Logger(folder=None, output_formats=[]))
    rates = {"learning_rate": rate, "final_learning_rate": rate, "total_steps": 10_000}
    own = {"n_envs": ROWS, "workers": 1, "reward_scale": 1.0, "decision_cost": 0.0, "features": "flatten"}
    everything = SimpleNamespace(**settings, **rates, **own)
    envs = GuessRows(goes_on)
    return model, Training(copy.deepcopy(model.policy), [OPTIONS, OPTIONS], everything, envs, False, (2, 0))


@pytest.mark.parametrize("target_kl", [None, 0.003])
def test_an_update_is_that_of_stable_baselines3(target_kl, monkeypatch):
    model, training = made(0.01, goes_on=0.6, target_kl=target_kl)
    orders = [np.random.default_rng(seed).permutation(ROWS * STEPS) for seed in range(2 * SETTINGS["n_epochs"])]
    for first in (0, SETTINGS["n_epochs"]):
        play(training)
        decisions, buffer = training.decisions, model.rollout_buffer
        buffer.reset()
        starts = np.concatenate([np.zeros((1, ROWS), dtype=bool), training.done[:-1]])
        for step in range(STEPS):
            values, logs = (torch.from_numpy(part[step].copy()) for part in (decisions.values, decisions.logs))
            seen, actions = decisions.inputs[step].copy(), decisions.actions[step].copy()
            buffer.add(seen, actions, training.rewards[step].copy(), starts[step], values, logs)
        buffer.compute_returns_and_advantage(torch.from_numpy(decisions.values[-1].copy()), training.done[-1])
        mine = iter(orders[first:])
        # it keeps the decisions of a row together, where here those of a step are
        theirs = iter([order % ROWS * STEPS + order // ROWS for order in orders[first:]])
        monkeypatch.setattr(np.random, "permutation", lambda n, theirs=theirs: next(theirs))
        model.train()
        monkeypatch.undo()
        stub = SimpleNamespace(permutation=lambda n, mine=mine: next(mine))
        kept, training.rng = training.rng, stub
        numbers = update(training)
        training.rng = kept
        expected = torch.nn.utils.parameters_to_vector(model.policy.parameters()).detach().numpy()
        assert np.abs(training.network.parameters - expected).max() < 2e-5
        recorded = {name.partition("/")[2]: value for name, value in model.logger.name_to_value.items()}
        for name, value in numbers.items():
            assert value == pytest.approx(recorded[name], rel=2e-3, abs=2e-5), name


def test_a_small_problem_is_learnt():
    _, training = made(0.003, batch_size=64, n_epochs=8, gamma=0.0)
    means = []
    for _ in range(40):
        play(training)
        update(training)
        means.append(training.rewards.mean())
    assert means[0] < 0.4
    assert np.mean(means[-3:]) > 0.9
    assert training.ended.take()["episodes"] == training.steps == 40 * ROWS * STEPS


def test_numbers_that_are_not_finite_are_told_in_one_line():
    _, training = made(0.003)
    play(training)
    training.rewards[:] = np.inf
    with (
        pytest.raises(InputError, match=r"not finite by step 128: lower agent\.learning_rate") as caught,
        np.errstate(all="ignore"),
    ):
        update(training)
    assert "\n" not in str(caught.value)
