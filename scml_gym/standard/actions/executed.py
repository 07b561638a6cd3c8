"""The goals of a day carried out: chosen when a factory is first asked on a day, answered by until the day is over."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from scml_gym.game.codecs import NotCompiledError
from scml_gym.game.kernels import ActionFunctions, ActionKernel, remember_nothing
from scml_gym.jit.compile import jittable
from scml_gym.standard.actions.goals import GoalForm, Goals
from scml_gym.standard.view import ActionArray, StandardView
from scml_gym.standard.worlds.compiled.negotiation import clear_actions


class ExecutedGoals(Goals):
    """The goals of a day as an action codec of compiled code, which answers by them until the day is over.

    Args:
        goals: How they are chosen.
        executor: Who carries them out.

    Raises:
        NotCompiledError: if the executor is not one of `scml_gym.standard.executors.EXECUTORS`.
    """

    def __init__(self, goals: Goals, executor: Any):
        super().__init__(goals.form)
        if "kernel" not in vars(type(executor)):
            raise NotCompiledError(
                f"executor: {type(executor).__name__} is for single environments (vectorization_mode='sync')",
                "executor",
            )
        self._executor = executor

    @property
    def kernel(self) -> ActionKernel:
        """As compiled code takes it."""
        return executed_kernel(self.form, self._executor.kernel)


def executed_kernel(form: GoalForm, carry_out: Callable[[StandardView, np.ndarray, ActionArray], None]) -> ActionKernel:
    """Goals that are carried out as compiled code takes it; the memory has them, and the day after the one they are
    for."""
    return _executed_kernel(form.decode, form.dtype, form.n_goals, form.mask, carry_out)


@functools.cache
def _executed_kernel(decode_goals: Any, dtype: Any, n_goals: int, mask: Any, carry_out: Any) -> ActionKernel:
    @jittable
    def decode(action: np.ndarray, view: StandardView, memory: np.ndarray, actions: ActionArray) -> int:
        wrong = decode_goals(action, view, memory[:n_goals])
        if wrong < 0:
            memory[n_goals] = view["day"] + 1
            carry_out(view, memory[:n_goals], actions)
        return wrong

    @jittable
    def go_on(view: StandardView, memory: np.ndarray, actions: ActionArray) -> bool:
        decided = memory[n_goals] == view["day"] + 1
        if decided:
            clear_actions(actions)
            carry_out(view, memory[:n_goals], actions)
        return decided

    return ActionKernel(ActionFunctions(decode, mask, remember_nothing, go_on), dtype, n_goals + 1)
