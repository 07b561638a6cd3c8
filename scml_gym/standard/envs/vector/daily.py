"""StandardDaily, many at once: the environment of that name as a native vector environment."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import named_arguments
from scml_gym.game.codecs import NotCompiledError
from scml_gym.game.kernels import ActionFunctions, ActionKernel, remember_nothing
from scml_gym.jit.compile import jittable
from scml_gym.simulator.vector.concurrent import FactoryVectorEnv
from scml_gym.simulator.vector.env import check_batched
from scml_gym.standard.actions import DAILY_ACTIONS
from scml_gym.standard.actions.goals import GoalForm, Goals
from scml_gym.standard.actions.safe import shielded
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.envs.vector.track import TRACK
from scml_gym.standard.executors import MakeExecutor, executor_for
from scml_gym.standard.observations import make_encoder
from scml_gym.standard.rewards import Reward, make_reward
from scml_gym.standard.view import ActionArray, StandardView
from scml_gym.standard.worlds.compiled.negotiation import clear_actions
from scml_gym.vector.env import SINGLE


@named_arguments(StandardConfig, without=["recording"], single=(*SINGLE, "recording"))
class StandardDailyVectorEnv(FactoryVectorEnv):
    """`scml_gym.standard.envs.daily.StandardDailyEnv`, many at once, in compiled code.

    Row ``i`` of a batch that was reset with ``seed`` is the single environment reset with ``seed + i``, to the last bit
    of its observations, masks and rewards, and its later episodes are those of that environment's unseeded ``reset()``,
    whatever the number of rows and of threads. Masks are one array, ``infos["action_mask"]``, bool, shape
    ``(num_envs, 96)`` for goals.

    Args:
        num_envs: Rows.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`.
        threads: Threads that share the rows.
        observability: As the single environment's, like all that follow.

    Example:
        >>> import gymnasium, scml_gym
        >>> envs = gymnasium.make_vec("scml_gym/StandardDaily-v0", num_envs=4, days=4)
        >>> observations, infos = envs.reset(seed=7)
        >>> observations.shape, infos["action_mask"].shape
        ((4, 326), (4, 96))

    Raises:
        InputError: for a value that the single environment refuses; for what cannot be compiled: an opponent that is
            no strategy, the backend ``"reference"``, or an action, observation, reward or executor of one's own.
    """

    track = TRACK

    def __init__(
        self,
        num_envs: int,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 1,
        observability: str = "partial",
        observation: str = "flat",
        history: int = 0,
        action: str = "goals",
        reward: str | Reward = "daily-profit",
        executor: str | MakeExecutor = "planner",
        **arguments: Any,
    ):
        check_batched(num_envs, arguments)
        config = StandardConfig(**arguments)
        chosen = DAILY_ACTIONS.get(action, "action")()
        goals = ExecutedGoals(chosen, executor_for(executor, chosen)())
        super().__init__(
            num_envs,
            autoreset_mode,
            threads,
            config,
            make_encoder(observability, observation, history),
            shielded(goals, config.shield, config.audit),
            make_reward(reward),
        )


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
