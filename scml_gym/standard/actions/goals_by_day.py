"""Goals for each delivery day by itself, and by the buckets of days of the HRL-XF manager.

As `scml_gym.standard.actions.goals`, with other groups of days, and with quantities as shares of what the lines can
make on the days of a group. A goal is what should be in the books of these days by the evening, so what is sold and
bought for which day can be planned. Executors are ``planner-by-day`` and ``planner-by-bucket``.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from gymnasium import spaces

from scml_gym.game.ranges import unit
from scml_gym.jit.arrays import scratch_floats
from scml_gym.jit.compile import jittable
from scml_gym.standard.actions.goals import CHOICES, LIMITS, NUMBERS, GoalForm, mask_groups, narrow_groups
from scml_gym.standard.actions.proposals import add_proposals, in_books, nearest
from scml_gym.standard.allocation import EACH_DAY
from scml_gym.standard.planner import BUCKET_STARTS, BUCKETS, SIDES
from scml_gym.standard.view import BOOK_DAYS, ActionArray, StandardView

SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5)
"""Items of a group of days, as multiples of what the lines can make on these days; as many as
`scml_gym.standard.actions.goals.QUANTITIES`. Numbers of a ``Box`` go up to the last one."""

_SHARES, _LIMITS = np.array(SHARES), np.array(LIMITS)


@jittable
def capacity_of(view: StandardView, starts: np.ndarray, i: int) -> int:
    """Items that the lines can make on the days of the group that goal ``i`` is of."""
    group = i // 2 % (len(starts) - 1)
    return view["lines"] * (starts[group + 1] - starts[group])


@jittable
def decode_shares(action: np.ndarray, view: StandardView, starts: np.ndarray, goals: np.ndarray) -> int:
    """The goals of choices, int64 ``(n,)``, written into ``goals``, float64 ``(n,)``.

    Returns:
        The first number that is outside the space, else -1.
    """
    for i in range(len(goals)):
        values = _SHARES if i % 2 == 0 else _LIMITS
        if not 0 <= action[i] < len(values):
            return i
        goals[i] = values[action[i]] * (capacity_of(view, starts, i) if i % 2 == 0 else 1.0)
    return -1


@jittable
def encode_shares(actions: ActionArray, view: StandardView, starts: np.ndarray, out: np.ndarray) -> None:
    """The nearest choices to a player's first proposals: for each side and group of days what is in the books and what
    it proposes, and the worst price; nothing where it proposes nothing."""
    n_groups, proposed = len(starts) - 1, scratch_floats(2)
    for slot in range(2 * n_groups):
        group = slot % n_groups
        add_proposals(actions, view, slot // n_groups, starts[group], starts[group + 1], proposed)
        out[2 * slot] = out[2 * slot + 1] = 0
        if proposed[0] > 0.0:
            items = proposed[0] + in_books(view, slot // n_groups, starts[group], starts[group + 1])
            out[2 * slot] = max(1, nearest(_SHARES, items / capacity_of(view, starts, 2 * slot)))
            out[2 * slot + 1] = nearest(_LIMITS, proposed[1])


@jittable
def decode_days(action: np.ndarray, view: StandardView, goals: np.ndarray) -> int:
    """`decode_shares` of each day by itself."""
    return decode_shares(action, view, EACH_DAY, goals)


@jittable
def encode_days(actions: ActionArray, view: StandardView, out: np.ndarray) -> None:
    """`encode_shares` of each day by itself."""
    encode_shares(actions, view, EACH_DAY, out)


@jittable
def day_mask(view: StandardView, out: np.ndarray) -> None:
    """`mask_groups` of each day by itself, bool ``(264,)``."""
    mask_groups(view, EACH_DAY, out)


@jittable
def narrow_days(view: StandardView, accepts: np.ndarray, limits: np.ndarray, out: np.ndarray) -> None:
    """`narrow_groups` of the same."""
    narrow_groups(view, EACH_DAY, limits, out)


@jittable
def decode_day_numbers(action: np.ndarray, view: StandardView, goals: np.ndarray) -> int:
    """The goals of numbers in [-1, 1], float64 ``(2, 11, 2)``, written into ``goals``, float64 ``(44,)``.

    Returns:
        The first number that is not finite, else -1.
    """
    for i in range(len(goals)):
        number = action[i // (2 * BOOK_DAYS), i // 2 % BOOK_DAYS, i % 2]
        if not math.isfinite(number):
            return i
        goals[i] = unit(number) * (SHARES[-1] * view["lines"] if i % 2 == 0 else 1.0)
    return -1


@jittable
def encode_day_numbers(actions: ActionArray, view: StandardView, out: np.ndarray) -> None:
    """The numbers in [-1, 1] of a player's first proposals, float ``(44,)``; see `encode_shares`."""
    proposed = scratch_floats(2)
    for slot in range(2 * BOOK_DAYS):
        side, ahead = slot // BOOK_DAYS, slot % BOOK_DAYS
        add_proposals(actions, view, side, ahead, ahead + 1, proposed)
        out[2 * slot] = out[2 * slot + 1] = -1.0
        if proposed[0] > 0.0:
            items = proposed[0] + in_books(view, side, ahead, ahead + 1)
            out[2 * slot] = min(2.0 * items / (SHARES[-1] * view["lines"]) - 1.0, 1.0)
            out[2 * slot + 1] = 2.0 * proposed[1] - 1.0


@jittable
def decode_buckets(action: np.ndarray, view: StandardView, goals: np.ndarray) -> int:
    """`decode_shares` of `scml_gym.standard.planner.BUCKETS`."""
    return decode_shares(action, view, BUCKET_STARTS, goals)


@jittable
def encode_buckets(actions: ActionArray, view: StandardView, out: np.ndarray) -> None:
    """`encode_shares` of the same."""
    encode_shares(actions, view, BUCKET_STARTS, out)


@jittable
def bucket_mask(view: StandardView, out: np.ndarray) -> None:
    """`mask_groups` of `scml_gym.standard.planner.BUCKETS`, bool ``(72,)``."""
    mask_groups(view, BUCKET_STARTS, out)


@jittable
def narrow_buckets(view: StandardView, accepts: np.ndarray, limits: np.ndarray, out: np.ndarray) -> None:
    """`narrow_groups` of the same."""
    narrow_groups(view, BUCKET_STARTS, limits, out)


def goal_names(groups: Collection[str]) -> tuple[str, ...]:
    """Names of the goals by side and group: a quantity and its worst price each."""
    return tuple(f"{side}_{group}{what}" for side in SIDES for group in groups for what in ("", "_limit"))


def _choices(names: tuple[str, ...]) -> GoalForm:
    """Goals of these names as choices."""
    space = spaces.MultiDiscrete([len(SHARES), len(LIMITS)] * (len(names) // 2))
    n_choices = int(space.nvec.sum())
    return CHOICES._replace(space=space, chosen=names, n_goals=len(names), n_choices=n_choices)


DAY_CHOICES = _choices(goal_names([f"in_{ahead}" for ahead in range(BOOK_DAYS)]))._replace(
    decode=decode_days, mask=day_mask, narrow=narrow_days, executor="planner-by-day", encode=encode_days
)
"""For buying, then for selling, for each day from today to ten days from today: a number of `SHARES` and one of
`scml_gym.standard.actions.goals.LIMITS`; ``MultiDiscrete([8, 4] * 22)``."""

DAY_NUMBERS = DAY_CHOICES._replace(
    space=spaces.Box(-1.0, 1.0, (len(SIDES), BOOK_DAYS, 2), dtype=np.float32),
    decode=decode_day_numbers,
    dtype=NUMBERS.dtype,
    valid=NUMBERS.valid,
    encode=encode_day_numbers,
)
"""The same as numbers in [-1, 1], by side and day; ``Box(-1, 1, (2, 11, 2))``."""

BUCKET_CHOICES = _choices(goal_names(BUCKETS))._replace(
    decode=decode_buckets, mask=bucket_mask, narrow=narrow_buckets, executor="planner-by-bucket", encode=encode_buckets
)
"""As `DAY_CHOICES` for 0 to 2, 3 to 7 and 8 to 10 days from today; ``MultiDiscrete([8, 4] * 6)``."""
