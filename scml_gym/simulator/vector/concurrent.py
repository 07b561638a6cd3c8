"""Environments in which one joint action answers all partners of a factory, many at once, for any track."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from scml_gym.game.codecs import ActionCodec, Reward, notes_of
from scml_gym.game.encoders import BlockEncoder, Encoder
from scml_gym.game.kernels import action_kernel, encoder_kernel, reward_kernel
from scml_gym.game.world_config import WorldConfig
from scml_gym.simulator.compiled.player_table import make_player_table
from scml_gym.simulator.vector.batch import allocate, make_source
from scml_gym.simulator.vector.env import BatchedEnv, BatchPlan
from scml_gym.simulator.vector.step import compile_step, new_learners
from scml_gym.vector.jobs import BatchStep


class Agents(NamedTuple):
    """Agents that play one factory together, a part of the codecs' arrays each; in order.

    Attributes:
        names: Of the agents.
        observation_space: Of each of them, one part of the encoder's numbers.
        action_space: Likewise, one part of the action codec's.
    """

    names: tuple[str, ...]
    observation_space: spaces.Space
    action_space: spaces.Space


class FactoryVectorEnv(BatchedEnv):
    """Worlds in each of which a learner plays one factory, by an encoder, an action codec and a reward.

    Args:
        num_envs: Worlds; a row each, or one for each agent.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`.
        threads: Threads that share the rows.
        config: Which worlds are played.
        encoder: What the learner is shown, like the next two of a single environment.
        codec: What it may answer.
        reward: What it is paid.
        per_day: Whether an episode is a day instead of a world.
        agents: Who play the factory, where it is not one learner.

    Raises:
        InputError: if a number is below 1, the autoreset mode is unknown, or something cannot be compiled.
    """

    pays_for_mates = True

    def __init__(
        self,
        num_envs: int,
        autoreset_mode: AutoresetMode | str,
        threads: int,
        config: WorldConfig,
        encoder: Encoder,
        codec: ActionCodec,
        reward: Reward,
        per_day: bool = False,
        agents: Agents | None = None,
    ):
        agents = agents or Agents(("learner",), encoder.space, codec.space)
        self._encoder, self._codec, self._reward, self._per_day = encoder, codec, reward, per_day
        self.single_observation_space, self.single_action_space = agents.observation_space, agents.action_space
        _, dtype, memory_size = action_kernel(codec)
        history, paid = encoder_kernel(encoder).history, reward_kernel(reward).dtype
        player_table = make_player_table(config.makers, self.track.interface)
        source, days = make_source(self.track, config, player_table, num_envs)
        layout = self.track.layout
        learners = new_learners(layout, num_envs, memory_size, history, paid, encoder.full)
        plan = BatchPlan(
            config,
            source,
            allocate(layout, num_envs, days, self.track.settings(config), player_table),
            player_table,
            learners,
            n_choices=len(codec.mask(np.zeros(1, dtype=layout.view)[0])),
            size=len(encoder.features),
            action_dtype=dtype,
            action_shape=codec.space.shape or (),
            goes_on=per_day,
            always_asked=per_day,
            num_agents=len(agents.names),
            memory=learners.memory,
            notes=notes_of(codec),
        )
        super().__init__(num_envs, autoreset_mode, threads, plan)

    @property
    def codec(self) -> ActionCodec:
        """What the learner may answer."""
        return self._codec

    def _make_step(self) -> BatchStep:
        """See `BatchedEnv`."""
        encoder, functions = encoder_kernel(self._encoder), action_kernel(self._codec).functions
        paid = reward_kernel(self._reward)
        full, per_day, mates = self._encoder.full, self._per_day, self._has_mates
        return compile_step(self.track.functions, functions, encoder, full, paid, per_day, mates)

    def _shape(self, observations: np.ndarray) -> Any:
        if isinstance(self._encoder, BlockEncoder):
            return self._encoder.blocks(observations)
        return super()._shape(observations)
