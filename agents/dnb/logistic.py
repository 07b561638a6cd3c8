"""The linear logistic model: one weight for each feature and level (thesis, section 3.6.2).

It is fitted without class weights: "balanced" ones would move the probabilities away from the frequencies.
"""

from __future__ import annotations

import functools

import numpy as np
from pydantic import Field, PositiveInt

from scml_gym.agents.dnb.features import (
    N_FEATURES,
    N_NUMBERS,
    OFFER,
    context_features,
    history_features,
    offer_features,
)
from scml_gym.agents.dnb.folds import Fold, feature_matrix
from scml_gym.agents.dnb.models import HEAD, Kernel, ModelKind, sigmoid
from scml_gym.agents.dnb.records import Sample
from scml_gym.core.calls import Name
from scml_gym.core.config import Config
from scml_gym.core.reporting import Progress
from scml_gym.jit.compile import jittable

_SUM = N_NUMBERS  # of the scratch: the part of the log odds that all offers to a partner share


class LogisticHyperparameters(Config):
    """Hyperparameters of the logistic model: ``penalty`` is added to the log loss of all samples together, times
    half the sum of squared weights; ``iterations`` of L-BFGS at most."""

    penalty: float = Field(ge=0)
    iterations: PositiveInt


@jittable
def _prepare(numbers: np.ndarray, sample: Sample, scratch: np.ndarray) -> None:
    context_features(sample, scratch)
    history_features(sample, scratch)
    first, total = HEAD + sample["level"] * N_FEATURES, 0.0
    for i in range(OFFER):
        total += numbers[first + i] * scratch[i]
    scratch[_SUM] = total


@jittable
def _mean(numbers: np.ndarray, sample: Sample, scratch: np.ndarray) -> float:
    offer_features(sample, scratch)
    first, total = HEAD + sample["level"] * N_FEATURES, scratch[_SUM]
    for i in range(OFFER, N_FEATURES):
        total += numbers[first + i] * scratch[i]
    return sigmoid(total)


@functools.cache
def _kernel(hyperparameters: LogisticHyperparameters) -> Kernel:
    return KERNEL


KERNEL = Kernel(N_NUMBERS + 1, _prepare, _mean)


def fit_level(features: np.ndarray, accepted: np.ndarray, penalty: float, iterations: int) -> np.ndarray:
    """Weights of one level by penalised maximum likelihood.

    Args:
        features: ``(n, N_FEATURES)``.
        accepted: Bool ``(n,)``.
        penalty: See `LogisticHyperparameters`.
        iterations: Likewise.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    labels, n = accepted.astype(np.float64), max(len(accepted), 1)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        odds = (features @ weights.astype(features.dtype)).astype(np.float64)
        value = np.logaddexp(0.0, odds).sum() - labels @ odds + 0.5 * penalty * weights @ weights
        slope = features.T @ (expit(odds) - labels).astype(features.dtype)
        return value / n, (slope.astype(np.float64) + penalty * weights) / n

    start = np.zeros(features.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations, "gtol": 1e-6})
    return found.x


def _fit(
    hyperparameters: LogisticHyperparameters, fold: Fold, rng: np.random.Generator, bar: Progress
) -> dict[str, np.ndarray]:
    weights = np.zeros((2, N_FEATURES))
    for level in range(2):
        chosen = fold.train.samples["level"] == level
        features = feature_matrix(fold.train.samples[chosen])
        weights[level] = fit_level(
            features, fold.train.accepted[chosen], hyperparameters.penalty, hyperparameters.iterations
        )
        bar.update(level + 1, "levels")
    return {"weights": weights}


LOGISTIC = ModelKind(
    hyperparameters=LogisticHyperparameters,
    dtype=np.float64,
    shapes=lambda hyperparameters: {"weights": (2, N_FEATURES)},
    kernel=_kernel,
    fit=_fit,
    steps=lambda hyperparameters: 2,
    exported=lambda hyperparameters: Name("scml_gym.agents.dnb.logistic:KERNEL"),
)
