"""Executors: who carries out the goals of a day in all negotiations; by name in `EXECUTORS`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game.daily import Executor
from scml_gym.jit.compile import compiled
from scml_gym.standard.planner import plan, plan_buckets, plan_days
from scml_gym.standard.strategies.stock import carry_out
from scml_gym.standard.view import ActionArray, StandardView, new_actions

MakeExecutor = Callable[[], Executor]

Kernel = Callable[[StandardView, np.ndarray, ActionArray], None]
"""``(view, goals, actions)``: answers all partners by the goals of the day."""

_compiled = functools.cache(compiled)


class PlannerExecutor:
    """The planner carries the goals out; see `scml_gym.standard.planner.plan`."""

    kernel: Kernel = staticmethod(plan)
    """As compiled code carries them out."""
    carries_out = "planner"
    """Of the goals that it carries out, see `scml_gym.standard.actions.goals.GoalForm`."""

    def begin(self, view: StandardView) -> None:
        """Nothing is remembered."""

    def act(self, view: StandardView, goals: np.ndarray) -> ActionArray:
        """The answers."""
        actions = new_actions()
        _compiled(self.kernel)(view, goals, actions)
        return actions

    def end_day(self, view: StandardView) -> None:
        """Nothing is remembered."""


class DaysExecutor(PlannerExecutor):
    """The planner with goals for each delivery day by itself; see `scml_gym.standard.planner.plan_days`."""

    kernel: Kernel = staticmethod(plan_days)
    carries_out = "planner-by-day"


class BucketsExecutor(PlannerExecutor):
    """The planner with goals for buckets of days; see `scml_gym.standard.planner.plan_buckets`."""

    kernel: Kernel = staticmethod(plan_buckets)
    carries_out = "planner-by-bucket"


class StockExecutor(PlannerExecutor):
    """Plays by traits of the stock family; see `scml_gym.standard.strategies.stock.carry_out`."""

    kernel: Kernel = staticmethod(carry_out)
    carries_out = "stock"


EXECUTORS = Registry("executor")
EXECUTORS.register("planner", PlannerExecutor)
EXECUTORS.register("planner-by-day", DaysExecutor)
EXECUTORS.register("planner-by-bucket", BucketsExecutor)
EXECUTORS.register("stock", StockExecutor)


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


def executor_for(executor: str | MakeExecutor, codec: Any) -> MakeExecutor:
    """What makes an executor of what a codec chooses, for each world.

    Raises:
        InputError: as `executor_maker`, or if it is one of those for other goals.
    """
    make = executor_maker(executor)
    carried, chosen = getattr(make, "carries_out", None), getattr(getattr(codec, "form", None), "executor", None)
    if carried is not None and chosen is not None and carried != chosen:
        raise InputError(f"executor={executor!r} carries out other goals than these; valid: {chosen!r}", "executor")
    return make
