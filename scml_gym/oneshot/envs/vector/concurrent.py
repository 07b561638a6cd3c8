"""OneShotConcurrent, many at once: the environment of that name as a native vector environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import named_arguments
from scml_gym.core.errors import InputError
from scml_gym.oneshot.actions.factory import ACTIONS
from scml_gym.oneshot.envs.config import OneShotConfig
from scml_gym.oneshot.envs.vector.base import BatchedEnv, batched_config, make_source
from scml_gym.oneshot.envs.vector.batch import allocate
from scml_gym.oneshot.envs.vector.concurrent_step import make_program
from scml_gym.oneshot.envs.vector.kernels import encoder_kernel, form_kernel, reward_kernel
from scml_gym.oneshot.observations.factory import JointEncoder, make_encoder
from scml_gym.oneshot.rewards.factory import Reward, make_reward
from scml_gym.oneshot.view import new_view
from scml_gym.oneshot.worlds.compiled.player_table import make_player_table
from scml_gym.vector.env import SINGLE
from scml_gym.vector.jobs import SharedProgram


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
            no strategy, the backend ``"reference"``, ``strict``, or an action form, observation or reward of one's own.
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
        **setting: Any,
    ):
        if episode not in ("world", "day"):
            raise InputError(f"episode={episode!r}; valid: world, day", "episode")
        shared = batched_config(num_envs, setting)
        self._encoder = make_encoder(observability, observation, history)
        form = ACTIONS.get(action, "action")()
        self.single_observation_space, self.single_action_space = self._encoder.space, form.space
        self._form, self._reward, self._per_day = form, make_reward(reward), episode == "day"
        _, dtype, memory_size = form_kernel(form)
        _, frames = encoder_kernel(self._encoder)
        player_table, paid = make_player_table(shared.makers), reward_kernel(self._reward)
        source, days = make_source(shared, player_table, num_envs)
        super().__init__(
            num_envs,
            autoreset_mode,
            threads,
            shared,
            source,
            allocate(num_envs, days, shared.timing == "moves", player_table, memory_size, frames, paid.dtype),
            player_table,
            (),
            len(form.mask(new_view())),
            len(self._encoder.slots),
            dtype,
            goes_on=self._per_day,
            always_asked=self._per_day,
        )

    def _make_program(self) -> SharedProgram:
        functions, encode = form_kernel(self._form)[0], encoder_kernel(self._encoder)[0]
        return make_program(functions, encode, self._encoder.full, reward_kernel(self._reward), self._per_day)

    def _shape(self, observations: np.ndarray) -> Any:
        if isinstance(self._encoder, JointEncoder):
            return self._encoder.blocks(observations)
        return super()._shape(observations)
