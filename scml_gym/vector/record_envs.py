"""A game whose episode is one record, as a Gymnasium environment for one learner and as a PettingZoo environment."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from pettingzoo import ParallelEnv

from scml_gym.core.copying import Independent
from scml_gym.core.errors import InputError, require_reset
from scml_gym.core.masks import sampling_mask
from scml_gym.vector.env import read_actions
from scml_gym.vector.records import RecordBatch, RecordGame, RecordOutputs, require_one_player
from scml_gym.vector.seeds import SeedStreams


class _Episodes:
    """One row of a game, and the seeds of its episodes.

    Args:
        game: What is played.
    """

    def __init__(self, game: RecordGame):
        self.batch, self.seeds, self.running = RecordBatch(game, 1), SeedStreams([None]), False
        self.outputs: RecordOutputs | None = None

    def restart(self, seed: int | None) -> RecordOutputs:
        """Start the next episode; a seed starts the stream of seeds anew."""
        if seed is not None:
            self.seeds.renew(0, seed)
        self.outputs, self.running = self.batch.new_outputs(), True
        self.batch.restart(np.zeros(1, dtype=np.int64), self.seeds, self.outputs)
        return self.outputs

    def act(self, actions: Any) -> RecordOutputs:
        """Answer for all players.

        Raises:
            gymnasium.error.ResetNeeded: if no episode is running.
            InputError: if an action is outside the action space.
        """
        if not self.running:
            raise gymnasium.error.ResetNeeded("call reset before step")
        space, players = self.batch.game.action_space, len(self.batch.game.players)
        given = read_actions(actions, space.dtype, (players, *(space.shape or ())))
        outputs = self.batch.new_outputs()
        self.batch.act(given, np.zeros(1, dtype=np.bool_), self.seeds, outputs)
        self.outputs, self.running = outputs, not outputs.done[0]
        return outputs

    def observation(self, player: int) -> np.ndarray:
        """What a player sees, in the shape of the observation space."""
        assert self.outputs is not None
        return self.outputs.observations[player].reshape(self.batch.game.observation_space.shape)

    def mask(self, player: int) -> np.ndarray:
        """A player's valid choices, bool."""
        assert self.outputs is not None
        return self.outputs.masks[player]

    def information(self, player: int) -> dict[str, Any]:
        """A player's mask, and where the episode has ended its summary."""
        mask = sampling_mask(self.mask(player), self.batch.game.action_space)
        information: dict[str, Any] = {"action_mask": mask}
        if not self.running:
            summary = self.batch.summary(np.ones(1, dtype=np.bool_))
            information |= {name: value[0].item() for name, value in summary.items()}
        return information


class RecordEnv(Independent, gymnasium.Env[np.ndarray, Any]):
    """A game for one learner; ``gymnasium.make`` and Stable-Baselines3 take it as any other environment.

    ``info["action_mask"]`` holds the valid choices as ``action_space.sample(mask=...)`` takes them; the information of
    an episode's last step has the game's summary too. A copy goes on from where the original stands, alike and alone.

    Args:
        game: What is played, for one player.
        render_mode: None.

    Raises:
        InputError: for a game of more players, a render mode, or a strategy that does not compile.
    """

    metadata = {"render_modes": []}

    def __init__(self, game: RecordGame, render_mode: None = None):
        require_one_player(game)
        if render_mode is not None:
            raise InputError(f"render_mode={render_mode!r}; valid: None")
        self.game, self.render_mode = game, render_mode
        self.observation_space, self.action_space = game.observation_space, game.action_space
        self._episodes = _Episodes(game)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start the next episode."""
        super().reset(seed=seed)
        self._episodes.restart(seed)
        return self._episodes.observation(0), self._episodes.information(0)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Answer, and go on to the next decision or to the end."""
        outputs = self._episodes.act([action])
        done = bool(outputs.done[0])
        return self._episodes.observation(0), float(outputs.rewards[0]), done, False, self._episodes.information(0)

    def action_masks(self) -> np.ndarray:
        """The valid choices, bool, as sb3-contrib takes them.

        Raises:
            InputError: before ``reset``.
        """
        require_reset(self._episodes.outputs is not None, "action_masks")
        return self._episodes.mask(0)


class RecordParallelEnv(Independent, ParallelEnv):
    """A game for all its players, as a PettingZoo parallel environment; episodes end for all of them at once.

    The information of each agent is that of `RecordEnv`.

    Args:
        game: What is played; its players are the agents.

    Raises:
        InputError: if a strategy does not compile.
    """

    def __init__(self, game: RecordGame):
        self.metadata = {"name": game.name, "render_modes": [], "is_parallelizable": True}
        self.render_mode = None
        self.game, self.possible_agents, self.agents = game, list(game.players), list[str]()
        self.observation_spaces = {agent: copy.deepcopy(game.observation_space) for agent in game.players}
        self.action_spaces = {agent: copy.deepcopy(game.action_space) for agent in game.players}
        self._episodes = _Episodes(game)

    def observation_space(self, agent: str) -> Any:
        """Of an agent: the same object each time."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """Of an agent: the same object each time."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        """Start the next episode."""
        self._episodes.restart(seed)
        self.agents = list(self.possible_agents)
        return self._of_all(self._episodes.observation), self._of_all(self._episodes.information)

    def step(self, actions: Mapping[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
        """Answer for all agents, and go on to their next decisions or to the end.

        Raises:
            InputError: if an agent's action is missing, or outside the action space.
        """
        missing = [agent for agent in self.agents if agent not in actions]
        if missing:
            raise InputError(f"no action for agent {missing[0]!r}")
        outputs = self._episodes.act([actions[agent] for agent in self.agents])
        rewards, done = self._of_all(lambda k: float(outputs.rewards[k])), bool(outputs.done[0])
        ends, never = self._of_all(lambda k: done), self._of_all(lambda k: False)
        result = (
            self._of_all(self._episodes.observation),
            rewards,
            ends,
            never,
            self._of_all(self._episodes.information),
        )
        if done:
            self.agents = []
        return result

    def close(self) -> None:
        """Nothing to end."""

    def _of_all(self, value: Any) -> dict[str, Any]:
        return {agent: value(player) for player, agent in enumerate(self.possible_agents)}
