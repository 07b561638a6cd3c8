"""OneShotConcurrent, many at once: the environment of that name as a native vector environment."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import named_arguments, one_of
from scml_gym.oneshot.actions.factory import make_codec
from scml_gym.oneshot.envs.config import OneShotConfig
from scml_gym.oneshot.envs.vector.track import TRACK
from scml_gym.oneshot.observations.factory import make_encoder
from scml_gym.oneshot.rewards.factory import Reward, make_reward
from scml_gym.simulator.vector.concurrent import FactoryVectorEnv
from scml_gym.simulator.vector.env import check_batched
from scml_gym.vector.env import SINGLE


@named_arguments(OneShotConfig, without=["recording"], single=(*SINGLE, "recording"))
class OneShotConcurrentVectorEnv(FactoryVectorEnv):
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

    track = TRACK

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
        one_of("episode", episode, ("world", "day"))
        check_batched(num_envs, arguments)
        config = OneShotConfig(**arguments)
        super().__init__(
            num_envs,
            autoreset_mode,
            threads,
            config,
            make_encoder(observability, observation, history, config.timing),
            make_codec(action, config.timing),
            make_reward(reward),
            per_day=episode == "day",
        )
