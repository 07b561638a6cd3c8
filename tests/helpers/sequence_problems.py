"""Small problems for sequence models, as episodes in arrays."""

import numpy as np
from gymnasium import spaces

from scml_gym.agents.decision_transformer.forms import actions_of, observations_of
from scml_gym.agents.decision_transformer.hyperparameters import SequenceHyperparameters
from scml_gym.agents.decision_transformer.sequences import Sequences

SEEN, DONE = observations_of(spaces.Box(-1.0, 1.0, (2,))), actions_of(spaces.Discrete(3))
SETTINGS = {
    "epochs": 25,
    "batch_size": 120,
    "held_out": 0.2,
    "learning_rate": 3e-3,
    "final_learning_rate": 1e-4,
    "max_grad_norm": 1.0,
    "context": 5,
    "width": 16,
    "layers": 1,
    "attention_heads": 2,
    "reward_loss": 0.1,
}


def settings(**changes):
    return SequenceHyperparameters(**(SETTINGS | changes))


def sign_shown_once(episodes=200, length=5, seed=0):
    """The first observation shows a sign, the others nothing; actions are 1 or 2 by it, but for the first, a 0."""
    draws = np.random.default_rng(seed)
    signs = draws.integers(2, size=episodes)
    observations = np.zeros((episodes, length, 2), np.float32)
    observations[:, 0, 0], observations[:, 1:, 1] = 2 * signs - 1, 1.0
    actions = np.repeat(1 + signs[:, None], length, axis=1).astype(np.float32)
    actions[:, 0] = 0.0
    return sequences(observations, actions, np.zeros((episodes, length), np.float32))


def good_and_bad(episodes=200, length=4, seed=0):
    """Of two players in turn one always does 1 and is paid 1 a step, the other does 2 and is paid nothing; both see the
    same."""
    good = np.random.default_rng(seed).integers(2, size=episodes)
    observations = np.zeros((episodes, length, 2), np.float32)
    actions = np.repeat(2 - good[:, None], length, axis=1).astype(np.float32)
    return sequences(observations, actions, np.repeat(good[:, None], length, axis=1).astype(np.float32))


def sequences(observations, actions, rewards, masks=None):
    """From arrays ``(episodes, length, ...)``."""
    episodes, length = rewards.shape
    n = episodes * length
    masks = np.ones((n, 3), np.bool_) if masks is None else masks
    starts = np.arange(0, n, length)
    parts = observations.reshape(n, -1), actions.reshape(n, -1), masks, rewards.reshape(n)
    return Sequences(*parts, starts, np.arange(episodes), np.ones(n, np.bool_))
