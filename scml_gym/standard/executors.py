"""Executors: who carries out the goals of a day in all negotiations; by name in `EXECUTORS`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game.daily import Executor
from scml_gym.standard.planner import compiled_plan, plan
from scml_gym.standard.view import ActionArray, StandardView, new_actions

MakeExecutor = Callable[[], Executor]


class PlannerExecutor:
    """The planner carries the goals out; see `scml_gym.standard.planner.plan`."""

    kernel = staticmethod(plan)
    """``(view, goals, actions)``: as compiled code carries them out."""

    def begin(self, view: StandardView) -> None:
        """Nothing is remembered."""

    def act(self, view: StandardView, goals: np.ndarray) -> ActionArray:
        """The planner's answers."""
        actions = new_actions()
        compiled_plan(view, goals, actions)
        return actions

    def end_day(self, view: StandardView) -> None:
        """Nothing is remembered."""


EXECUTORS = Registry("executor")
EXECUTORS.register("planner", PlannerExecutor)


def executor_maker(executor: str | MakeExecutor) -> MakeExecutor:
    """What makes an executor for each world.

    Args:
        executor: A name in `EXECUTORS`, or a callable without arguments that makes a `scml_gym.game.daily.Executor`.

    Raises:
        InputError: if it is neither.
    """
    if isinstance(executor, str):
        return EXECUTORS.get(executor, "executor")
    if not callable(executor):
        raise InputError(f"executor={executor!r}; valid: {', '.join(EXECUTORS)}, or what makes an executor", "executor")
    return executor
