"""Deep Sets: a network that treats a factory's partners alike, for the observation of rows (``observation: entities``).

Source: Zaheer et al. 2017, "Deep Sets", https://arxiv.org/abs/1703.06114 (a function of a set is a function of the sum,
or another symmetric pool, of its elements' embeddings).
"""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from scml_gym.agents.sb3.hyperparameters import EnvSpaces
from scml_gym.agents.sb3.partners import check_rows
from scml_gym.oneshot.observations.encoding import N_FACTORY, N_PARTNER
from scml_gym.oneshot.observations.features import PARTNER_FEATURES
from scml_gym.oneshot.view import MAX_PARTNERS

EXISTS = [feature.name for feature in PARTNER_FEATURES].index("exists")


class DeepSets(BaseFeaturesExtractor):
    """Features of an observation of rows: the factory, what its partners are together, and each partner.

    The same layers embed every partner's row; their mean and maximum over the partners that exist is what they are
    together, whatever their order. Then follow the embeddings one by one, zeros where there is no partner, so that the
    answer to a partner can depend on that partner. Features are float32, shape
    ``(batch, embedding_size * (3 + MAX_PARTNERS))``, in the order [factory, mean, maximum, partner 0, .., partner 7].

    Args:
        observation_space: Of ``observation="entities"``: ``Box``, shape ``(9, 16)``.
        embedding_size: Units of each layer and so of each embedding.
    """

    def __init__(self, observation_space: spaces.Space, embedding_size: int = 32):
        super().__init__(observation_space, embedding_size * (3 + MAX_PARTNERS))
        self.factory = _layers(N_FACTORY, embedding_size)
        self.partner = _layers(N_PARTNER, embedding_size)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """The features of observations, float32, shape ``(batch, 9, 16)``."""
        factory = self.factory(observations[:, 0, 1 : 1 + N_FACTORY])
        rows = observations[:, 1:, 1 : 1 + N_PARTNER]
        exists = rows[:, :, EXISTS : EXISTS + 1]
        partners = self.partner(rows) * exists  # embeddings are not negative, so zeros change no maximum
        mean = partners.sum(dim=1) / exists.sum(dim=1).clamp(min=1.0)
        return torch.cat([factory, mean, partners.amax(dim=1), partners.flatten(1)], dim=1)


def _layers(inputs: int, units: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, units), nn.ReLU(), nn.Linear(units, units), nn.ReLU())


def deep_sets(hyperparameters: Any, env: EnvSpaces) -> dict[str, Any]:
    """SB3's ``policy_kwargs`` for `DeepSets`.

    Args:
        hyperparameters: With ``embedding_size``.
        env: The environment's spaces.

    Raises:
        ConfigError: as `scml_gym.agents.sb3.partners.check_rows`.
    """
    check_rows(env, "deep_sets")
    return {
        "features_extractor_class": DeepSets,
        "features_extractor_kwargs": {"embedding_size": hyperparameters.embedding_size},
    }
