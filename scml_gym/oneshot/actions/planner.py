"""The planner as an action codec: what is chosen is how to plan, and the plan answers all partners."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.game.kernels import ActionFunctions, ActionKernel, mask_nothing
from scml_gym.jit.arrays import scratch_floats
from scml_gym.jit.compile import jittable
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

_SIZES = tuple(len(values) for values in HEADS.values())
_WIDTHS = tuple(len(values[0]) for values in HEADS.values())
_VALUES = np.array([value for values in HEADS.values() for choice in values for value in choice])


@jittable
def decode_settings(choice: np.ndarray, settings: np.ndarray) -> None:
    """Write the planner's settings, float64 ``(N_SETTINGS,)``, that the heads' choices stand for."""
    first, position = 0, 0
    for head in range(len(_SIZES)):
        for i in range(_WIDTHS[head]):
            settings[position] = _VALUES[first + choice[head] * _WIDTHS[head] + i]
            position += 1
        first += _SIZES[head] * _WIDTHS[head]


@jittable
def decode_planner(choice: np.ndarray, view: FactoryView, memory: np.ndarray, actions: ActionArray) -> None:
    """Answer all partners as the choices of the heads say.

    Args:
        choice: int64 ``(6,)``, each within its head's size; not checked.
        view: What the factory sees.
        memory: Of its partners, float64 ``(MEMORY_SIZE,)``, see `scml_gym.oneshot.planner.remember`; only read.
        actions: Come as no-ops.
    """
    settings = scratch_floats(N_SETTINGS)
    decode_settings(choice, settings)
    plan(view, record_of(settings, SETTINGS_DTYPE, 0), memory, actions)


class PlannerActions:
    """One choice for each head of the planner: ``MultiDiscrete([6, 5, 2, 5, 3, 3])``.

    All choices are always valid, and so is every answer. The codec has a memory of partners: whoever uses it calls
    ``reset`` before a world's first decision and ``end_day`` with the last view of each day of each factory. It keeps
    the memory of every factory of a world by itself, so one codec may serve several of them.
    """

    def __init__(self) -> None:
        self.space: spaces.Space = spaces.MultiDiscrete(list(_SIZES))
        self.memory = np.zeros((2 * MAX_PARTNERS, MEMORY_SIZE))
        """By factory; float64, shape ``(2 * MAX_PARTNERS, MEMORY_SIZE)``."""

    @property
    def kernel(self) -> ActionKernel:
        """As compiled code takes it."""
        return ActionKernel(ActionFunctions(_decode_plan, mask_nothing, remember), np.int64, MEMORY_SIZE)

    def reset(self) -> None:
        """A world starts: nothing is known of any partner."""
        self.memory[:] = 0.0

    def end_day(self, view: FactoryView) -> None:
        """Take the last view of a factory's day into its memory."""
        remember(view, self.memory[view["factory"]])

    def decode(self, action: np.ndarray, view: FactoryView) -> ActionArray:
        """The action array of the choices, int, shape ``(6,)``.

        Raises:
            InputError: if the shape is another one or a choice is outside its head.
        """
        choice = np.asarray(action)
        if choice.shape != (len(_SIZES),):
            raise InputError(f"action of shape {choice.shape}; valid: ({len(_SIZES)},)")
        for head, size, value in zip(HEADS, _SIZES, choice.tolist(), strict=True):
            if not (isinstance(value, int) and 0 <= value < size):
                raise InputError(f"choice {value} for {head!r}; valid: 0 to {size - 1}")
        actions = new_actions()
        decode_planner(choice.astype(np.int64), view, self.memory[view["factory"]], actions)
        return actions

    def mask(self, view: FactoryView) -> np.ndarray:
        """The valid choices, head after head: all of them; bool, shape ``(24,)``."""
        return np.ones(sum(_SIZES), dtype=np.bool_)


@jittable
def _decode_plan(action: np.ndarray, view: FactoryView, memory: np.ndarray, actions: ActionArray) -> int:
    """`decode_planner`, unless a choice is outside its head, whose index is given then."""
    for head in range(len(_SIZES)):
        if not 0 <= action[head] < _SIZES[head]:
            return head
    decode_planner(action, view, memory, actions)
    return -1
