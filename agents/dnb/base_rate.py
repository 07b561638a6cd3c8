"""The model that knows one number: the chance that any offer is accepted. For whoever asks for it by name."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from scml_gym.agents.dnb.folds import Fold
from scml_gym.agents.dnb.models import HEAD, Kernel, ModelKind
from scml_gym.agents.dnb.records import Sample
from scml_gym.core.calls import Name
from scml_gym.core.config import Config
from scml_gym.core.reporting import Progress
from scml_gym.jit.compile import jittable


class BaseRateHyperparameters(Config):
    """Settings: ``mean``, the chance."""

    mean: float = Field(gt=0, lt=1)


@jittable
def _prepare(numbers: np.ndarray, sample: Sample, scratch: np.ndarray) -> None:
    """Nothing depends on the sample."""


@jittable
def _mean(numbers: np.ndarray, sample: Sample, scratch: np.ndarray) -> float:
    return numbers[HEAD]


def _kernel(hyperparameters: BaseRateHyperparameters) -> Kernel:
    return KERNEL


KERNEL = Kernel(1, _prepare, _mean)


def _fit(
    hyperparameters: BaseRateHyperparameters, fold: Fold, rng: np.random.Generator, bar: Progress
) -> dict[str, np.ndarray]:
    return {"mean": np.array([hyperparameters.mean])}


BASE_RATE = ModelKind(
    hyperparameters=BaseRateHyperparameters,
    dtype=np.float64,
    shapes=lambda hyperparameters: {"mean": (1,)},
    kernel=_kernel,
    fit=_fit,
    steps=lambda hyperparameters: 1,
    exported=lambda hyperparameters: Name("scml_gym.agents.dnb.base_rate:KERNEL"),
)
