"""The numbers of an observation: their names, ranges and meanings, and how numbers are brought into their ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scml_gym.jit.compile import jittable


@dataclass(frozen=True)
class Feature:
    """One number of an observation: its name, its range and what it means."""

    name: str
    low: float
    high: float
    meaning: str


def bounds(features: Sequence[Feature]) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest value of each feature, float32, shape ``(len(features),)``."""
    low, high = (np.array([getattr(s, end) for s in features], dtype=np.float32) for end in ("low", "high"))
    return low, high


@jittable
def ratio(part: float, whole: float) -> float:
    """The quotient; 0 where the whole is 0."""
    return part / whole if whole != 0 else 0.0


@jittable
def clip(out: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Clip numbers to their ranges, in place."""
    for i in range(len(low)):
        if out[i] < low[i]:
            out[i] = low[i]
        elif out[i] > high[i]:
            out[i] = high[i]
