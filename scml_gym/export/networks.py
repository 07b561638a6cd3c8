"""Policies that are networks, in a submission: from an observation to an action, by NumPy alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Forward = Callable[..., tuple[np.ndarray, ...]]
"""``forward(weights, *inputs) -> outputs``, of a batch of one."""


class Network(ABC):
    """A `scml_gym.game.world.Predict` whose numbers come from a network; subclasses say what they mean.

    Args:
        forward: Its code: takes the parts of an observation, then of its state.
        weights: Its numbers.
        parts: Names of the observation's parts in their order, of a dict observation; empty for an array or a number.
        state_shapes: Shapes of what it remembers within an episode, float32, zeros at first.
    """

    def __init__(
        self,
        forward: Forward,
        weights: Mapping[str, np.ndarray],
        parts: Sequence[str] = (),
        state_shapes: Sequence[tuple[int, ...]] = (),
    ):
        self._forward, self._weights = forward, weights
        self._parts, self._state_shapes = parts, state_shapes

    def __call__(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """The action, and what is remembered."""
        numbers, state = self.numbers(observation, state)
        return self.action(numbers, mask), state

    def numbers(self, observation: Any, state: Any = None) -> tuple[np.ndarray, Any]:
        """What the network gives for an observation, and what is remembered."""
        given = [observation[name] for name in self._parts] if self._parts else [observation]
        if state is None:
            state = [np.zeros(shape, dtype=np.float32) for shape in self._state_shapes]
        out, *state = self._forward(self._weights, *(np.asarray(part)[None] for part in given), *state)
        return out[0], state or None

    @abstractmethod
    def action(self, numbers: np.ndarray, mask: np.ndarray | None) -> Any:
        """The action that the numbers stand for."""


class Choices(Network):
    """A network whose numbers are logits, or values, of choices: the likeliest ones are made.

    Args:
        forward: See `Network`.
        weights: Likewise.
        parts: Likewise.
        state_shapes: Likewise.
        sizes: Choices of each head; an action is one number for each, int64. A single number for an action that is one.
        masked: Whether invalid choices are never made.
    """

    def __init__(
        self,
        forward: Forward,
        weights: Mapping[str, np.ndarray],
        parts: Sequence[str] = (),
        state_shapes: Sequence[tuple[int, ...]] = (),
        *,
        sizes: Sequence[int] | int,
        masked: bool,
    ):
        super().__init__(forward, weights, parts, state_shapes)
        self._single = isinstance(sizes, int)
        self._ends = np.cumsum([sizes] if isinstance(sizes, int) else sizes)[:-1]
        self._masked = masked

    def probabilities(self, numbers: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Of all choices, head after head, as logits stand for them."""
        heads = np.split(self._allowed(numbers, mask), self._ends)
        shares = [np.exp(head - head.max()) for head in heads]
        return np.concatenate([share / share.sum() for share in shares])

    def action(self, numbers: np.ndarray, mask: np.ndarray | None) -> Any:
        """The largest of each head, the first of equal ones."""
        best = [int(np.argmax(head)) for head in np.split(self._allowed(numbers, mask), self._ends)]
        return best[0] if self._single else np.array(best, dtype=np.int64)

    def _allowed(self, numbers: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        return np.where(mask, numbers, -np.inf) if self._masked and mask is not None else numbers


class Means(Network):
    """A network whose numbers are the action.

    Args:
        forward: See `Network`.
        weights: Likewise.
        parts: Likewise.
        state_shapes: Likewise.
        low: Least action, an array.
        high: Largest action.
    """

    def __init__(
        self,
        forward: Forward,
        weights: Mapping[str, np.ndarray],
        parts: Sequence[str] = (),
        state_shapes: Sequence[tuple[int, ...]] = (),
        *,
        low: np.ndarray,
        high: np.ndarray,
    ):
        super().__init__(forward, weights, parts, state_shapes)
        self._low, self._high = low, high

    def action(self, numbers: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        """The numbers, within their limits."""
        return np.clip(numbers.reshape(self._low.shape), self._low, self._high)
