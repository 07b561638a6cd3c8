"""The manager of L2: what a learner of ``StandardDaily-v0`` decides once a day, as goals of the executor.

A manager's goal is what shall be in the books by the evening; the executor's is what shall be agreed on today, so what
the books have in the morning is taken from it. The worst prices that a manager sets reach nobody: the executor is not
shown any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scml_gym.agents.hrl_xf.observing import SIDES
from scml_gym.core.errors import InputError
from scml_gym.game.exported_policies import EncodedPolicy, encoder_arguments
from scml_gym.standard.actions import make_daily_codec
from scml_gym.standard.envs.daily import StandardDailyEnv
from scml_gym.standard.exported_policies import DAILY
from scml_gym.standard.observations import make_encoder
from scml_gym.standard.view import BOOK_DAYS, StandardView

BY_DAY = "planner-by-day"
"""Who carries out goals of the form that an executor of negotiations takes: a quantity for each side and day."""


class ManagerSeat:
    """A manager in one factory of one world.

    Args:
        learner: Decides.
        env: The ``env`` section that it was trained with.

    Raises:
        InputError: if its actions are no goals by side and day, or it sees what no factory does.
    """

    def __init__(self, learner: Any, env: Mapping[str, Any]):
        action = env.get("action", "goals")
        codec: Any = make_daily_codec(action) if env.get("id") == DAILY else None
        if codec is None or codec.form.executor != BY_DAY:
            found = f"action={action!r} of {env.get('id')!r}"
            raise InputError(f"a manager with {found}; valid: goals-by-day or goals-by-day-continuous of {DAILY!r}")
        encoder = make_encoder(**encoder_arguments(StandardDailyEnv, env))
        self._policy = EncodedPolicy(learner.predict, encoder, codec)

    def begin(self, view: StandardView) -> None:
        """A world starts."""
        self._policy.begin(view)

    def goals(self, view: StandardView) -> np.ndarray:
        """Items that shall be agreed on today, by side and days from today, float64 ``(2, BOOK_DAYS)``.

        Args:
            view: Of the day's first decision.
        """
        wanted = np.asarray(self._policy.decide(view)).reshape(SIDES, BOOK_DAYS, -1)[..., 0]
        return np.maximum(wanted - np.stack([view["supplies"], view["sales"]]), 0.0)

    def end_day(self, view: StandardView) -> None:
        """The day's negotiations are over."""
        self._policy.end_day(view)
