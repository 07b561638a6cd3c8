"""The planner as an action codec: what is chosen is how to plan, and the plan answers all partners."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.game.kernels import ActionFunctions, ActionKernel, mask_nothing
from scml_gym.jit.arrays import scratch_floats
from scml_gym.jit.compile import compiled, jittable
from scml_gym.jit.parameters import record_of
from scml_gym.oneshot.planner import MEMORY_SIZE, N_SETTINGS, SETTINGS_DTYPE, plan, remember
from scml_gym.oneshot.view import MAX_PARTNERS, ActionArray, FactoryView, new_actions

HEADS: dict[str, tuple[tuple[float, ...], ...]] = {
    "under": ((0.0,), (1.0,), (2.0,), (3.0,), (5.0,), (10.0,)),
    "over": ((0.0,), (1.0,), (2.0,), (3.0,), (10.0,)),
    "price accepted": ((0.0,), (0.5,)),
    "items expected": ((0.8,), (0.9,), (1.0,), (1.15,), (1.4,)),
    "price asked for": ((1.0,), (0.5,), (0.0,)),
    "partners asked": ((0.0, 1.0), (2.0, 1.0), (0.0, 0.5)),
}
"""For each head of the action what its values stand for: the planner's settings, in their order.

Items that the accepted total may lack and may exceed; least position of the prices accepted (any, the good half); items
to be expected of those asked for, as a multiple of what is left; position of the prices asked for (good, mixed, bad);
and whom they are asked of (all evenly, more of those who agreed before, evenly the better half of the partners).
"""

Heads = Mapping[str, tuple[tuple[float, ...], ...]]


class PlannerForm(NamedTuple):
    """What the choices of a planner mean.

    Attributes:
        heads: For each head what its values stand for.
        memory_size: Numbers that are remembered of partners, zeros at the start of a world.
        decode: ``(choice, view, memory, actions)``, jittable: answers all partners as the choices of the heads say,
            int64 ``(heads,)``, each within its head's size; the actions come as no-ops.
        remember: ``(view, memory)``, jittable: a day's last view.
    """

    heads: Heads
    memory_size: int
    decode: Callable[..., None]
    remember: Callable[..., None]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Options of each head."""
        return tuple(len(values) for values in self.heads.values())


def settings_decoder(heads: Heads) -> Callable[[np.ndarray, np.ndarray], None]:
    """``(choice, settings)``, jittable: writes the numbers that the heads' choices stand for, in their order."""
    sizes = tuple(len(values) for values in heads.values())
    widths = tuple(len(values[0]) for values in heads.values())
    numbers = np.array([value for values in heads.values() for choice in values for value in choice])

    @jittable
    def decode_settings(choice: np.ndarray, settings: np.ndarray) -> None:
        first, position = 0, 0
        for head in range(len(sizes)):
            for i in range(widths[head]):
                settings[position] = numbers[first + choice[head] * widths[head] + i]
                position += 1
            first += sizes[head] * widths[head]

    return decode_settings


decode_settings = settings_decoder(HEADS)


@jittable
def decode_planner(choice: np.ndarray, view: FactoryView, memory: np.ndarray, actions: ActionArray) -> None:
    """See `PlannerForm.decode`; the memory, of `scml_gym.oneshot.planner.remember`, is only read."""
    settings = scratch_floats(N_SETTINGS)
    decode_settings(choice, settings)
    plan(view, record_of(settings, SETTINGS_DTYPE, 0), memory, actions)


PLANNER = PlannerForm(HEADS, MEMORY_SIZE, decode_planner, remember)


class PlannerActions:
    """One choice for each head of a planner: ``MultiDiscrete([6, 5, 2, 5, 3, 3])``.

    All choices are always valid, and so is every answer. The codec has a memory of partners: whoever uses it calls
    ``reset`` before a world's first decision and ``end_day`` with the last view of each day of each factory. It keeps
    the memory of every factory of a world by itself, so one codec may serve several of them.

    Args:
        form: What the choices mean.
    """

    def __init__(self, form: PlannerForm = PLANNER) -> None:
        self.form = form
        self.space: spaces.Space = spaces.MultiDiscrete(list(form.sizes))
        self.memory = np.zeros((2 * MAX_PARTNERS, form.memory_size))
        """By factory; float64, shape ``(2 * MAX_PARTNERS, memory_size)``."""

    @property
    def kernel(self) -> ActionKernel:
        """As compiled code takes it."""
        functions = planner_functions(self.form.decode, self.form.remember, self.form.sizes)
        return ActionKernel(functions, np.int64, self.form.memory_size)

    def reset(self) -> None:
        """A world starts: nothing is known of any partner."""
        self.memory[:] = 0.0

    def end_day(self, view: FactoryView) -> None:
        """Take the last view of a factory's day into its memory."""
        self.form.remember(view, self.memory[view["factory"]])

    def decode(self, action: np.ndarray, view: FactoryView) -> ActionArray:
        """The action array of the choices, int, shape ``(heads,)``.

        Raises:
            InputError: if the shape is another one or a choice is outside its head.
        """
        choice, sizes = np.asarray(action), self.form.sizes
        if choice.shape != (len(sizes),):
            raise InputError(f"action of shape {choice.shape}; valid: ({len(sizes)},)")
        for head, size, value in zip(self.form.heads, sizes, choice.tolist(), strict=True):
            if not (isinstance(value, int) and 0 <= value < size):
                raise InputError(f"choice {value} for {head!r}; valid: 0 to {size - 1}")
        actions = new_actions()
        _compiled(self.form.decode)(choice.astype(np.int64), view, self.memory[view["factory"]], actions)
        return actions

    def mask(self, view: FactoryView) -> np.ndarray:
        """The valid choices, head after head: all of them; bool, shape ``(sum of the sizes,)``."""
        return np.ones(sum(self.form.sizes), dtype=np.bool_)


_compiled = functools.cache(compiled)


@functools.cache
def planner_functions(
    decode: Callable[..., None], remember: Callable[..., None], sizes: tuple[int, ...]
) -> ActionFunctions:
    """A planner as compiled code takes it."""

    @jittable
    def checked(action: np.ndarray, view: FactoryView, memory: np.ndarray, actions: ActionArray) -> int:
        """-1, or the head whose choice is outside."""
        for head in range(len(sizes)):
            if not 0 <= action[head] < sizes[head]:
                return head
        decode(action, view, memory, actions)
        return -1

    return ActionFunctions(checked, mask_nothing, remember)
