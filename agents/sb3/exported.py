"""Networks of Stable-Baselines3's policies, as `scml_gym.export.modules.network_call` takes them."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from torch import nn

from scml_gym.core.calls import Call
from scml_gym.export.modules import network_call


class Read(nn.Module):
    """The parts of an observation as SB3's policies take it.

    Args:
        parts: Names of the parts of a dict observation; empty for others.
    """

    def __init__(self, policy: Any, parts: list[str]):
        super().__init__()
        self.policy, self._parts = policy, parts

    def observation(self, given: tuple[torch.Tensor, ...]) -> Any:
        """One tensor, or a dict of them."""
        return dict(zip(self._parts, given, strict=True)) if self._parts else given[0]


class Actor(Read):
    """Of PPO and MaskablePPO: logits of all choices, or means."""

    def forward(self, *given: torch.Tensor) -> torch.Tensor:
        """See `scml_gym.export.modules.export_module`."""
        policy = self.policy
        features = policy.extract_features(self.observation(given), policy.pi_features_extractor)
        return policy.action_net(policy.mlp_extractor.forward_actor(features))


class RecurrentActor(Read):
    """Of RecurrentPPO: the same, with the LSTM's state."""

    def forward(self, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """See `scml_gym.export.modules.network_call`."""
        policy, (*parts, hidden, cell) = self.policy, given
        features = policy.extract_features(self.observation(tuple(parts)), policy.pi_features_extractor)
        latent, (hidden, cell) = policy.lstm_actor(features.unsqueeze(0), (hidden, cell))
        return policy.action_net(policy.mlp_extractor.forward_actor(latent.squeeze(0))), hidden, cell


class Values(Read):
    """Of DQN: the values of all actions."""

    def forward(self, *given: torch.Tensor) -> torch.Tensor:
        """See `scml_gym.export.modules.export_module`."""
        return self.policy.q_net(self.observation(given))


NETWORKS = {
    "stable_baselines3:PPO": (Actor, False),
    "sb3_contrib:MaskablePPO": (Actor, True),
    "sb3_contrib:RecurrentPPO": (RecurrentActor, False),
    "stable_baselines3:DQN": (Values, True),
}
"""By algorithm: what gives a policy's numbers, and whether it plays valid choices only."""


def predict_call(algorithm: str, policy: Any) -> Call:
    """How the policy of a trained learner is made by NumPy alone.

    Raises:
        InputError: if it cannot be exported, saying which part.
    """
    kind, masked = NETWORKS[algorithm]
    observation = policy.observation_space
    module = kind(policy, list(observation.spaces) if isinstance(observation, spaces.Dict) else [])
    shapes = []
    if kind is RecurrentActor:
        shapes = [(policy.lstm_actor.num_layers, 1, policy.lstm_actor.hidden_size)] * 2
    return network_call(module, observation, policy.action_space, masked, shapes)
