"""Environments in which several factories of a world are decided from outside, many at once, for any track."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.core.errors import InputError
from scml_gym.game.codecs import ActionCodec, Reward, notes_of
from scml_gym.game.encoders import BlockEncoder, Encoder
from scml_gym.game.kernels import action_kernel, encoder_kernel, reward_kernel
from scml_gym.game.world_config import WorldConfig
from scml_gym.simulator.compiled.player_table import make_player_table
from scml_gym.simulator.vector.batch import allocate, make_source
from scml_gym.simulator.vector.env import BatchedEnv, BatchPlan
from scml_gym.simulator.vector.factories_step import FactoryLearners, compile_factories_step
from scml_gym.simulator.vector.step import new_learners
from scml_gym.vector.env import Information
from scml_gym.vector.jobs import BatchStep


class FactoryOutputs(NamedTuple):
    """`scml_gym.simulator.vector.rows.Outputs`, and which factories have something to answer."""

    observations: np.ndarray  # (n, size)
    masks: np.ndarray  # bool (n, choices)
    rewards: np.ndarray  # float64 (m,)
    done: np.ndarray  # bool (n,)
    measures: np.ndarray  # float64 (n,)
    errors: np.ndarray  # int64 (m,)
    ended: np.ndarray  # bool (m,)
    summaries: Any  # the track's summaries (m,)
    notes: np.ndarray  # bool (2,)
    active: np.ndarray  # bool (m,)


class FactoriesVectorEnv(BatchedEnv):
    """Worlds in each of which learners play several factories; each factory is a row.

    Args:
        num_worlds: Worlds.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`.
        threads: Threads that share the worlds.
        config: Which worlds are played.
        factories: Name -> index of each factory, in the order of the rows.
        encoder: What each learner is shown, like the next two of a single environment.
        codec: What it may answer.
        reward: What it is paid.

    Attributes:
        possible_agents: Names of the factories, in the order of a world's rows.

    Raises:
        InputError: if a number is below 1, the autoreset mode is unknown, or something cannot be compiled; at a reset
            if a world lacks one of the factories.
    """

    def __init__(
        self,
        num_worlds: int,
        autoreset_mode: AutoresetMode | str,
        threads: int,
        config: WorldConfig,
        factories: Mapping[str, int],
        encoder: Encoder,
        codec: ActionCodec,
        reward: Reward,
    ):
        self._encoder, self._codec, self._reward = encoder, codec, reward
        self.possible_agents, m = list(factories), len(factories)
        self.single_observation_space, self.single_action_space = encoder.space, codec.space
        _, dtype, memory_size = action_kernel(codec)
        history, paid = encoder_kernel(encoder).history, reward_kernel(reward).dtype
        player_table = make_player_table(config.makers, self.track.interface)
        source, days = make_source(self.track, config, player_table, num_worlds)
        layout = self.track.layout
        each = new_learners(layout, num_worlds * m, memory_size, history, paid, encoder.full)
        plan = BatchPlan(
            config,
            source._replace(learners=0),  # those of the player table are replaced
            allocate(layout, num_worlds, days, self.track.settings(config), player_table),
            player_table,
            FactoryLearners(
                np.array(list(factories.values())), each._replace(hidden_state=each.hidden_state[:num_worlds].copy())
            ),
            n_choices=m * len(codec.mask(np.zeros(1, dtype=layout.view)[0])),
            size=m * len(encoder.features),
            action_dtype=dtype,
            action_shape=(m, *(codec.space.shape or ())),
            goes_on=False,
            always_asked=False,
            num_agents=m,
            n_factories=m,
            memory=each.memory,
            notes=notes_of(codec),
        )
        super().__init__(num_worlds, autoreset_mode, threads, plan)

    def _make_step(self) -> BatchStep:
        """See `BatchedEnv`."""
        encoder, functions = encoder_kernel(self._encoder), action_kernel(self._codec).functions
        paid = reward_kernel(self._reward)
        return compile_factories_step(self.track.functions, functions, encoder, self._encoder.full, paid)

    def _factory_of(self, world: int, agent: int) -> int:
        """See `BatchedEnv`."""
        return int(self._plan.learner.factories[agent])

    def _new_outputs(self) -> FactoryOutputs:
        return FactoryOutputs(**super()._new_outputs()._asdict(), active=np.zeros(self.num_envs, dtype=np.bool_))

    def _kept(self, outputs: Any) -> Any:
        return super()._kept(outputs)._replace(active=outputs.active.copy())

    def _keep(self, outputs: Any, before: Any) -> None:
        super()._keep(outputs, before)
        outputs.active[:] = before.active

    def _settle_resets(self, indices: np.ndarray, outputs: Any) -> None:
        wrong = outputs.errors.reshape(self.num_worlds, -1)[indices] > 0
        if wrong.any():
            i, a = divmod(int(np.argmax(wrong)), self.num_agents)
            n = int(self.track.functions.count(self._batch.worlds[indices[i]]["spec"]))
            factory = int(self._plan.learner.factories[a])
            raise InputError(f"world {indices[i]}: factory {factory}: this world has factories 0 to {n - 1}")

    def _shape(self, observations: np.ndarray) -> Any:
        if isinstance(self._encoder, BlockEncoder):
            return self._encoder.blocks(observations.reshape(-1, len(self._encoder.features)))
        return super()._shape(observations)

    def _information(self, outputs: Any, rows: np.ndarray) -> Information:
        """Masks of some rows, whether they have something to answer, and summaries of those whose world is over."""
        information: Information = {"action_mask": self._masks(outputs), "_action_mask": rows}
        information |= {"active": outputs.active, "_active": rows}
        self._tell(information, rows)
        self._summarise(outputs, information)
        return information
