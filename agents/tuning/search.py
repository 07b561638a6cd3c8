"""Samplers and pruners of Optuna, by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry


def optuna() -> Any:
    """The package Optuna, which tells nothing by itself.

    Raises:
        InputError: if it is not installed.
    """
    try:
        import optuna as package
    except ImportError as error:
        raise InputError("tuning needs optuna: pip install 'scml-gym[tune]'") from error
    package.logging.set_verbosity(package.logging.WARNING)
    return package


SAMPLERS = Registry("sampler")
"""Name -> ``(seed) -> optuna.samplers.BaseSampler``."""

PRUNERS = Registry("pruner")
"""Name -> ``() -> optuna.pruners.BasePruner``."""


def _tpe(seed: int) -> Any:
    return optuna().samplers.TPESampler(seed=seed)


def _random(seed: int) -> Any:
    return optuna().samplers.RandomSampler(seed=seed)


def _qmc(seed: int) -> Any:
    package = optuna()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", package.exceptions.ExperimentalWarning)
        return package.samplers.QMCSampler(seed=seed)


def _pruner(name: str, **settings: Any) -> Callable[[], Any]:
    return lambda: getattr(optuna().pruners, name)(**settings)


SAMPLERS.register("tpe", _tpe)
SAMPLERS.register("random", _random)
SAMPLERS.register("qmc", _qmc)
PRUNERS.register("median", _pruner("MedianPruner", n_startup_trials=5, n_warmup_steps=2))
PRUNERS.register("quarter", _pruner("PercentilePruner", percentile=25.0, n_startup_trials=5, n_warmup_steps=2))
PRUNERS.register("halving", _pruner("SuccessiveHalvingPruner", min_resource=2))
PRUNERS.register("none", _pruner("NopPruner"))


def made(registry: Registry, name: str, *arguments: Any) -> Any:
    """The sampler or the pruner of a name.

    Raises:
        InputError: if it makes something else.
    """
    kind = {SAMPLERS: "BaseSampler", PRUNERS: "BasePruner"}[registry]
    base = getattr(optuna().samplers if registry is SAMPLERS else optuna().pruners, kind)
    try:
        result = registry.get(name)(*arguments)
    except TypeError as error:
        raise InputError(f"{name!r} makes no {kind} of Optuna ({error})") from error
    if not isinstance(result, base):
        raise InputError(f"{name!r} makes a {type(result).__name__}, which is no {kind} of Optuna")
    return result
