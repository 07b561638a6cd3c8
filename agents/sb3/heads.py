"""Policies of SB3 whose joint action is one distribution over a padded array instead of a list of distributions.

SB3 and sb3-contrib make a ``torch.distributions.Categorical`` for each dimension of a ``MultiDiscrete`` action: for
eight partners most of the time of a forward pass goes into that. The numbers are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import MultiDiscrete
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.distributions import MultiCategoricalDistribution
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import nn

IMPOSSIBLE = -1e8
"""Logit of a choice that is masked or does not exist; its probability is exactly 0."""


class Heads(MultiCategoricalDistribution):
    """Independent choices, one for each head, as one array of logits: ``(batch, heads, widest head)``.

    Args:
        sizes: Choices of each head.
        shared: Whether all heads have one layer, applied to equal parts of what comes before it, instead of one each.
    """

    def __init__(self, sizes: Sequence[int], shared: bool = False):
        super().__init__(list(sizes))
        self.shared = shared
        self.exists = torch.arange(max(sizes)) < torch.tensor(sizes)[:, None]
        self.full = bool(self.exists.all())

    def proba_distribution_net(self, latent_dim: int) -> nn.Module:
        """The layer before the logits, ``(batch, latent_dim)`` to ``(batch, sum of the sizes)``."""
        if not self.shared:
            return nn.Linear(latent_dim, sum(self.action_dims))
        heads, width = self.exists.shape
        return nn.Sequential(
            nn.Unflatten(1, (heads, latent_dim // heads)), nn.Linear(latent_dim // heads, width), nn.Flatten()
        )

    def proba_distribution(self, action_logits: torch.Tensor) -> Heads:
        """Take logits, ``(batch, sum of the sizes)``."""
        self._padded = self._pad(action_logits, IMPOSSIBLE)
        self._logs = torch.log_softmax(self._padded, dim=-1)
        return self

    def apply_masking(self, masks: Any) -> None:
        """Rule out choices, bool, ``(batch, sum of the sizes)``; None for none."""
        if masks is not None:
            valid = torch.as_tensor(masks).bool().reshape(len(self._padded), -1)
            self._logs = torch.log_softmax(self._padded.where(self._pad(valid, False), IMPOSSIBLE), dim=-1)

    def _pad(self, values: torch.Tensor, fill: Any) -> torch.Tensor:
        if self.full:
            return values.reshape(len(values), *self.exists.shape)
        padded = values.new_full((len(values), *self.exists.shape), fill)
        padded[:, self.exists] = values
        return padded

    def log_prob(self, actions: torch.Tensor) -> torch.Tensor:
        """Of actions, ``(batch, heads)``: ``(batch,)``."""
        return self.log_probs(actions).sum(dim=1)

    def log_probs(self, actions: torch.Tensor) -> torch.Tensor:
        """Of each choice of actions, ``(batch, heads)``: likewise."""
        return self._logs.gather(-1, actions.long().unsqueeze(-1)).squeeze(-1)

    def entropy(self) -> torch.Tensor:
        """Of all heads together, ``(batch,)``."""
        return -(self._logs.exp() * self._logs).sum(dim=(1, 2))

    def sample(self) -> torch.Tensor:
        """Draw, ``(batch, heads)``: the largest of the logits with Gumbel noise."""
        noise = torch.empty_like(self._logs).exponential_().clamp_(min=torch.finfo(self._logs.dtype).tiny)
        return (self._logs - noise.log()).argmax(dim=-1)

    def mode(self) -> torch.Tensor:
        """The likeliest choices, ``(batch, heads)``."""
        return self._logs.argmax(dim=-1)


class _Joint:
    """What the policies below share.

    Args:
        body: Makes the layers between the features and the heads: ``(features_dim) -> module`` with ``latent_dim_pi``,
            ``latent_dim_vf``, ``forward``, ``forward_actor`` and ``forward_critic`` as SB3's ``MlpExtractor``, whose
            latent of the policy has an equal part for each head. None for SB3's own.
    """

    action_space: Any
    features_dim: int
    mlp_extractor: Any

    def __init__(self, *args: Any, body: Callable[[int], nn.Module] | None = None, **kwargs: Any):
        self._body = body
        super().__init__(*args, **kwargs)

    def _build(self, lr_schedule: Any) -> None:
        if isinstance(self.action_space, MultiDiscrete):
            sizes = np.asarray(self.action_space.nvec).tolist()
            self.action_dist = Heads(sizes, shared=self._body is not None)
        parent: Any = super()  # whichever of SB3's policies this is mixed into
        parent._build(lr_schedule)

    def _build_mlp_extractor(self) -> None:
        if self._body is None:
            parent: Any = super()
            parent._build_mlp_extractor()
        else:
            self.mlp_extractor = self._body(self.features_dim)


class HeadsPolicy(_Joint, ActorCriticPolicy):
    """Of PPO."""


class MaskedHeadsPolicy(_Joint, MaskableActorCriticPolicy):
    """Of MaskablePPO."""
