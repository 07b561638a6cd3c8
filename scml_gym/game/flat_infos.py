"""Infos as libraries take them that keep infos in tensors: the same keys, shapes and dtypes at every step."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np


class FlatInfos(gymnasium.Wrapper):
    """An environment of this package whose infos are arrays, alike at every step.

    ``action_mask`` is bool, choice after choice, as ``action_masks()`` gives it. Of the rest stay the numbers that the
    first ``reset`` tells; what only an episode's last step tells, such as ``score``, goes.

    Example:
        >>> import gymnasium, scml_gym
        >>> env = FlatInfos(gymnasium.make("scml_gym/OneShotConcurrent-v0", days=3))
        >>> observation, info = env.reset(seed=7)
        >>> {name: (value.shape, value.dtype.name) for name, value in info.items()}
        {'action_mask': ((176,), 'bool'), 'ideal_profit': ((), 'float64')}
    """

    def __init__(self, env: gymnasium.Env):
        super().__init__(env)
        self._names: list[str] | None = None

    def reset(self, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env`."""
        observation, info = self.env.reset(**arguments)
        return observation, self._flat(info)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated, truncated, self._flat(info)

    def _flat(self, info: dict[str, Any]) -> dict[str, Any]:
        if self._names is None:
            self._names = [name for name, value in info.items() if np.asarray(value).dtype.kind in "biuf"]
            self._names = [name for name in self._names if name != "action_mask"]
        plain: Any = self.env.unwrapped
        mask = np.array(plain.action_masks(), dtype=np.bool_)
        return {"action_mask": mask} | {name: np.asarray(info[name]) for name in self._names}
