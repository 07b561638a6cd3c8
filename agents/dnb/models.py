"""Acceptance models: kinds of them behind one interface, what a fitted one is, and its files.

A kind is data about functions: the shapes of its weights, how it is fitted, and its kernel, the code that serves play
in Python, compiled play and whole arrays of samples alike. A fitted model is one array of numbers.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from scml_gym.agents.dnb.bou import LEAST_STRENGTH
from scml_gym.agents.dnb.features import N_FEATURES
from scml_gym.agents.dnb.features import SCHEMA as FEATURES_SCHEMA
from scml_gym.agents.dnb.records import SAMPLE_DTYPE, Sample
from scml_gym.core.calls import Part
from scml_gym.core.config import Config, validate
from scml_gym.core.data_files import DAMAGE, read_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.core.registry import Registry
from scml_gym.core.trust import require_trust_of_names
from scml_gym.jit.compile import compiled, jittable

if TYPE_CHECKING:
    from scml_gym.agents.dnb.folds import Fold
    from scml_gym.core.reporting import Progress

MODELS = Registry("acceptance model")
"""Name -> `ModelKind`."""
MODELS.register("logistic", "scml_gym.agents.dnb.logistic:LOGISTIC")
MODELS.register("transformer", "scml_gym.agents.dnb.transformer:TRANSFORMER")
MODELS.register("base-rate", "scml_gym.agents.dnb.base_rate:BASE_RATE")

SCHEMA = "dnb-model-1"
WEIGHTS, META = "acceptance.safetensors", "acceptance.json"

STRENGTH, HEAD = 0, 1
"""Of a model's numbers: where the strength stands, and where the weights begin."""


class Kernel(NamedTuple):
    """A model's code, jittable and without allocation.

    Attributes:
        scratch_size: Length of ``scratch``, float64, which the functions share and no one else reads.
        prepare: ``(numbers, sample, scratch) -> None``, once for a partner and decision; the sample's context and
            history are filled, its offer not yet.
        mean: ``(numbers, sample, scratch) -> float``: the chance, in (0, 1), that the offer that the sample now holds
            is accepted rather than countered.
    """

    scratch_size: int
    prepare: Callable[[np.ndarray, Sample, np.ndarray], None]
    mean: Callable[[np.ndarray, Sample, np.ndarray], float]


@dataclass(frozen=True)
class ModelKind:
    """A kind of acceptance model.

    Attributes:
        hyperparameters: The model of its hyperparameters.
        dtype: Of its weights: float64, or float32, which its numbers hold in pairs.
        shapes: ``(hyperparameters) -> {name: shape}`` of its weights, in the order of its numbers.
        kernel: ``(hyperparameters) -> Kernel``, the same one for equal hyperparameters.
        fit: ``(hyperparameters, fold, rng, bar) -> {name: weights}``.
        steps: ``(hyperparameters) -> int``, the steps that ``fit`` shows on its bar at most.
        exported: ``(hyperparameters) -> part``: how a kernel is made that plays without a compiler, see
            `scml_gym.core.calls`; None where there is none.
    """

    hyperparameters: type[Config]
    dtype: type[np.float64] | type[np.float32]
    shapes: Callable[[Any], dict[str, tuple[int, ...]]]
    kernel: Callable[[Any], Kernel]
    fit: Callable[[Any, Fold, np.random.Generator, Progress], dict[str, np.ndarray]]
    steps: Callable[[Any], int]
    exported: Callable[[Any], Part] | None = None


def model_kind(name: str) -> ModelKind:
    """The kind of model of that name.

    Raises:
        InputError: if the name is unknown, or an own ``module:NAME`` is none.
    """
    kind = MODELS.get(name)
    if not isinstance(kind, ModelKind):
        raise InputError(f"{name!r} is no acceptance model (scml_gym.agents.dnb.models:ModelKind)")
    return kind


@dataclass(frozen=True, eq=False)
class AcceptanceModel:
    """A fitted model.

    Attributes:
        name: Of its kind, as registered.
        hyperparameters: The kind's.
        numbers: Float64: the strength, then the weights.
    """

    name: str
    hyperparameters: Config
    numbers: np.ndarray

    @classmethod
    def pack(cls, name: str, hyperparameters: Config, weights: Mapping[str, np.ndarray], strength: float) -> Self:
        """A model of these weights.

        Raises:
            InputError: if weights are missing, or of other shapes, or not finite.
        """
        kind = model_kind(name)
        shapes = kind.shapes(hyperparameters)
        if {k: tuple(v.shape) for k, v in weights.items()} != shapes:
            found = {k: tuple(v.shape) for k, v in weights.items()}
            raise InputError(f"weights of a {name} model: {_difference(found, shapes)}")
        flat = [np.ravel(weights[k]).astype(kind.dtype) for k in shapes]
        if not all(np.isfinite(part).all() for part in flat):
            raise InputError(f"weights of a {name} model: not all are finite numbers")
        body = np.concatenate(flat)
        body = np.concatenate([body, np.zeros(-len(body) * body.itemsize % 8 // body.itemsize, dtype=kind.dtype)])
        return cls(name, hyperparameters, np.concatenate([[float(strength)], body.view(np.float64)]))

    def weights(self) -> dict[str, np.ndarray]:
        """The weights by name, of the kind's dtype."""
        kind = model_kind(self.name)
        body, found, first = self.numbers[HEAD:].view(kind.dtype), {}, 0
        for key, shape in kind.shapes(self.hyperparameters).items():
            found[key] = body[first : first + math.prod(shape)].reshape(shape)
            first += math.prod(shape)
        return found

    @property
    def kernel(self) -> Kernel:
        """The code that plays it."""
        return model_kind(self.name).kernel(self.hyperparameters)

    @property
    def strength(self) -> float:
        """The number of observations that its mean counts for in a Beta prior."""
        return float(self.numbers[STRENGTH])

    def with_strength(self, strength: float) -> Self:
        """The same model with another strength."""
        return replace(self, numbers=np.concatenate([[strength], self.numbers[HEAD:]]))

    def mean(self, samples: np.ndarray) -> np.ndarray:
        """The chance of acceptance of each sample, float64 ``(n,)``; ``samples`` of ``SAMPLE_DTYPE``."""
        out = np.empty(len(samples))
        _means(self.kernel)(self.numbers, np.ascontiguousarray(samples, dtype=SAMPLE_DTYPE), out)
        return out

    def save(self, folder: Path) -> None:
        """Write ``acceptance.safetensors`` and ``acceptance.json`` (schema, kind, hyperparameters, shapes)."""
        from safetensors.numpy import save

        weights = {key: np.ascontiguousarray(value) for key, value in self.weights().items()}
        meta = {
            "schema": SCHEMA,
            "features": {"schema": FEATURES_SCHEMA, "n": N_FEATURES},
            "model": self.name,
            "settings": self.hyperparameters.model_dump(),
            "strength": self.strength,
            "shapes": {key: list(value.shape) for key, value in weights.items()},
        }
        replace_file(Path(folder) / WEIGHTS, save(weights))
        replace_file(Path(folder) / META, json.dumps(meta, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: if the folder is missing or corrupt, or of another schema, or its weights of other shapes.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        path = Path(folder) / META
        try:
            meta = read_json(path)
            schemas = meta["schema"], meta["features"]
            expected = SCHEMA, {"schema": FEATURES_SCHEMA, "n": N_FEATURES}
            if schemas != expected:
                raise InputError(f"{path} has the schemas {schemas}; {expected} are needed")
            require_trust_of_names(folder, meta["model"])
            kind = model_kind(meta["model"])
            hyperparameters = validate(kind.hyperparameters, meta["settings"], "settings")
            strength = float(meta["strength"])
            if not LEAST_STRENGTH <= strength < math.inf:
                raise InputError(f"{path}: strength {strength}; valid: at least {LEAST_STRENGTH:g}")
            weights = load((Path(folder) / WEIGHTS).read_bytes())
            wrong = [key for key, value in weights.items() if value.dtype != kind.dtype]
            if wrong:
                needed = np.dtype(kind.dtype)
                raise InputError(f"{path.with_name(WEIGHTS)}: {wrong[0]} is {weights[wrong[0]].dtype}; valid: {needed}")
            return cls.pack(meta["model"], hyperparameters, weights, strength)
        except InputError as error:
            raise InputError(f"{folder} holds no acceptance model that can be played: {error}") from error
        except (OSError, SafetensorError, *DAMAGE) as error:
            told = " ".join(str(error).split())
            raise InputError(f"{folder} holds no readable acceptance model: {told}") from error


def _difference(found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """The first of the weights that is not as expected."""
    for key in [*expected, *found]:
        if found.get(key) != expected.get(key):
            return f"{key} has the shape {found.get(key)}, {expected.get(key)} is needed"
    return "in order"


@jittable
def sigmoid(value: float) -> float:
    """A probability strictly between 0 and 1, of log odds."""
    return 1.0 / (1.0 + math.exp(-min(max(value, -20.0), 20.0)))


@functools.cache
def _means(kernel: Kernel) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
    """The compiled loop over samples."""
    size, prepare, mean = kernel

    @compiled
    def means(numbers: np.ndarray, samples: np.ndarray, out: np.ndarray) -> None:
        scratch = np.zeros(size)
        for i in range(len(samples)):
            prepare(numbers, samples[i], scratch)
            out[i] = mean(numbers, samples[i], scratch)

    return means
