"""The algorithms of Stable-Baselines3 and sb3-contrib as learners."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Discrete, MultiDiscrete

from scml_gym.agents.sb3.heads import HeadsPolicy, MaskedHeadsPolicy
from scml_gym.agents.sb3.hyperparameters import DQNHyperparameters, PPOHyperparameters, RecurrentPPOHyperparameters
from scml_gym.agents.sb3.learner import SB3Agent


class PPO(SB3Agent):
    """Proximal policy optimisation, without masks."""

    algorithm = "stable_baselines3:PPO"
    hyperparameters_class = PPOHyperparameters
    policy_class = HeadsPolicy
    takes_over = ("behaviour-cloning", "fast-ppo")


class MaskablePPO(SB3Agent):
    """PPO that samples only what the environment's ``action_masks()`` allows."""

    algorithm = "sb3_contrib:MaskablePPO"
    hyperparameters_class = PPOHyperparameters
    policy_class = MaskedHeadsPolicy
    action_spaces = (Discrete, MultiDiscrete)
    takes_over = ("behaviour-cloning", "fast-maskable-ppo")

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """See `scml_gym.agents.base.Agent.predict`; ``mask`` is bool, as ``action_masks()`` gives it."""
        return self._trained().predict(observation, state=state, action_masks=mask, deterministic=deterministic)


class RecurrentPPO(SB3Agent):
    """PPO with an LSTM; ``state`` in `predict` is its hidden state, None at the start of an episode."""

    algorithm = "sb3_contrib:RecurrentPPO"
    hyperparameters_class = RecurrentPPOHyperparameters
    policy_class = "MlpLstmPolicy"

    def _network(self) -> dict[str, Any]:
        hyperparameters: Any = self.hyperparameters
        return super()._network() | hyperparameters.model_dump(include={"lstm_hidden_size", "n_lstm_layers"})


class DQN(SB3Agent):
    """Deep Q-learning for environments with one discrete action, such as one partner at a time."""

    algorithm = "stable_baselines3:DQN"
    hyperparameters_class = DQNHyperparameters
    action_spaces = (Discrete,)

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """See `scml_gym.agents.base.Agent.predict`; with a mask, the valid action of the highest value."""
        if mask is None or not deterministic:
            return super().predict(observation, state, mask, deterministic)
        model = self._trained()
        tensor, vectorised = model.policy.obs_to_tensor(observation)
        with torch.no_grad():
            values = model.policy.q_net(tensor).cpu().numpy()
        actions = np.where(np.asarray(mask, dtype=bool), values, -np.inf).argmax(axis=1)
        return (actions if vectorised else actions[0]), state
