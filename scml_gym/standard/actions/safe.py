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
from scml_gym.game.inverses import Inverse, Opening, inverse_of, opening_of
from scml_gym.game.kernels import ActionFunctions, ActionKernel, action_kernel
from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import compiled, jittable
from scml_gym.standard.safety.answers import restrict
from scml_gym.standard.safety.audit import COUNTS, N_NUMBERS, REASONS, audit
from scml_gym.standard.safety.bounds import named_bound
from scml_gym.standard.safety.choices import write_safe_choices
from scml_gym.standard.strategies.market import BOTH_BOOKS
from scml_gym.standard.view import MAX_PARTNERS, ActionArray, StandardView

OPEN = -1
"""No bound."""

MEMORY = MAX_PARTNERS + N_NUMBERS
"""Numbers that are told: how many answers to each partner were changed, and those of the audit."""

Narrow = Callable[[StandardView, np.ndarray, np.ndarray, np.ndarray], None]
"""``(view, accepts, limits, out)``: takes what is not safe out of a codec's mask; see `write_safe_choices`."""


class NarrowedCodec(ActionCodec, Protocol):
    """A codec whose masks can be narrowed.

    Attributes:
        narrow: How.
    """

    narrow: Narrow


class ShieldedActions:
    """A codec behind a shield, or one whose answers are audited, or both: then what is left behind the shield is.

    Args:
        codec: Whose answers they are.
        bound: ``"covered"`` or ``"possible"``, see `scml_gym.standard.safety.bounds.BOUNDS`; None for no shield.
        audited: Whether to count unsafe acts, see `scml_gym.standard.safety.audit`.

    Attributes:
        notes: What it tells of a step, by name: the place of its numbers in the memory.

    Raises:
        InputError: if there is no such bound.
    """

    def __init__(self, codec: NarrowedCodec, bound: str | None, audited: bool = False):
        self.codec, self.bound, self.audited = codec, OPEN if bound is None else named_bound(bound), audited
        self.space: spaces.Space = codec.space
        self._memory = np.zeros(MEMORY)

    @property
    def kernel(self) -> ActionKernel:
        """As compiled code takes it."""
        inner = action_kernel(self.codec)
        functions = _shielded(inner.functions, self.codec.narrow, self.bound, self.audited, inner.memory_size)
        return inner._replace(functions=functions, memory_size=inner.memory_size + MEMORY)

    @property
    def inverse(self) -> Inverse:
        """See `scml_gym.game.inverses.Invertible`: that of the codec behind the shield.

        Raises:
            InputError: if that has none.
        """
        return inverse_of(self.codec)

    @property
    def opening(self) -> Opening | None:
        """See `scml_gym.game.inverses.opening_of`: that of the codec behind the shield."""
        return opening_of(self.codec)

    @property
    def notes(self) -> Mapping[str, Note]:
        """See `info`."""
        first = action_kernel(self.codec).memory_size
        notes = {}
        if self.bound != OPEN:
            notes["shielded"] = Note(slice(first, first + MAX_PARTNERS), np.int64)
        if self.audited:
            first += MAX_PARTNERS
            for i, name in enumerate((*COUNTS, *REASONS), first):
                notes[name] = Note(slice(i, i + 1), np.float64 if name == "unsafe_unpaid" else np.int64)
        return notes

    def info(self) -> dict[str, Any]:
        """What was done in the last step: ``shielded``, how many answers to each partner were changed, int64 ``(16,)``;
        where acts are audited, `scml_gym.standard.safety.audit.COUNTS` and ``REASONS``."""
        told: dict[str, Any] = {}
        if self.bound != OPEN:
            told["shielded"] = self._memory[:MAX_PARTNERS].astype(np.int64)
        if self.audited:
            told |= zip((*COUNTS, *REASONS), self._memory[MAX_PARTNERS:].astype(int).tolist(), strict=True)
            told["unsafe_unpaid"] = float(self._memory[-1])
        return told

    def reset(self) -> None:
        """A world starts: nothing is changed yet."""
        self._memory[:] = 0
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
        self._memory[:] = 0
        self.check(view, actions)
        return actions

    def check(self, view: StandardView, actions: ActionArray) -> None:
        """Make answers safe in place, where there is a shield, and note what is to be told."""
        _check(view, self.bound, self.audited, actions, self._memory)

    def mask(self, view: StandardView) -> np.ndarray:
        """The codec's mask without what is not safe by itself; where nothing is, only the first choices are left."""
        mask = self.codec.mask(view)
        if self.bound != OPEN:
            _narrow(self.codec.narrow)(view, self.bound, mask)
        return mask


class ShieldedGoals(ShieldedActions):
    """Goals of a day whose executor's answers are shielded; see `shield`."""

    def decode(self, action: np.ndarray, view: StandardView) -> Any:
        """The codec's goals, as they are; no answer is changed yet in this step.

        Raises:
            InputError: as the codec does.
        """
        self._memory[:] = 0
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
        self._codec.check(view, actions)
        return actions

    def end_day(self, view: StandardView) -> None:
        """See `Executor`."""
        self._executor.end_day(view)


@jittable
def _note_nothing(view: StandardView, actions: ActionArray, numbers: np.ndarray) -> None:
    """Where there is no shield, or no audit."""


@functools.cache
def checks(bound: int, audited: bool) -> Callable[[StandardView, ActionArray, np.ndarray], None]:
    """``(view, actions, memory)``: makes answers safe in place, unless the bound is ``OPEN``, and writes what is to be
    told into the memory."""

    @jittable
    def shield(view: StandardView, actions: ActionArray, memory: np.ndarray) -> None:
        restrict(view, bound, 1.0, actions, memory)

    first, second = shield if bound != OPEN else _note_nothing, audit if audited else _note_nothing

    @jittable
    def check(view: StandardView, actions: ActionArray, memory: np.ndarray) -> None:
        first(view, actions, memory)
        second(view, actions, memory[MAX_PARTNERS:])

    return check


@compiled
def _check(view: StandardView, bound: int, audited: bool, actions: ActionArray, memory: np.ndarray) -> None:
    """`checks` of single environments: compiled once for all of them."""
    if bound != OPEN:
        restrict(view, bound, 1.0, actions, memory)
    if audited:
        audit(view, actions, memory[MAX_PARTNERS:])


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


@jittable
def _keep_all(view: StandardView, bound: int, out: np.ndarray) -> None:
    """Where there is no shield."""


@functools.cache
def _shielded(inner: ActionFunctions, narrow: Narrow, bound: int, audited: bool, start: int) -> ActionFunctions:
    """The functions of a codec behind a shield, whose memory goes on from ``start``."""
    decode_inner, mask_inner, remember, go_on_inner = inner
    check, narrow_mask = checks(bound, audited), _narrowed(narrow) if bound != OPEN else _keep_all

    @jittable
    def decode(action: np.ndarray, view: StandardView, memory: np.ndarray, actions: ActionArray) -> int:
        wrong = decode_inner(action, view, memory, actions)
        if wrong < 0:
            check(view, actions, memory[start:])
        return wrong

    @jittable
    def go_on(view: StandardView, memory: np.ndarray, actions: ActionArray) -> bool:
        decided = go_on_inner(view, memory, actions)
        if decided:
            check(view, actions, memory[start:])
        return decided

    @jittable
    def mask(view: StandardView, out: np.ndarray) -> None:
        mask_inner(view, out)
        narrow_mask(view, bound, out)

    return ActionFunctions(decode, mask, remember, go_on)


def shielded(codec: Any, bound: str | None, audited: bool = False) -> Any:
    """A codec behind a shield and audited, or as it is where it is neither.

    Raises:
        InputError: if there is no such bound.
    """
    return codec if bound is None and not audited else ShieldedActions(codec, bound, audited)
