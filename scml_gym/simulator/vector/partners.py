"""Environments in which each partner of a factory has an agent, many at once, for any track."""

from __future__ import annotations

import numpy as np
from gymnasium.vector import AutoresetMode

from scml_gym.game.codecs import ActionCodec, Reward
from scml_gym.game.encoders import Encoder
from scml_gym.game.world_config import WorldConfig
from scml_gym.simulator.vector.concurrent import Agents, FactoryVectorEnv
from scml_gym.simulator.vector.rows import Outputs
from scml_gym.vector.env import Information

OFFERING = 2
"""The choice of a mask that is an offer, in all tracks: valid wherever an answer to the partner is due."""


class PartnersVectorEnv(FactoryVectorEnv):
    """Worlds in each of which one factory is played by an agent for each of its partners; each agent is a row.

    Args:
        num_worlds: Worlds.
        autoreset_mode: See `scml_gym.vector.env.RowVectorEnv`.
        threads: Threads that share the worlds.
        config: Which worlds are played.
        encoder: What all agents are shown, agent after agent.
        codec: What all may answer, likewise.
        reward: What the factory is paid, and so each of them.
        agents: Who they are.

    Attributes:
        possible_agents: Names of the agents of a world, in the order of its rows.

    Raises:
        InputError: if a number is below 1, the autoreset mode is unknown, or something cannot be compiled.
    """

    def __init__(
        self,
        num_worlds: int,
        autoreset_mode: AutoresetMode | str,
        threads: int,
        config: WorldConfig,
        encoder: Encoder,
        codec: ActionCodec,
        reward: Reward,
        agents: Agents,
    ):
        self.possible_agents = list(agents.names)
        super().__init__(num_worlds, autoreset_mode, threads, config, encoder, codec, reward, agents=agents)

    def _active(self, masks: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Which of some rows have something to answer; masks tell, unless a codec takes valid choices out of them."""
        if not self._plan.notes:
            return masks[:, OFFERING].copy()
        turns = self._batch.worlds["views"]["partners"]["my_turn"]
        due = turns[np.arange(self.num_worlds), self._batch.rows["factory"]] != 0
        return due.ravel() & rows

    def _wrong_row(self, place: int, outputs: Outputs) -> int:
        """See `BatchedEnv`; the codec says which partner's answer is wrong."""
        return place * self.num_agents + int(outputs.errors[place]) - 1

    def _information(self, outputs: Outputs, rows: np.ndarray) -> Information:
        """Masks of some rows, whether they have something to answer, and a summary of those whose world is over."""
        masks = self._masks(outputs)
        information: Information = {"action_mask": masks, "_action_mask": rows}
        information |= {"active": self._active(masks, rows), "_active": rows}
        self._tell(information, rows)
        self._summarise(outputs, information)
        return information
