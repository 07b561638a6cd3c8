"""Games as PettingZoo parallel environments."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle
from pettingzoo import ParallelEnv

from scml_gym.commitment.base import MarkovGame, whole_actions
from scml_gym.core.errors import InputError


class GameEnv(ParallelEnv, EzPickle):
    """A game of mixed interests in which all agents act at once and see the whole state.

    ## Description
    One row of a native batch (`scml_gym.commitment.base.MarkovGame`): the Prisoner's Dilemma, the Stag Hunt, the
    repeated purely conflicting game, public goods, any matrix, or the grid game. ``scml_gym.commitment.parallel_env``
    makes it from a name.

    ## Action Space
    ``Discrete(game.actions)`` for each agent; a mega-step game's actions are sequences of k actions.

    ## Observation Space
    ``Box(0, 1, (game.features,), float32)``, the same for all agents: the share of the horizon that is left, and the
    game's state (see the game).

    ## Rewards
    The game's.

    ## Starting State
    The game has one starting state. Nothing is drawn, so the seed changes nothing.

    ## Episode End
    All agents terminate after ``game.horizon`` steps; ``truncations`` are always False.

    ## Arguments
    ``game``.

    ## Version History
    v0: the first version. A v1 is made when the same seed and actions no longer give the same observations, rewards and
    ends. New arguments whose defaults keep them, further keys of the infos, and changes of speed make no new version.

    ## Example
    ```python
    from scml_gym.commitment import parallel_env

    env = parallel_env("purely-conflicting", horizon=4)
    observations, infos = env.reset(seed=7)
    while env.agents:
        actions = {agent: env.action_space(agent).sample() for agent in env.agents}
        observations, rewards, terminations, truncations, infos = env.step(actions)
    ```

    Raises:
        InputError: in ``step``, for an action that the space does not have, or where no agent is left.
    """

    metadata = {"name": "game_v0", "render_modes": [], "is_parallelizable": True}

    def __init__(self, game: MarkovGame) -> None:
        EzPickle.__init__(self, game)
        self.game = game
        self.horizon = game.horizon
        self.render_mode = None
        self.possible_agents = [f"agent_{k}" for k in range(game.agents)]
        self.agents: list[str] = []
        self.observation_spaces = {
            agent: spaces.Box(0.0, 1.0, (game.features,), np.float32) for agent in self.possible_agents
        }
        self.action_spaces = {agent: spaces.Discrete(game.actions) for agent in self.possible_agents}
        self.state_row = game.initial(())
        self._steps = 0

    def observation_space(self, agent: str) -> spaces.Space:
        """Of one agent."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space:
        """Of one agent."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """Start an episode; see the class."""
        self.agents = list(self.possible_agents)
        self._steps = 0
        self.state_row = self.game.initial(())
        return self._observations(), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """All act."""
        chosen = whole_actions(self.agents, actions)
        for agent, action in chosen.items():
            if not 0 <= action < self.game.actions:
                raise InputError(f"{agent}: {action}; valid: 0 to {self.game.actions - 1}")
        self.state_row, rewards = self.game.step(self.state_row, np.array(list(chosen.values())))
        self._steps += 1
        over = self._steps >= self.game.horizon
        observations, agents = self._observations(), self.agents
        if over:
            self.agents = []
        return (
            observations,
            {agent: float(reward) for agent, reward in zip(agents, rewards, strict=True)},
            dict.fromkeys(agents, over),
            dict.fromkeys(agents, False),
            {agent: {} for agent in agents},
        )

    def _observations(self) -> dict[str, np.ndarray]:
        seen = self.game.observe(self.state_row).astype(np.float32)
        return {agent: seen.copy() for agent in self.agents}
