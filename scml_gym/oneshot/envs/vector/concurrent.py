"""OneShotConcurrent, many at once: the environment of that name as a native vector environment."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import named_arguments
from scml_gym.core.errors import InputError
from scml_gym.oneshot.actions.factory import ACTIONS
from scml_gym.oneshot.envs.config import OneShotConfig
from scml_gym.oneshot.envs.vector.base import BatchedEnv, BatchPlan, batched_config, make_source
from scml_gym.oneshot.envs.vector.batch import allocate
from scml_gym.oneshot.envs.vector.concurrent_step import compile_step, new_learners
from scml_gym.oneshot.envs.vector.kernels import action_kernel, encoder_kernel, reward_kernel
from scml_gym.oneshot.observations.factory import JointEncoder, make_encoder
from scml_gym.oneshot.rewards.factory import Reward, make_reward
from scml_gym.oneshot.strategies.base import ONESHOT_INTERFACE
from scml_gym.oneshot.view import new_view
from scml_gym.simulator.compiled.player_table import make_player_table
from scml_gym.vector.env import SINGLE
from scml_gym.vector.jobs import BatchStep


@named_arguments(OneShotConfig, single=SINGLE)
class OneShotConcurrentVectorEnv(BatchedEnv):
    """`scml_gym.oneshot.envs.concurrent.OneShotConcurrentEnv`, many at once, in compiled code.

    Row ``i`` of a batch that was reset with ``seed`` is the single environment reset with ``seed + i``, to the last bit
    of its observations, masks and rewards, and its later episodes are those of that environment's unseeded ``reset()``,
    whatever the number of rows and of threads. Masks are one array, ``infos["action_mask"]``, bool, shape
    ``(num_envs, choices)``.

    Args:
        num_envs: Rows.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`.
        threads: Threads that share the rows.
        observability: As the single environment's, like all that follow.

    Example:
        >>> import gymnasium, scml_gym
        >>> envs = gymnasium.make_vec("scml_gym/OneShotConcurrent-v0", num_envs=4, days=3)
        >>> observations, infos = envs.reset(seed=7)
        >>> observations.shape, infos["action_mask"].shape
        ((4, 95), (4, 176))

    Raises:
        InputError: for a value that the single environment refuses; for what cannot be compiled: an opponent that is
            no strategy, the backend ``"reference"``, ``strict``, or an action, observation or reward of one's own.
    """

    def __init__(
        self,
        num_envs: int,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 1,
        observability: str = "partial",
        observation: str = "flat",
        history: int = 0,
        action: str = "choice",
        reward: str | Reward = "daily-profit",
        episode: str = "world",
        **arguments: Any,
    ):
        if episode not in ("world", "day"):
            raise InputError(f"episode={episode!r}; valid: world, day", "episode")
        config, per_day = batched_config(num_envs, arguments), episode == "day"
        self._encoder, codec, paid = (
            make_encoder(observability, observation, history),
            ACTIONS.get(action, "action")(),
            make_reward(reward),
        )
        self.single_observation_space, self.single_action_space = self._encoder.space, codec.space
        _, dtype, memory_size = action_kernel(codec)
        player_table = make_player_table(config.makers, ONESHOT_INTERFACE)
        source, days = make_source(config, player_table, num_envs)
        plan = BatchPlan(
            config,
            source,
            allocate(num_envs, days, config.timing == "moves", player_table),
            player_table,
            new_learners(
                num_envs,
                memory_size,
                encoder_kernel(self._encoder).history,
                reward_kernel(paid).dtype,
                self._encoder.full,
            ),
            partial(step_of, codec, self._encoder, paid, per_day),
            n_choices=len(codec.mask(new_view())),
            size=len(self._encoder.features),
            action_dtype=dtype,
            goes_on=per_day,
            always_asked=per_day,
        )
        super().__init__(num_envs, autoreset_mode, threads, plan)

    def _shape(self, observations: np.ndarray) -> Any:
        if isinstance(self._encoder, JointEncoder):
            return self._encoder.blocks(observations)
        return super()._shape(observations)


def step_of(codec: Any, encoder: Any, reward: Reward, per_day: bool) -> BatchStep:
    """The compiled step of a batch that plays by these."""
    encode, _ = encoder_kernel(encoder)
    return compile_step(action_kernel(codec).functions, encode, encoder.full, reward_kernel(reward), per_day)
