"""How a critic's targets are brought to mean 0 and deviation 1, by running means over rollouts.

Sources: van Hasselt et al. 2016, https://arxiv.org/abs/1602.07714 (PopArt); Yu et al. 2022,
https://arxiv.org/abs/2103.01955 (MAPPO), section 5.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

LEAST_DEVIATION = 1e-3
"""Returns that hardly differ are not blown up."""


class Scale(nn.Module):
    """Mean and deviation of returns; 0 and 1 before anything is measured. Float64, part of what is saved."""

    first: Tensor
    second: Tensor
    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("first", "second", "weight"):
            self.register_buffer(name, torch.zeros((), dtype=torch.float64))

    def mean_and_deviation(self) -> tuple[float, float]:
        """Of the returns so far, the latest counting most."""
        weight = float(self.weight)
        if weight == 0.0:
            return 0.0, 1.0
        mean = float(self.first) / weight
        variance = float(self.second) / weight - mean * mean
        return mean, max(variance, LEAST_DEVIATION**2) ** 0.5

    def add(self, returns: Tensor, decay: float) -> None:
        """Measure a rollout's returns, ``(n,)``; earlier ones keep a share of ``decay`` of their weight."""
        numbers = returns.double()
        for name, told in (("first", numbers.mean()), ("second", (numbers * numbers).mean()), ("weight", 1.0)):
            kept = getattr(self, name)
            kept.mul_(decay).add_((1.0 - decay) * told)


def leave(scale: Scale, heads: Sequence[nn.Linear], returns: Tensor, decay: float) -> None:
    """``none``: returns are learnt as they are."""


def follow(scale: Scale, heads: Sequence[nn.Linear], returns: Tensor, decay: float) -> None:
    """``running``: mean and deviation follow the returns."""
    scale.add(returns, decay)


def preserve(scale: Scale, heads: Sequence[nn.Linear], returns: Tensor, decay: float) -> None:
    """``popart``: likewise, and the last layers are changed so that what they expect stays the same."""
    mean, deviation = scale.mean_and_deviation()
    scale.add(returns, decay)
    new_mean, new_deviation = scale.mean_and_deviation()
    with torch.no_grad():
        for head in heads:
            head.weight.mul_(deviation / new_deviation)
            head.bias.mul_(deviation).add_(mean - new_mean).div_(new_deviation)


VALUE_NORMS = {"none": leave, "running": follow, "popart": preserve}
"""By the name in the hyperparameters: what is done with a rollout's returns before they are learnt."""
