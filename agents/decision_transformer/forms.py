"""Observations and actions of any environment as rows of float32 numbers, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.agents.sb3.weights import brief_space
from scml_gym.core.config import ConfigError
from scml_gym.core.errors import InputError

MOST_NUMBERS = 8192
"""Of an observation, at most."""


@dataclass(frozen=True)
class Observations:
    """How observations of a space become rows.

    Attributes:
        space: Theirs.
        width: Numbers of a row: 1, the code, for a ``Discrete`` space.
        codes: How many codes there are; 0 where rows are numbers.
    """

    space: spaces.Space
    width: int
    codes: int

    def rows(self, observations: Any, n: int) -> np.ndarray:
        """``n`` observations, as a dataset stacks them, float32 ``(n, width)``.

        Raises:
            InputError: if they have another form.
        """
        try:
            if isinstance(self.space, spaces.Discrete):
                return np.asarray(observations, np.float32).reshape(n, 1) - np.float32(self.space.start)
            rows = np.concatenate(_parts(self.space, observations, n), axis=1)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            told = " ".join(str(error).split())
            raise InputError(f"observation: none of {brief_space(self.space)} ({told})") from error
        if rows.shape != (n, self.width):
            raise InputError(f"observation: {rows.shape[1]} numbers; {brief_space(self.space)} has {self.width}")
        return rows


def observations_of(space: spaces.Space) -> Observations:
    """How observations of a space become rows.

    Raises:
        ConfigError: if they cannot: they are texts, graphs, sequences, or too many numbers.
    """
    if isinstance(space, spaces.Discrete):
        return Observations(space, 1, int(space.n))
    try:
        width = int(spaces.flatdim(space))
        _parts(space, _one(space), 1)
    except (NotImplementedError, TypeError, ValueError):
        width = MOST_NUMBERS + 1
    if width > MOST_NUMBERS:
        valid = f"such as are at most {MOST_NUMBERS} numbers"
        raise ConfigError(("env",), f"observations of {brief_space(space)}; valid: {valid}")
    return Observations(space, width, 0)


def _one(space: spaces.Space) -> Any:
    """An observation, stacked."""
    if isinstance(space, spaces.Dict):
        return {name: _one(part) for name, part in space.items()}
    return np.zeros((1, *(space.shape or ())), space.dtype)


def _parts(space: spaces.Space, values: Any, n: int) -> list[np.ndarray]:
    """Float32 ``(n, ...)`` each: numbers as they are, choices as one of each."""
    if isinstance(space, spaces.Dict):
        return [row for name, part in space.items() for row in _parts(part, values[name], n)]
    if isinstance(space, spaces.Box | spaces.MultiBinary):
        return [np.asarray(values, np.float32).reshape(n, -1)]
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        sizes = np.ravel(space.n if isinstance(space, spaces.Discrete) else space.nvec)
        codes = (np.asarray(values) - space.start).reshape(n, -1)
        return [np.eye(size, dtype=np.float32)[codes[:, i]] for i, size in enumerate(sizes.tolist())]
    raise TypeError(f"{brief_space(space)} cannot be made numbers")


@dataclass(frozen=True)
class Choices:
    """Actions that are choices, one after the other.

    Attributes:
        space: Theirs, ``Discrete`` or ``MultiDiscrete``.
        sizes: Options of each choice, in the order in which choices are made.
        order: The place of each of them in an action.
    """

    space: Any
    sizes: tuple[int, ...]
    order: tuple[int, ...]

    @property
    def width(self) -> int:
        """Choices of an action."""
        return len(self.sizes)

    def rows(self, actions: np.ndarray) -> np.ndarray:
        """Actions ``(n, ...)`` as options from 0, float32 ``(n, width)``, in order."""
        options = (np.asarray(actions) - self.space.start).reshape(len(actions), -1)
        return options[:, self.order].astype(np.float32)

    def masks(self, masks: np.ndarray) -> np.ndarray:
        """Valid options, bool ``(n, options)``, from choice after choice to the order in which they are made.

        Raises:
            InputError: if they have another shape.
        """
        if masks.shape[1:] != (sum(self.sizes),):
            raise InputError(f"mask of {masks.shape[1:]}; valid: ({sum(self.sizes)},), choice after choice")
        return masks[:, self._places()]

    def _places(self) -> np.ndarray:
        sizes = np.ravel(self.space.n if isinstance(self.space, spaces.Discrete) else self.space.nvec)
        starts = np.cumsum(sizes) - sizes
        return np.concatenate([starts[i] + np.arange(sizes[i]) for i in self.order])

    def action(self, row: np.ndarray) -> Any:
        """The action of a row."""
        if isinstance(self.space, spaces.Discrete):
            return np.int64(row[0] + self.space.start)
        options = np.empty(self.width, np.int64)
        options[list(self.order)] = row
        return (options.reshape(self.space.shape) + self.space.start).astype(self.space.dtype)


@dataclass(frozen=True)
class Numbers:
    """Actions that are numbers of a ``Box``.

    Attributes:
        space: Theirs.
    """

    space: spaces.Box

    @property
    def width(self) -> int:
        """Numbers of an action."""
        return int(np.prod(self.space.shape))

    def rows(self, actions: np.ndarray) -> np.ndarray:
        """Actions ``(n, ...)``, float32 ``(n, width)``."""
        return np.asarray(actions, np.float32).reshape(len(actions), -1)

    def masks(self, masks: np.ndarray) -> np.ndarray:
        """None: they have no masks that say which numbers are valid."""
        return np.ones((len(masks), 0), np.bool_)

    def action(self, row: np.ndarray) -> np.ndarray:
        """The action of a row, within the space."""
        return np.clip(row.reshape(self.space.shape), self.space.low, self.space.high).astype(self.space.dtype)


Actions = Choices | Numbers


def actions_of(space: spaces.Space, order: Sequence[int] | None = None) -> Actions:
    """How actions of a space become rows.

    Args:
        space: Theirs.
        order: The place of each choice in an action, in the order in which they are made; None for as they stand.

    Raises:
        ConfigError: if the space is none of ``Discrete``, ``MultiDiscrete`` and ``Box``.
    """
    if isinstance(space, spaces.Box):
        return Numbers(space)
    if not isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        raise ConfigError(("env",), f"actions of {brief_space(space)}; valid: Discrete, MultiDiscrete or Box")
    sizes = np.ravel(space.n if isinstance(space, spaces.Discrete) else space.nvec)
    places = tuple(range(len(sizes))) if order is None else tuple(order)
    return Choices(space, tuple(int(sizes[i]) for i in places), places)
