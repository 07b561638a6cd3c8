"""From a dataset to a fitted model: weights, then the strength of its prior."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scml_gym.agents.dnb.calibration import losses
from scml_gym.agents.dnb.dataset import Dataset
from scml_gym.agents.dnb.folds import Fold
from scml_gym.agents.dnb.models import AcceptanceModel, model_kind
from scml_gym.agents.dnb.replay import posterior_means
from scml_gym.core.config import Config
from scml_gym.core.errors import InputError
from scml_gym.core.reporting import Progress


def fit_model(
    name: str, hyperparameters: Config, fold: Fold, strength: float, rng: np.random.Generator, bar: Progress
) -> AcceptanceModel:
    """A model of that kind, fitted to the training part of a fold.

    Raises:
        InputError: if there is nothing to learn from, or the weights come out as no finite numbers.
    """
    for part, dataset in zip(("training", "validation"), fold, strict=True):
        if len(np.unique(dataset.accepted)) < 2:
            raise InputError(
                f"the {part} worlds have {len(dataset)} offers, {int(dataset.accepted.sum())} of them accepted; "
                "accepted and refused ones are needed: raise agent.data.worlds or agent.data.share"
            )
    return AcceptanceModel.pack(name, hyperparameters, model_kind(name).fit(hyperparameters, fold, rng, bar), strength)


def fit_strength(model: AcceptanceModel, dataset: Dataset, strengths: Sequence[float]) -> AcceptanceModel:
    """The model with the strength whose Beta posterior means, replayed over the dataset, have the least log loss."""
    mean = model.mean(dataset.samples)
    loss = {s: losses(posterior_means(dataset, mean, s), dataset.accepted).mean() for s in strengths}
    return model.with_strength(min(loss, key=lambda s: loss[s]))
