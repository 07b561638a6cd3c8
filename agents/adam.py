"""Adam over one array of parameters, float32, as torch's.

Source: Kingma and Ba 2015, https://arxiv.org/abs/1412.6980; its numbers are those of Stable-Baselines3's PPO.
"""

from __future__ import annotations

import numpy as np

from scml_gym.core.errors import InputError

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

    def descend(self, gradient: np.ndarray, rate: float, step: int) -> None:
        """A step against a gradient, which is changed.

        Args:
            gradient: Float32 ``(n,)``.
            rate: The learning rate.
            step: Where the training stands, for the message.

        Raises:
            InputError: if the gradient is not finite.
        """
        norm = float(np.sqrt(np.dot(gradient, gradient)))
        if not np.isfinite(norm):
            told = f"training came to numbers that are not finite by step {step}"
            raise InputError(f"{told}: lower agent.learning_rate or agent.reward_scale")
        gradient *= np.float32(min(1.0, self._longest / (norm + 1e-6)))
        self.steps += 1
        for moment, beta, power in zip(self.moments, BETAS, (gradient, gradient * gradient), strict=True):
            moment += np.float32(1.0 - beta) * (power - moment)
        first, second = (1.0 - beta**self.steps for beta in BETAS)
        deviation = np.sqrt(self.moments[1]) / np.float32(np.sqrt(second)) + np.float32(EPSILON)
        self._parameters -= np.float32(rate / first) * self.moments[0] / deviation
