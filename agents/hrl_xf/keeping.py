"""The best of what a stage comes to is kept: now and then the hierarchy plays worlds of which it learns nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

STATE = "kept"
"""With which the names of its arrays begin."""


class Keeping:
    """The weights with which a hierarchy scored best, of those that were checked.

    Args:
        parts: Networks, by name.
        every: Worlds from one check to the next; 0 for none, and then nothing is kept.
        score: Plays and tells the score of the networks as they are.

    Attributes:
        last: The last score; nan before any.
    """

    def __init__(self, parts: Mapping[str, nn.Module], every: int, score: Callable[[], float]):
        self._parts, self._every, self._score = parts, every, score
        self._next, self._best, self.last = 0, -np.inf, np.nan
        self._weights = dict[str, np.ndarray]()

    def check(self, done: int, total: int) -> None:
        """Check the networks where it is time to: before the first, after every so many, and after the last world.

        Args:
            done: Worlds that the stage has played.
            total: Those that it plays in all.
        """
        if not self._every or done < min(self._next, total):
            return
        self._next, self.last = done + self._every, self._score()
        if self.last > self._best:
            self._best = self.last
            self._weights = {name: _weights(part) for name, part in self._parts.items()}

    @torch.no_grad()
    def hand_on(self) -> None:
        """Let the networks be the best ones that were checked."""
        for name, weights in self._weights.items():
            vector_to_parameters(torch.from_numpy(weights.copy()), self._parts[name].parameters())

    def arrays(self) -> dict[str, np.ndarray]:
        """Where it stands."""
        told = {f"{STATE}_{name}": weights for name, weights in self._weights.items()}
        return told | {STATE: np.array([self._next, self._best, self.last])}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on where `arrays` were given."""
        following, self._best, self.last = arrays[STATE].tolist()
        self._next = int(following)
        self._weights = {name: arrays[f"{STATE}_{name}"] for name in self._parts if f"{STATE}_{name}" in arrays}


def _weights(part: nn.Module) -> np.ndarray:
    return parameters_to_vector(part.parameters()).detach().numpy().copy()
