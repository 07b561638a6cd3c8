"""Goals for each delivery day by itself, and by the buckets of days of the HRL-XF manager.

As `scml_gym.standard.actions.goals`, with other groups of days: a goal is what should be in the books of one day by the
evening, so how much is made on which day can be planned. Their executors are ``planner-by-day`` and
``planner-by-bucket``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from gymnasium import spaces

from scml_gym.jit.compile import jittable
from scml_gym.standard.actions.goals import (
    CHOICES,
    LIMITS,
    NUMBERS,
    QUANTITIES,
    GoalForm,
    mask_groups,
    narrow_groups,
)
from scml_gym.standard.allocation import EACH_DAY
from scml_gym.standard.planner import BUCKET_STARTS, BUCKETS, SIDES
from scml_gym.standard.view import BOOK_DAYS, StandardView


@jittable
def day_mask(view: StandardView, out: np.ndarray) -> None:
    """`mask_groups` of each day by itself, bool ``(264,)``."""
    mask_groups(view, EACH_DAY, out)


@jittable
def narrow_days(view: StandardView, accepts: np.ndarray, limits: np.ndarray, out: np.ndarray) -> None:
    """`narrow_groups` of the same."""
    narrow_groups(view, EACH_DAY, limits, out)


@jittable
def bucket_mask(view: StandardView, out: np.ndarray) -> None:
    """`mask_groups` of `scml_gym.standard.planner.BUCKETS`, bool ``(72,)``."""
    mask_groups(view, BUCKET_STARTS, out)


@jittable
def narrow_buckets(view: StandardView, accepts: np.ndarray, limits: np.ndarray, out: np.ndarray) -> None:
    """`narrow_groups` of the same."""
    narrow_groups(view, BUCKET_STARTS, limits, out)


def goal_names(groups: Iterable[str]) -> tuple[str, ...]:
    """Names of the goals by side and group: a quantity and its worst price each."""
    return tuple(f"{side}_{group}{what}" for side in SIDES for group in groups for what in ("", "_limit"))


def _choices(names: tuple[str, ...]) -> GoalForm:
    """Goals of these names as choices."""
    space = spaces.MultiDiscrete([len(QUANTITIES), len(LIMITS)] * (len(names) // 2))
    n_choices = int(space.nvec.sum())
    return CHOICES._replace(space=space, chosen=names, n_goals=len(names), n_choices=n_choices)


DAYS = [f"in_{ahead}" for ahead in range(BOOK_DAYS)]

DAY_CHOICES = _choices(goal_names(DAYS))._replace(mask=day_mask, narrow=narrow_days, executor="planner-by-day")
"""For buying, then for selling, for each day from today to ten days from today: a number of
`scml_gym.standard.actions.goals.QUANTITIES` and one of ``LIMITS``; ``MultiDiscrete([8, 4] * 22)``."""

BUCKET_CHOICES = _choices(goal_names(BUCKETS))._replace(
    mask=bucket_mask, narrow=narrow_buckets, executor="planner-by-bucket"
)
"""The same for 0 to 2, 3 to 7 and 8 to 10 days from today; ``MultiDiscrete([8, 4] * 6)``."""

DAY_NUMBERS = DAY_CHOICES._replace(
    space=spaces.Box(-1.0, 1.0, (len(SIDES), BOOK_DAYS, 2), dtype=np.float32),
    decode=NUMBERS.decode,
    dtype=NUMBERS.dtype,
    valid=NUMBERS.valid,
)
"""`DAY_CHOICES` as numbers in [-1, 1], by side and day; ``Box(-1, 1, (2, 11, 2))``."""
