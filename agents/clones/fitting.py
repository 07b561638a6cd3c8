"""Fitting a clone: the weights of each choice by penalised maximum likelihood, a convex problem."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.agents.clones.examples import Examples
from scml_gym.jit.compile import compiled
from scml_gym.oneshot.clones.layout import N_CONTEXTS, Choice, mix, utility


def fit_choice(choice: Choice, examples: Examples, penalty: float, iterations: int) -> np.ndarray:
    """The weights of one choice, float64 ``(choice.size,)``; zeros where there is nothing to learn from.

    Args:
        choice: Which one.
        examples: What was chosen.
        penalty: Half of it times the squared weights is added to the negative log likelihood.
        iterations: Of L-BFGS, at most.
    """
    from scipy.optimize import minimize

    n, start = len(examples.chosen), np.zeros(choice.size)
    if n == 0:
        return start

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        slope = np.zeros(choice.size)
        value = _loss(weights, choice.n_contextual, examples, slope)
        return float(value + 0.5 * penalty * weights @ weights) / n, (slope + penalty * weights) / n

    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations, "gtol": 1e-5})
    return found.x


def log_loss(choice: Choice, weights: np.ndarray, examples: Examples) -> tuple[float, float]:
    """The mean negative log likelihood of what was chosen, and that of choosing blindly; 0 where there is nothing.

    Args:
        choice: Which one.
        weights: Of a level, float64 ``(LEVEL_SIZE,)``.
        examples: What was chosen.
    """
    n = max(len(examples.chosen), 1)
    own = np.ascontiguousarray(weights[choice.first : choice.first + choice.size])
    blind = np.log(np.diff(examples.start)).sum()
    return _loss(own, choice.n_contextual, examples, np.zeros(choice.size)) / n, blind / n


@compiled
def _loss(weights: Any, n: int, examples: Any, slope: Any) -> float:
    """The negative log likelihood of the weights of a choice; its gradient is added to ``slope``."""
    most = 1
    for g in range(len(examples.chosen)):
        most = max(most, examples.start[g + 1] - examples.start[g])
    mixed, toward, chances, total = np.zeros(n), np.zeros(n), np.zeros(most), 0.0
    static = n * N_CONTEXTS - n
    for g in range(len(examples.chosen)):
        context, first, last = examples.context[g], examples.start[g], examples.start[g + 1]
        mix(weights, 0, n, context, mixed)
        highest = -np.inf
        for row in range(first, last):
            u = utility(weights, 0, n, mixed, examples.features[row], examples.values[row], examples.n_features[row])
            chances[row - first] = u
            highest = max(highest, u)
        at = chances[examples.chosen[g]]
        scale = 0.0
        for i in range(last - first):
            chances[i] = np.exp(chances[i] - highest)
            scale += chances[i]
        total += highest + np.log(scale) - at
        toward[:] = 0.0
        for row in range(first, last):
            part = chances[row - first] / scale
            if row - first == examples.chosen[g]:
                part -= 1.0
            for i in range(examples.n_features[row]):
                f = examples.features[row, i]
                if f < n:
                    toward[f] += part * examples.values[row, i]
                else:
                    slope[static + f] += part * examples.values[row, i]
        for c in range(N_CONTEXTS):
            if context[c] != 0.0:
                for i in range(n):
                    slope[c * n + i] += context[c] * toward[i]
    return total
