"""StandardDaily, many at once: the environment of that name as a native vector environment."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import named_arguments
from scml_gym.simulator.vector.concurrent import FactoryVectorEnv
from scml_gym.simulator.vector.env import check_batched
from scml_gym.standard.actions import DAILY_ACTIONS
from scml_gym.standard.actions.executed import ExecutedGoals
from scml_gym.standard.actions.safe import shielded
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.envs.vector.track import TRACK
from scml_gym.standard.executors import MakeExecutor, executor_for
from scml_gym.standard.observations import make_encoder
from scml_gym.standard.rewards import Reward, make_reward
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
