"""Agents of an environment as rows of arrays of one shape, whatever their spaces: observations, masks and actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.core.config import ConfigError

MASK = "action_mask"
"""Key of an info, or of an observation that is a dictionary, that has the valid actions."""

MOST_INPUTS = 4096
"""Numbers of an observation, at most."""


class Layout:
    """How agents' observations and actions stand in arrays; shorter ones are filled up.

    Args:
        observation_spaces: Of each agent, in order.
        action_spaces: Likewise; ``Discrete`` or ``MultiDiscrete``, all with the same number of choices to make.
        identity: ``index`` or ``none``, see `scml_gym.agents.mappo.hyperparameters.MAPPOHyperparameters`.

    Attributes:
        agents: How many.
        inputs: Numbers of an observation.
        heads: Options of each choice, int64; of the agent that has most.
        own: Bool ``(agents, options of all heads)``: those that an agent has.

    Raises:
        ConfigError: for spaces that have no such form.
    """

    def __init__(
        self, observation_spaces: Sequence[spaces.Space], action_spaces: Sequence[spaces.Space], identity: str
    ):
        self.agents = len(observation_spaces)
        self._seen = [_without_mask(space) for space in observation_spaces]
        self._actions = action_spaces
        self._widths, counts = [_width(space) for space in self._seen], [_options(space) for space in action_spaces]
        if len({len(count) for count in counts}) > 1:
            raise ConfigError(("env",), "its agents make different numbers of choices; valid: the same for all")
        self._widest = max(self._widths)
        self.identity = np.eye(self.agents, dtype=np.float32)[:, : self.agents if identity == "index" else 0]
        self.inputs = self._widest + self.identity.shape[1]
        self.heads = np.max(counts, axis=0)
        self.own = np.stack(
            [np.concatenate([np.arange(m) < n for m, n in zip(self.heads, c, strict=True)]) for c in counts]
        )

    def described(self) -> dict[str, Any]:
        """What a checkpoint notes, to be compared."""
        return {"agents": self.agents, "inputs": self.inputs, "heads": self.heads.tolist()}

    def rows(self, observations: np.ndarray) -> np.ndarray:
        """Flat observations of a native batch, float ``(worlds, agents, widest)``, with each agent's identity."""
        shape = (*observations.shape[:-1], self.identity.shape[1])
        return np.concatenate([observations, np.broadcast_to(self.identity, shape)], axis=-1, dtype=np.float32)

    def observe(self, agent: int, observation: Any, out: np.ndarray) -> None:
        """Write what an agent sees, float32 ``(inputs,)``."""
        if isinstance(observation, Mapping) and MASK in observation:
            observation = observation.get("observation")
        space = self._seen[agent]
        plain = observation if isinstance(space, spaces.Box) else spaces.flatten(space, observation)
        seen = np.asarray(plain, np.float32).reshape(self._widths[agent])
        out[: len(seen)], out[len(seen) : self._widest] = seen, 0.0
        out[self._widest :] = self.identity[agent]

    def mask(self, agent: int, observation: Any, info: Mapping[str, Any]) -> np.ndarray:
        """An agent's valid options, bool; all of its own where nothing says more."""
        told = info.get(MASK, observation.get(MASK) if isinstance(observation, Mapping) else None)
        valid = self.own[agent].copy()
        if told is not None:
            valid[valid] = np.concatenate(told if isinstance(told, tuple | list) else [np.asarray(told).ravel()]) != 0
        return valid

    def action(self, agent: int, choices: np.ndarray) -> Any:
        """Choices, int64 ``(heads,)``, as the agent's action."""
        space: Any = self._actions[agent]
        return int(choices[0] + space.start) if isinstance(space, spaces.Discrete) else choices + space.start.ravel()


def _without_mask(space: spaces.Space) -> spaces.Space:
    return space["observation"] if isinstance(space, spaces.Dict) and {MASK, "observation"} == set(space) else space


def _width(space: spaces.Space) -> int:
    flat = spaces.flatten_space(space)
    if not isinstance(flat, spaces.Box) or not np.issubdtype(flat.dtype, np.number) or flat.shape[0] > MOST_INPUTS:
        valid = f"such as are at most {MOST_INPUTS} numbers when flat"
        raise ConfigError(("env",), f"observations of {' '.join(str(space).split())}; valid: {valid}")
    return flat.shape[0]


def _options(space: spaces.Space) -> list[int]:
    if isinstance(space, spaces.Discrete):
        return [int(space.n)]
    if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
        return space.nvec.tolist()
    raise ConfigError(("env",), f"actions of {' '.join(str(space).split())}; valid: Discrete or MultiDiscrete")
