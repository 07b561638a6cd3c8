"""Choices of the heads: their probabilities, how they are drawn, and what PPO's loss says of them and of the value.

Sources: Schulman et al. 2017, "Proximal policy optimization algorithms", https://arxiv.org/abs/1707.06347; with masks,
Huang and Ontañón 2020, https://arxiv.org/abs/2006.14171. A choice that is masked has probability 0 and no gradient.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from scml_gym.jit.compile import jittable

F = np.float32

POLICY_LOSS, VALUE_LOSS, ENTROPY, APPROX_KL, CLIPPED, N_MEASURES = range(6)
"""What is summed over the decisions of a batch: Stable-Baselines3's numbers of an update."""


class Weights(NamedTuple):
    """Of the parts of the loss."""

    clip_range: float
    entropy: float
    value: float
    batch_size: int


@jittable
def exponential(x: float) -> float:
    """Of a float32 that is not above 88, within 2e-7 of itself: the polynomial of Cephes (``expf``)."""
    x = max(x, F(-87))
    n = np.floor(x * F(1.44269504088896341) + F(0.5))
    r = x - n * F(0.693359375) + n * F(2.12194440e-4)
    p = r * (r * F(1.9875691500e-4) + F(1.3981999507e-3)) + F(8.3334519073e-3)
    p = r * (r * (r * p + F(4.1665795894e-2)) + F(1.6666665459e-1)) + F(5.0000001201e-1)
    return (p * r * r + r + F(1)) * np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)


@jittable
def softmax(logits: np.ndarray, valid: np.ndarray, probabilities: np.ndarray) -> float:
    """Make logits to logarithms of probabilities, in place, where they are valid.

    Returns:
        The entropy.
    """
    most = F(-np.inf)
    for j in range(len(logits)):
        most = max(most, logits[j] if valid[j] else F(-np.inf))
    for j in range(len(logits)):
        logits[j] -= most
        probabilities[j] = exponential(min(logits[j], F(0))) if valid[j] else F(0)
    total = F(0)
    for j in range(len(logits)):
        total += probabilities[j]
    log_total, part, entropy = F(math.log(total)), np.true_divide(F(1), total), F(0)
    for j in range(len(logits)):
        logits[j] -= log_total
        probabilities[j] *= part
        entropy -= probabilities[j] * logits[j]
    return entropy


@jittable
def draw(probabilities: np.ndarray, uniform: float) -> int:
    """The choice at a point in [0, 1) of their cumulative probabilities."""
    left, last = uniform, 0
    for j in range(len(probabilities)):
        if probabilities[j] > F(0):
            if left < probabilities[j]:
                return j
            left -= probabilities[j]
            last = j
    return last


@jittable
def first_valid(valid: np.ndarray) -> int:
    """Of a head that leaves no choice."""
    for j in range(len(valid)):
        if valid[j]:
            return j
    return 0


@jittable
def policy_slope(log_ratio: float, advantage: float, weights: Weights, measures: np.ndarray) -> float:
    """Gradient of the loss in the logarithm of the probability of what was done; adds to the measures."""
    ratio = math.exp(log_ratio)
    clipped = min(max(ratio, 1.0 - weights.clip_range), 1.0 + weights.clip_range)
    measures[POLICY_LOSS] -= min(ratio * advantage, clipped * advantage)
    measures[APPROX_KL] += ratio - 1.0 - log_ratio
    measures[CLIPPED] += abs(ratio - 1.0) > weights.clip_range
    counts = ratio == clipped or ratio * advantage < clipped * advantage
    return -advantage * ratio / weights.batch_size if counts else 0.0


@jittable
def value_slope(value: float, target: float, weights: Weights, measures: np.ndarray) -> float:
    """Gradient of the loss in the value; adds to the measures."""
    measures[VALUE_LOSS] += (value - target) ** 2
    return 2.0 * weights.value * (value - target) / weights.batch_size


@jittable
def head_slopes(
    logs: np.ndarray,
    probabilities: np.ndarray,
    action: int,
    slope: float,
    entropy: float,
    weight: float,
    out: np.ndarray,
) -> None:
    """Gradients of the loss in the logits of a head.

    Args:
        logs: Logarithms of its probabilities.
        probabilities: 0 for choices that are masked.
        action: What was chosen.
        slope: Gradient in the logarithm of its probability.
        entropy: Of the head.
        weight: Of the entropy in the loss, of one decision.
        out: Where they go.
    """
    for j in range(len(out)):
        out[j] = probabilities[j] * (weight * (logs[j] + entropy) - slope)
    out[action] += slope
