"""Stable-Baselines3's own DQN with the hyperparameters of the batched one, its networks as ours: to compare both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from stable_baselines3 import DQN

from scml_gym.agents.dqn_batch.hyperparameters import DQNBatchHyperparameters
from scml_gym.agents.dqn_batch.networks import QNetworks


def sb3_model(hyperparameters: DQNBatchHyperparameters, env: Any, seed: int) -> DQN:
    """An untrained DQN of Stable-Baselines3; ``learn(hyperparameters.total_steps)`` trains it.

    Args:
        hyperparameters: Of all.
        env: A Gymnasium environment or ``VecEnv`` with discrete actions and observations in one array.
        seed: Of the model and the environment.
    """
    same = hyperparameters.model_dump(exclude={"total_steps", "net_arch"})
    return DQN(
        "MlpPolicy", env, policy_kwargs={"net_arch": list(hyperparameters.net_arch)}, seed=seed, device="cpu", **same
    )


@torch.no_grad()
def stacked(networks: Sequence[torch.nn.Module]) -> QNetworks:
    """Q-networks of Stable-Baselines3 (``model.q_net``), all of one shape, as `QNetworks`."""
    linear = [[m for m in network.modules() if isinstance(m, torch.nn.Linear)] for network in networks]
    sizes = (linear[0][0].in_features, *(module.out_features for module in linear[0]))
    together = QNetworks.zeros(sizes, len(networks))
    for k, modules in enumerate(linear):
        for module, (weights, biases) in zip(modules, together.layers, strict=True):
            weights[k] = module.weight.T
            biases[k, 0] = module.bias
    return together
