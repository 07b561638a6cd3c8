"""Native batches as `scml_gym.agents.mappo.worlds.Worlds`: of factories and negotiations, and of games."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.agents.mappo.layout import Layout
from scml_gym.agents.mappo.worlds import CHANGED, SUMMARY, Outcome, Seen, has_choice
from scml_gym.commitment.base import MarkovGame
from scml_gym.core.config import ConfigError


class NativeWorlds:
    """A native batch, see `Worlds`; all its agents are always there."""

    def __init__(self, envs: Any, identity: str):
        space, count = envs.single_observation_space, envs.num_agents
        if not isinstance(space, spaces.Box | spaces.Discrete):
            raise ConfigError(("env", "observation"), f"{space} is no row of numbers; valid: flat")
        self.layout = Layout([space] * count, [envs.single_action_space] * count, identity)
        self._envs, self._states = envs, space.n if isinstance(space, spaces.Discrete) else 0
        self._shape, self._present = (envs.num_worlds, count), np.ones((envs.num_worlds, count), np.bool_)

    def reset(self, seed: int) -> Seen:
        """See `Worlds`."""
        return self._seen(*self._envs.reset(seed=seed))

    def step(self, actions: np.ndarray) -> tuple[Seen, Outcome]:
        """See `Worlds`."""
        observations, rewards, done, _, infos = self._envs.step(actions.reshape(self._envs.action_space.shape))
        final = infos.get("final_info", {})
        changed, ended = infos.get(CHANGED), done | infos.get("negotiation_end", False)
        if CHANGED in final:
            whose = done.reshape(-1, *[1] * (changed.ndim - 1))
            changed = np.where(whose, final[CHANGED], changed)
        if "negotiation_end" in final:
            ended |= final["negotiation_end"] & done
        changed = (
            np.zeros(len(done), np.bool_) if changed is None else (changed.reshape(len(done), -1) != 0).any(axis=1)
        )
        first = done.reshape(self._shape)[:, 0].repeat(self._shape[1]) & (np.arange(len(done)) % self._shape[1] == 0)
        told = {name: final[name][first & final[f"_{name}"]] for name in SUMMARY if name in final}
        rewards, ended, changed, over = (part.reshape(self._shape) for part in (rewards, ended, changed, done))
        outcome = Outcome(rewards, ended, np.zeros_like(over), changed, None, over[:, 0], told)
        return self._seen(observations, infos), outcome

    def _seen(self, observations: np.ndarray, infos: Mapping[str, Any]) -> Seen:
        if self._states:
            observations = np.eye(self._states, dtype=np.float32)[observations]
        masks = infos["action_mask"].reshape(*self._shape, -1)
        active = infos["active"].reshape(self._shape) & has_choice(masks, self.layout.heads)
        return Seen(self.layout.rows(observations.reshape(*self._shape, -1)), masks, self._present, active)

    def arrays(self) -> dict[str, np.ndarray]:
        """See `Worlds`."""
        return self._envs.state()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """See `Worlds`."""
        self._envs.restore(arrays)

    def close(self) -> None:
        """See `Worlds`."""
        self._envs.close()


class GameWorlds:
    """Rows of a game of mixed interests, see `Worlds`; all agents see and end alike, and nothing is drawn."""

    def __init__(self, game: MarkovGame, n: int, identity: str):
        seen = spaces.Box(0.0, 1.0, (game.features,), np.float32)
        self.layout = Layout([seen] * game.agents, [spaces.Discrete(game.actions)] * game.agents, identity)
        self._game, self._shape = game, (n, game.agents)
        self._state, self._steps = game.initial((n,)), 0

    def reset(self, seed: int) -> Seen:
        """See `Worlds`."""
        self._state, self._steps = self._game.initial(self._shape[:1]), 0
        return self._seen()

    def step(self, actions: np.ndarray) -> tuple[Seen, Outcome]:
        """See `Worlds`."""
        self._state, rewards = self._game.step(self._state, actions[..., 0])
        self._steps += 1
        over, nothing = self._steps >= self._game.horizon, np.zeros(self._shape, np.bool_)
        seen = self.reset(0) if over else self._seen()
        return seen, Outcome(rewards, nothing | over, nothing, nothing, None, np.full(len(nothing), over), {})

    def _seen(self) -> Seen:
        seen = self._game.observe(self._state)[:, None]
        flags = (
            np.ones((*self._shape, self._game.actions), np.bool_),
            *(np.ones(self._shape, np.bool_) for _ in range(2)),
        )
        return Seen(self.layout.rows(np.broadcast_to(seen, (*self._shape, seen.shape[-1]))), *flags)

    def arrays(self) -> dict[str, np.ndarray]:
        """See `Worlds`."""
        return {"state": self._state, "steps": np.array(self._steps)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """See `Worlds`."""
        self._state, self._steps = arrays["state"], int(arrays["steps"])

    def close(self) -> None:
        """See `Worlds`."""
