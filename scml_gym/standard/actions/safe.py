"""Action codecs behind a shield: whatever is chosen, the answers are safe by a bound.

The shield comes between a codec and the world. It narrows the masks to what is safe by itself, and changes the answers
of a decision where they are not safe together, see `scml_gym.standard.safety.answers.restrict`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces

from scml_gym.game.codecs import ActionCodec, Note
from scml_gym.game.daily import Executor
from scml_gym.game.kernels import ActionFunctions, ActionKernel, action_kernel
from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import compiled, jittable
from scml_gym.standard.safety.answers import restrict
from scml_gym.standard.safety.bounds import named_bound
from scml_gym.standard.safety.choices import write_safe_choices
from scml_gym.standard.strategies.market import BOTH_BOOKS
from scml_gym.standard.view import MAX_PARTNERS, ActionArray, StandardView

Narrow = Callable[[StandardView, np.ndarray, np.ndarray, np.ndarray], None]
"""``(view, accepts, limits, out)``: takes what is not safe out of a codec's mask; see `write_safe_choices`."""


class NarrowedCodec(ActionCodec, Protocol):
    """A codec whose masks can be narrowed.

    Attributes:
        narrow: How.
    """

    narrow: Narrow


class ShieldedActions:
    """A codec behind a shield.

    Args:
        codec: Whose answers are shielded.
        bound: ``"covered"`` or ``"possible"``, see `scml_gym.standard.safety.bounds.BOUNDS`.

    Attributes:
        notes: What it tells of a step, by name: the place of its numbers in the memory.

    Raises:
        InputError: if there is no such bound.
    """

    def __init__(self, codec: NarrowedCodec, bound: str):
        self.codec, self.bound = codec, named_bound(bound)
        self.space: spaces.Space = codec.space
        self._changed = np.zeros(MAX_PARTNERS)

    @property
    def kernel(self) -> ActionKernel:
        """As compiled code takes it."""
        inner = action_kernel(self.codec)
        functions = _shielded(inner.functions, self.codec.narrow, self.bound, inner.memory_size)
        return inner._replace(functions=functions, memory_size=inner.memory_size + MAX_PARTNERS)

    @property
    def notes(self) -> Mapping[str, Note]:
        """Where the memory says how many answers to each partner were changed in a step."""
        first = action_kernel(self.codec).memory_size
        return {"shielded": Note(slice(first, first + MAX_PARTNERS), np.int64)}

    def info(self) -> dict[str, Any]:
        """``shielded``: how many answers to each partner were changed in the last step, int64 ``(16,)``."""
        return {"shielded": self._changed.astype(np.int64)}

    def reset(self) -> None:
        """A world starts: nothing is changed yet."""
        self._changed[:] = 0
        self.codec.reset()

    def end_day(self, view: StandardView) -> None:
        """See `ActionCodec`."""
        self.codec.end_day(view)

    def decode(self, action: np.ndarray, view: StandardView) -> ActionArray:
        """The codec's answers, made safe; those that cannot be played stay as they are.

        Raises:
            InputError: as the codec does.
        """
        actions = self.codec.decode(action, view)
        self._changed[:] = 0
        self.restrict(view, actions)
        return actions

    def restrict(self, view: StandardView, actions: ActionArray) -> None:
        """Make answers safe in place, and note which were changed."""
        _restrict(view, self.bound, 1.0, actions, self._changed)

    def mask(self, view: StandardView) -> np.ndarray:
        """The codec's mask without what is not safe by itself; where nothing is, only the first choices are left."""
        mask = self.codec.mask(view)
        _narrow(self.codec.narrow)(view, self.bound, mask)
        return mask


class ShieldedGoals(ShieldedActions):
    """Goals of a day whose executor's answers are shielded; see `shield`."""

    def decode(self, action: np.ndarray, view: StandardView) -> Any:
        """The codec's goals, as they are; no answer is changed yet in this step.

        Raises:
            InputError: as the codec does.
        """
        self._changed[:] = 0
        return self.codec.decode(action, view)

    def shield(self, executor: Executor) -> Executor:
        """An executor behind the shield, which notes here what it changes."""
        return ShieldedExecutor(executor, self)


class ShieldedExecutor:
    """An executor whose answers are made safe; see `ShieldedGoals.shield`."""

    def __init__(self, executor: Executor, codec: ShieldedActions):
        self._executor, self._codec = executor, codec

    def begin(self, view: StandardView) -> None:
        """See `Executor`."""
        self._executor.begin(view)

    def act(self, view: StandardView, goals: np.ndarray) -> ActionArray:
        """The executor's answers, made safe."""
        actions = self._executor.act(view, goals)
        self._codec.restrict(view, actions)
        return actions

    def end_day(self, view: StandardView) -> None:
        """See `Executor`."""
        self._executor.end_day(view)


_restrict = compiled(restrict)


@functools.cache
def _narrowed(narrow: Narrow) -> Callable[[StandardView, int, np.ndarray], None]:
    @jittable
    def narrow_mask(view: StandardView, bound: int, out: np.ndarray) -> None:
        accepts, limits = scratch_integers(MAX_PARTNERS), scratch_integers(BOTH_BOOKS)
        write_safe_choices(view, bound, accepts, limits)
        narrow(view, accepts, limits, out)

    return narrow_mask


@functools.cache
def _narrow(narrow: Narrow) -> Any:
    return compiled(_narrowed(narrow))


@functools.cache
def _shielded(inner: ActionFunctions, narrow: Narrow, bound: int, first: int) -> ActionFunctions:
    """The functions of a codec behind a shield, whose memory goes on from ``first``."""
    decode_inner, mask_inner, remember, go_on_inner = inner
    narrow_mask = _narrowed(narrow)

    @jittable
    def decode(action: np.ndarray, view: StandardView, memory: np.ndarray, actions: ActionArray) -> int:
        wrong = decode_inner(action, view, memory, actions)
        if wrong < 0:
            restrict(view, bound, 1.0, actions, memory[first:])
        return wrong

    @jittable
    def go_on(view: StandardView, memory: np.ndarray, actions: ActionArray) -> bool:
        decided = go_on_inner(view, memory, actions)
        if decided:
            restrict(view, bound, 1.0, actions, memory[first:])
        return decided

    @jittable
    def mask(view: StandardView, out: np.ndarray) -> None:
        mask_inner(view, out)
        narrow_mask(view, bound, out)

    return ActionFunctions(decode, mask, remember, go_on)


def shielded(codec: Any, bound: str | None) -> Any:
    """A codec behind a shield, or as it is where the bound is None.

    Raises:
        InputError: if there is no such bound.
    """
    return codec if bound is None else ShieldedActions(codec, bound)
