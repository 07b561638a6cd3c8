"""standard_factories_v0, many at once: the PettingZoo environment of that name as a native vector environment."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import AutoresetMode

from scml_gym.core.arguments import named_arguments
from scml_gym.game.parallel_env import factory_agents
from scml_gym.simulator.vector.env import check_batched
from scml_gym.simulator.vector.factories import FactoriesVectorEnv
from scml_gym.standard.actions import ACTIONS
from scml_gym.standard.actions.safe import shielded
from scml_gym.standard.envs.config import StandardConfig
from scml_gym.standard.envs.vector.track import TRACK
from scml_gym.standard.observations import make_encoder
from scml_gym.standard.rewards import Reward, make_reward
from scml_gym.vector.env import SINGLE


@named_arguments(StandardConfig, without=["level"], single=SINGLE)
class StandardFactoriesVectorEnv(FactoriesVectorEnv):
    """`scml_gym.standard.envs.standard_factories_v0.StandardFactoriesEnv`, many at once, in compiled code.

    Each of the ``m`` factories that are decided from outside is a row: those of world ``i`` are the rows from ``m * i``
    on, in the order of ``possible_agents``. World ``i`` of a batch that was reset with ``seed`` is the PettingZoo
    environment reset with ``seed + i``, to the last bit of its observations, masks and rewards, and its later episodes
    are those of that environment's unseeded ``reset()``, whatever the number of worlds and of threads.

    Observations, masks, rewards and ends are arrays of ``n = m * num_worlds`` rows. ``infos["action_mask"]`` is bool,
    shape ``(n, choices)``, and ``infos["active"]``, bool ``(n,)``, says which rows have something to answer (the
    ``my_turn`` of the PettingZoo environment): exactly one of each world, until its end. What is chosen in other rows
    changes nothing; they are paid what is settled meanwhile.

    Args:
        num_worlds: Worlds.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`; all rows of a world end together.
        threads: Threads that share the worlds.
        factories: As the PettingZoo environment's, like all that follow.

    Example:
        >>> from scml_gym.standard.envs import standard_factories_v0
        >>> envs = standard_factories_v0.vector_env(num_worlds=4, factories=(0, 4, 8), days=4)
        >>> observations, infos = envs.reset(seed=7)
        >>> observations.shape, infos["action_mask"].shape, infos["active"].shape
        ((12, 326), (12, 448), (12,))

    Raises:
        InputError: for a value that the PettingZoo environment refuses; for what cannot be compiled: an opponent that
            is no strategy, the backend ``"reference"``, ``strict``, or an action, observation or reward of one's own.
    """

    track = TRACK

    def __init__(
        self,
        num_worlds: int,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        threads: int = 1,
        factories: tuple[int, ...] = (0, 4, 8),
        factories_per_level: int = 4,
        n_levels: int = 3,
        observability: str = "partial",
        observation: str = "flat",
        history: int = 0,
        action: str = "choice",
        reward: str | Reward = "daily-profit",
        **arguments: Any,
    ):
        check_batched(num_worlds, arguments, "num_worlds", "parallel_env")
        config = StandardConfig(factories_per_level=factories_per_level, n_levels=n_levels, **arguments)
        super().__init__(
            num_worlds,
            autoreset_mode,
            threads,
            config,
            factory_agents(factories),
            make_encoder(observability, observation, history),
            shielded(ACTIONS.get(action, "action")(), config.shield, config.audit),
            make_reward(reward),
        )
