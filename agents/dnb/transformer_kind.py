"""The Transformer as a kind of acceptance model; torch is imported only where one is fitted."""

from __future__ import annotations

import numpy as np

from agents.dnb.folds import Fold
from agents.dnb.models import Kernel, ModelKind
from agents.dnb.transformer import TransformerHyperparameters, make_kernel, weight_shapes
from scml_gym.core.reporting import Progress


def _kernel(settings: TransformerHyperparameters) -> Kernel:
    sizes = settings.width, settings.layers, settings.heads, settings.feedforward, settings.events
    return make_kernel(*sizes)


def _fit(
    settings: TransformerHyperparameters, fold: Fold, rng: np.random.Generator, bar: Progress
) -> dict[str, np.ndarray]:
    from agents.dnb.transformer_fit import fit

    return fit(settings, fold, rng, bar)


TRANSFORMER = ModelKind(
    settings=TransformerHyperparameters,
    dtype=np.float32,
    shapes=weight_shapes,
    kernel=_kernel,
    fit=_fit,
    steps=lambda settings: settings.epochs,
)
