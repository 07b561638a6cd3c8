"""Adam over one array of parameters, float32, as torch's.

Source: Kingma and Ba 2015, https://arxiv.org/abs/1412.6980; its numbers are those of Stable-Baselines3's PPO.
"""

from __future__ import annotations

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.jit.compile import compiled
from scml_gym.jit.elementary import F

BETAS, EPSILON = (0.9, 0.999), 1e-5


class Adam:
    """The state of Adam.

    Args:
        parameters: Float32 ``(n,)``, which change.
        longest: Longer gradients are shortened to it.

    Attributes:
        moments: Float32 ``(2, n)``.
        steps: So far.
    """

    def __init__(self, parameters: np.ndarray, longest: float):
        self._parameters, self._longest = parameters, longest
        self.moments, self.steps = np.zeros((2, len(parameters)), np.float32), 0

    def descend(self, parts: np.ndarray, rate: float, step: int) -> None:
        """A step against a gradient.

        Args:
            parts: Float32 ``(parts, n)``, whose sum it is; they are added in order.
            rate: The learning rate.
            step: Where the training stands, for the message.

        Raises:
            InputError: if the gradient is not finite.
        """
        gradient = add_up(parts)
        norm = float(np.sqrt(np.dot(gradient, gradient)))
        if not np.isfinite(norm):
            told = f"training came to numbers that are not finite by step {step}"
            raise InputError(f"{told}: lower agent.learning_rate or agent.reward_scale")
        self.steps += 1
        first, second = (1.0 - beta**self.steps for beta in BETAS)
        numbers = min(1.0, self._longest / (norm + 1e-6)), rate / first, np.sqrt(second)
        move(self._parameters, self.moments, gradient, *(F(number) for number in numbers))


@compiled
def add_up(parts: np.ndarray) -> np.ndarray:
    """Their sum, added in order, float32 ``(n,)``."""
    total = parts[0].copy()
    for part in range(1, len(parts)):
        for i in range(len(total)):
            total[i] += parts[part, i]
    return total


@compiled
def move(
    parameters: np.ndarray,
    moments: np.ndarray,
    gradient: np.ndarray,
    share: np.float32,
    rate: np.float32,
    root: np.float32,
) -> None:
    """A step of parameters and moments, all float32.

    Args:
        parameters: ``(n,)``, which change.
        moments: ``(2, n)``, which change.
        gradient: ``(n,)``.
        share: What is left of the gradient where it is too long.
        rate: The learning rate over the correction of the first moment.
        root: Of the correction of the second one.
    """
    for i in range(len(parameters)):
        slope = gradient[i] * share
        moments[0, i] += F(1.0 - BETAS[0]) * (slope - moments[0, i])
        moments[1, i] += F(1.0 - BETAS[1]) * (slope * slope - moments[1, i])
        deviation = np.true_divide(np.sqrt(moments[1, i]), root) + F(EPSILON)
        parameters[i] -= np.true_divide(rate * moments[0, i], deviation)
