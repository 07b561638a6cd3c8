"""Files of clones: weights as data alone, and those that come with the package by name."""

from __future__ import annotations

import functools
import io
import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from scml_gym.core.calls import Array, Call, Given, Name, call
from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError, nearest
from scml_gym.core.files import read_arrays, replace_file
from scml_gym.oneshot.clones.layout import LEVEL_SIZE
from scml_gym.oneshot.clones.strategy import CLONE
from scml_gym.oneshot.strategies.base import StrategyPolicy

SCHEMA = "scml-gym-clone-1"
PREFIX = "clone:"
CLONES = Path(str(files("scml_gym.oneshot.clones"))) / "data"
"""Where those of the package stand: ``YEAR/Name.npz`` for agents of the league, ``scml/Name.npz`` for scml's own."""


@dataclass(frozen=True)
class CloneFile:
    """A clone.

    Attributes:
        agent: Name of the player that it was fitted to.
        weights: Float32 ``(2, LEVEL_SIZE)``, see `scml_gym.oneshot.clones.layout`: of a seller and of a buyer.

    Raises:
        InputError: if the weights are of another shape, or one of them is no finite number.
    """

    agent: str
    weights: np.ndarray

    def __post_init__(self) -> None:
        if self.weights.shape != (2, LEVEL_SIZE) or self.weights.dtype != np.float32:
            shape = "x".join(map(str, self.weights.shape))
            raise InputError(f"weights of {self.weights.dtype} {shape}; valid: float32 2x{LEVEL_SIZE}")
        if not np.isfinite(self.weights).all():
            raise InputError("a weight is no finite number")

    @functools.cached_property
    def parameters(self) -> np.ndarray:
        """The weights as a strategy takes them, float64 ``(2 * LEVEL_SIZE,)``; players of one file share them."""
        return self.weights.astype(np.float64).ravel()

    def player(self, seed: int) -> StrategyPolicy:
        """A player of this clone, in a world with that seed."""
        return StrategyPolicy(CLONE, seed, self.parameters)

    def made(self) -> Call:
        """How a player is made of ``seed``, for an agent that is handed in."""
        strategy = Name("scml_gym.oneshot.clones.strategy:CLONE")
        numbers = Array("weights", self.parameters)
        return call("scml_gym.oneshot.strategies.base:StrategyPolicy", strategy, Given("seed"), numbers)

    def save(self, path: Path) -> None:
        """Write it as npz, whole or not at all."""
        data = io.BytesIO()
        np.savez_compressed(data, schema=np.array(SCHEMA), agent=np.array(self.agent), weights=self.weights)
        replace_file(path, data.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> CloneFile:
        """Read what `save` wrote.

        Raises:
            InputError: if the file is missing, no clone, or of another schema.
        """
        data = read_arrays(path, "a clone")
        with content_of(path, "a clone"):
            schema = str(data["schema"])
            if schema != SCHEMA:
                raise InputError(f"{path} has the schema {schema!r}; {SCHEMA!r} is needed: fit the clone again")
            return cls(str(data["agent"]), data["weights"])


def is_clone(path: str | os.PathLike[str]) -> bool:
    """Whether an npz file says that it is a clone, of whatever version.

    Raises:
        InputError: if it cannot be read.
    """
    return str(read_arrays(path, "a policy file").get("schema", "")).startswith("scml-gym-clone-")


def clone_names() -> list[str]:
    """The clones that come with the package, as ``clone:2025/CostAverseAgent``."""
    return sorted(PREFIX + path.relative_to(CLONES).with_suffix("").as_posix() for path in CLONES.glob("*/*.npz"))


@functools.cache
def named_clone(name: str) -> CloneFile:
    """A clone that comes with the package; each is read once.

    Args:
        name: With its prefix, ``clone:2025/CostAverseAgent``.

    Raises:
        InputError: if there is none of that name; the message names the nearest one.
    """
    if name not in clone_names():
        raise InputError(f"unknown clone {name!r}{nearest(name, clone_names())}")
    return CloneFile.load(CLONES / f"{name.removeprefix(PREFIX)}.npz")
