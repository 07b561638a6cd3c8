"""A small stopping problem for tests of learners: each round shows a number; accept it, or go on; the last is lost."""

import gymnasium
import numpy as np

ROUNDS = 10


def value_of_optimal_play():
    """Of uniform numbers, seen before deciding."""
    value = 0.0
    for _ in range(ROUNDS):
        value = value * value + (1 - value * value) / 2
    return value


class StoppingRows:
    """Many of them together, as `scml_gym.agents.dqn_batch.Rows`; action 1 accepts."""

    n_inputs = 2
    n_actions = 2

    def __init__(self, seeds):
        self._rngs = [np.random.default_rng(seed) for seed in seeds]
        self.returns = [[] for _ in seeds]

    def _draw(self):
        return np.array([rng.random() for rng in self._rngs], dtype=np.float32)

    def reset(self):
        self._round = np.zeros(len(self._rngs), dtype=np.int64)
        self._shown = self._draw()
        return self._observe()

    def _observe(self):
        return np.stack([self._shown, self._round / ROUNDS], axis=1).astype(np.float32)

    def step(self, actions):
        accepted = actions == 1
        ended = accepted | (self._round == ROUNDS - 1)
        rewards = np.where(accepted, self._shown, 0.0)
        for row in np.flatnonzero(ended):
            self.returns[row].append(float(rewards[row]))
        self._round = np.where(ended, 0, self._round + 1)
        self._shown = self._draw()
        return self._observe(), rewards, ended

    def masks(self):
        return None


class StoppingEnv(gymnasium.Env):
    """One of them."""

    observation_space = gymnasium.spaces.Box(0.0, 1.0, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._rows = StoppingRows([self.np_random.integers(2**31)])
        return self._rows.reset()[0], {}

    def step(self, action):
        observations, rewards, ended = self._rows.step(np.array([action]))
        return observations[0], float(rewards[0]), bool(ended[0]), False, {}
