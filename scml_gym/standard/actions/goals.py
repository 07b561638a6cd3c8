"""Goals: how much to buy and to sell by groups of days, and at which prices at worst.

They are few numbers, to be decided once a day or at every decision; the planner (`scml_gym.standard.planner`) answers
all partners by them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.game.inverses import Inverse
from scml_gym.game.kernels import ActionFunctions, ActionKernel, remember_nothing
from scml_gym.game.ranges import unit
from scml_gym.jit.arrays import scratch_floats
from scml_gym.jit.compile import compiled, jittable
from scml_gym.standard.actions.proposals import add_proposals, as_opened, in_books, nearest
from scml_gym.standard.executors import EXECUTORS
from scml_gym.standard.planner import GOALS, N_GOALS, N_GROUPS, N_SLOTS, SIDES, STARTS
from scml_gym.standard.view import BOOK_DAYS, ActionArray, StandardView, new_actions

QUANTITIES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0)
"""Items of a group of days, as multiples of the lines; numbers of a ``Box`` go up to the last one."""

LIMITS = (0.0, 1 / 3, 2 / 3, 1.0)
"""Worst prices, as positions of today's range: 0 any price, 1 only the best one."""

_QUANTITIES, _LIMITS = np.array(QUANTITIES), np.array(LIMITS)


@jittable
def decode_choices(action: np.ndarray, view: StandardView, goals: np.ndarray) -> int:
    """The goals of choices, int64 ``(16,)``, written into ``goals``, float64 ``(N_GOALS,)``.

    Returns:
        The first number that is outside the space, else -1.
    """
    for i in range(N_GOALS):
        values = _QUANTITIES if i % 2 == 0 else _LIMITS
        if not 0 <= action[i] < len(values):
            return i
        goals[i] = values[action[i]] * view["lines"] if i % 2 == 0 else values[action[i]]
    return -1


@jittable
def decode_numbers(action: np.ndarray, view: StandardView, goals: np.ndarray) -> int:
    """The goals of numbers in [-1, 1], float64 ``(2, 4, 2)``, written into ``goals``, float64 ``(N_GOALS,)``.

    Returns:
        The first number that is not finite, else -1.
    """
    for i in range(N_GOALS):
        number = action[i // (2 * N_GROUPS), i // 2 % N_GROUPS, i % 2]
        if not math.isfinite(number):
            return i
        goals[i] = unit(number)
        if i % 2 == 0:
            goals[i] *= QUANTITIES[-1] * view["lines"]
    return -1


@jittable
def encode_choices(actions: ActionArray, view: StandardView, out: np.ndarray) -> None:
    """The nearest choices to a player's first proposals, ``(16,)``: for each side and group of days what is in the
    books and what it proposes, and the worst price; nothing where it proposes nothing."""
    proposed = scratch_floats(2)
    for slot in range(N_SLOTS):
        side, start, stop = slot // N_GROUPS, STARTS[slot % N_GROUPS], STARTS[slot % N_GROUPS + 1]
        add_proposals(actions, view, side, start, stop, proposed)
        out[2 * slot] = out[2 * slot + 1] = 0
        if proposed[0] > 0.0:
            items = proposed[0] + in_books(view, side, start, stop)
            out[2 * slot] = max(1, nearest(_QUANTITIES, items / view["lines"]))
            out[2 * slot + 1] = nearest(_LIMITS, proposed[1])


@jittable
def mask_groups(view: StandardView, starts: np.ndarray, out: np.ndarray) -> None:
    """The valid choices by groups of days, which begin as `scml_gym.standard.planner.plan_groups` says, bool
    ``(24 * n_groups,)``: all, but only the first where a side has no partners or nothing may be traded for a group."""
    n, n_groups = len(QUANTITIES) + len(LIMITS), len(starts) - 1
    for slot in range(2 * n_groups):
        partners = view["n_suppliers"] if slot < n_groups else view["n_consumers"]
        possible = partners > 0 and view["day"] + starts[slot % n_groups] <= view["last_day"]
        out[slot * n : (slot + 1) * n] = possible
        out[slot * n] = out[slot * n + len(QUANTITIES)] = True


@jittable
def narrow_groups(view: StandardView, starts: np.ndarray, limits: np.ndarray, out: np.ndarray) -> None:
    """Leave only the first choice where nothing more may be traded for a group of days; see
    `scml_gym.standard.actions.safe.Narrow`."""
    n, n_groups = len(QUANTITIES) + len(LIMITS), len(starts) - 1
    for slot in range(2 * n_groups):
        most = 0
        for ahead in range(starts[slot % n_groups], starts[slot % n_groups + 1]):
            most = max(most, limits[slot // n_groups * BOOK_DAYS + ahead])
        if most < view["min_quantity"]:
            out[slot * n : (slot + 1) * n] = False
            out[slot * n] = out[slot * n + len(QUANTITIES)] = True


@jittable
def goal_mask(view: StandardView, out: np.ndarray) -> None:
    """`mask_groups` of `scml_gym.standard.planner.GROUPS`, bool ``(96,)``."""
    mask_groups(view, STARTS, out)


@jittable
def narrow_goals(view: StandardView, accepts: np.ndarray, limits: np.ndarray, out: np.ndarray) -> None:
    """`narrow_groups` of the same."""
    narrow_groups(view, STARTS, limits, out)


_compiled = functools.cache(compiled)


class GoalForm(NamedTuple):
    """A form in which goals are chosen.

    Attributes:
        space: Of the actions.
        decode: ``(action, view, goals) -> int``: -1, or the first number that is not valid.
        dtype: Of the numbers of an action.
        valid: What is, for messages.
        chosen: The names of the numbers of an action, for messages.
        n_goals: Numbers of the goals.
        n_choices: Length of a mask.
        mask: ``(view, out)``: the valid choices.
        narrow: Of masks behind a shield, see `scml_gym.standard.actions.safe.Narrow`.
        executor: The name of the one that carries such goals out, see `scml_gym.standard.executors.EXECUTORS`.
        encode: An `Inverse` that takes a player's first proposals of a day, see `scml_gym.standard.actions.proposals`;
            None where these are no goals.
    """

    space: spaces.Space
    decode: Callable[[np.ndarray, StandardView, np.ndarray], int]
    dtype: Any
    valid: str
    chosen: tuple[str, ...] = tuple(GOALS)
    n_goals: int = N_GOALS
    n_choices: int = N_SLOTS * (len(QUANTITIES) + len(LIMITS))
    mask: Callable[[StandardView, np.ndarray], None] = goal_mask
    narrow: Callable[[StandardView, np.ndarray, np.ndarray, np.ndarray], None] = narrow_goals
    executor: str = "planner"
    encode: Inverse | None = None


CHOICES = GoalForm(
    spaces.MultiDiscrete([len(QUANTITIES), len(LIMITS)] * N_SLOTS),
    decode_choices,
    np.int64,
    f"quantities 0 to {len(QUANTITIES) - 1}, limits 0 to {len(LIMITS) - 1}",
    encode=encode_choices,
)
"""For buying, then for selling, for today, 1 to 3, 4 to 6 and 7 to 10 days from today: a number of `QUANTITIES` and one
of `LIMITS`; ``MultiDiscrete([8, 4] * 8)``."""

NUMBERS = GoalForm(
    spaces.Box(-1.0, 1.0, (len(SIDES), N_GROUPS, 2), dtype=np.float32),
    decode_numbers,
    np.float64,
    "finite numbers",
)
"""The same as numbers in [-1, 1], by side and group of days; ``Box(-1, 1, (2, 4, 2))``: the quantity from 0 to twice
the lines, and the limit from any price to only the best one."""


class Goals:
    """The goals of a day as an action codec whose answers are goals, for environments with one decision a day.

    Args:
        form: How they are chosen.
    """

    def __init__(self, form: GoalForm = CHOICES):
        self.form = form
        self.space, self.narrow = form.space, form.narrow

    opening = staticmethod(as_opened)
    """Players whose answers become goals are asked as if they spoke first."""

    @property
    def inverse(self) -> Inverse:
        """See `scml_gym.game.inverses.Invertible`; of first proposals.

        Raises:
            InputError: if these are no goals.
        """
        if self.form.encode is None:
            raise InputError("first proposals are no such goals; valid: goals, goals-by-day, goals-by-bucket", "action")
        return self.form.encode

    def meant(self, actions: np.ndarray) -> np.ndarray:
        """Which numbers of actions, ``(n, ...)``, say something, bool of that shape: not the price of what is not
        wanted."""
        told = np.ones(actions.shape, dtype=np.bool_)
        if self.form.encode is not None:
            flat, wanted = told.reshape(len(actions), -1), actions.reshape(len(actions), -1)[:, ::2]
            flat[:, 1::2] = wanted > self.space.low.flat[0] if isinstance(self.space, spaces.Box) else wanted > 0
        return told

    def reset(self) -> None:
        """Nothing is kept."""

    def end_day(self, view: StandardView) -> None:
        """Nothing is kept."""

    def decode(self, action: np.ndarray, view: StandardView) -> np.ndarray:
        """The goals, float64 ``(n_goals,)``, see `scml_gym.standard.planner.GOALS` and
        `scml_gym.standard.strategies.stock.TRAITS`.

        Raises:
            InputError: if the action has another shape, or a number that is outside the space or not finite.
        """
        if action.shape != self.space.shape or (self.form.dtype is np.int64 and action.dtype.kind not in "iu"):
            kind = "integers" if self.form.dtype is np.int64 else "numbers"
            raise InputError(f"action of shape {action.shape}, {action.dtype}; valid: {kind} of {self.space.shape}")
        numbers, goals = np.ascontiguousarray(action, dtype=self.form.dtype), np.zeros(self.form.n_goals)
        wrong = _compiled(self.form.decode)(numbers, view, goals)
        if wrong >= 0:
            raise InputError(f"action {numbers.flat[wrong]} for {self.form.chosen[wrong]}; valid: {self.form.valid}")
        return goals

    def mask(self, view: StandardView) -> np.ndarray:
        """The valid choices, head after head, bool, shape ``(n_choices,)``; for numbers in [-1, 1] for information
        only."""
        mask = np.empty(self.form.n_choices, dtype=np.bool_)
        _compiled(self.form.mask)(view, mask)
        return mask


class GoalActions:
    """Goals as an action codec whose answers are those of the executor; whatever is chosen, they are valid.

    Args:
        form: How goals are chosen; by default ``MultiDiscrete([8, 4] * 8)``.
    """

    def __init__(self, form: GoalForm = CHOICES):
        self.form = form
        self._goals = Goals(form)
        self._carry_out = EXECUTORS.get(form.executor).kernel
        self.space, self.narrow = form.space, form.narrow

    @property
    def kernel(self) -> ActionKernel:
        """As compiled code takes it."""
        return goals_kernel(self.form.decode, self.form.dtype, self.form.n_goals, self.form.mask, self._carry_out)

    def reset(self) -> None:
        """Nothing is kept."""

    def end_day(self, view: StandardView) -> None:
        """Nothing is kept."""

    def decode(self, action: np.ndarray, view: StandardView) -> ActionArray:
        """The executor's answers by the goals of an action; see `Goals.decode`."""
        actions = new_actions()
        _compiled(self._carry_out)(view, self._goals.decode(action, view), actions)
        return actions

    def mask(self, view: StandardView) -> np.ndarray:
        """See `Goals.mask`."""
        return self._goals.mask(view)


@functools.cache
def goals_kernel(decode_goals: Any, dtype: Any, n_goals: int, mask: Any, carry_out: Any) -> ActionKernel:
    """`GoalActions` as compiled code takes it, of the parts of a `GoalForm` and the executor's kernel."""

    @jittable
    def decode(action: np.ndarray, view: StandardView, memory: np.ndarray, actions: ActionArray) -> int:
        goals = scratch_floats(n_goals)
        wrong = decode_goals(action, view, goals)
        if wrong < 0:
            carry_out(view, goals, actions)
        return wrong

    return ActionKernel(ActionFunctions(decode, mask, remember_nothing), dtype, 0)
