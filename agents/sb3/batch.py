"""Many environments at once for Stable-Baselines3: its `VecEnv` over a native vector environment, without copies."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv

from scml_gym.experiments.make_env import env_arguments
from scml_gym.vector.env import RowVectorEnv

SUMMARY = ("score", "invalid_actions")
"""What the infos of an episode's last step say of a world that ended with it, beside ``episode``."""


def make_batch(
    env: Mapping[str, Any], n_envs: int, threads: int, reward_scale: float, decision_cost: float = 0.0
) -> BatchVecEnv:
    """So many environments of an ``env`` section that `scml_gym.experiments.make_env.can_batch`.

    Raises:
        InputError: for an argument that the environment refuses.
    """
    env_id, arguments = env_arguments(env)
    arguments.pop("strict", None)
    envs: Any = gymnasium.make_vec(
        env_id, n_envs, "vector_entry_point", autoreset_mode=AutoresetMode.SAME_STEP, threads=threads, **arguments
    )
    return BatchVecEnv(envs, reward_scale, decision_cost)


class RunningEpisodes:
    """Returns (undiscounted) and lengths (decisions) of the episodes that run in ``n`` rows."""

    def __init__(self, n: int):
        self.returns, self.lengths = np.zeros(n), np.zeros(n, dtype=np.int64)

    def step(self, rewards: np.ndarray, done: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Count a step of all rows; returns and lengths of the episodes that ended with it, in the order of rows."""
        self.returns += rewards
        self.lengths += 1
        ended = self.returns[done], self.lengths[done]
        self.returns[done], self.lengths[done] = 0.0, 0
        return ended


class BatchVecEnv(VecEnv):
    """A native vector environment as SB3 takes it; world ``i`` of ``seed(s)`` is the single environment of ``s + i``.

    Observations, masks and ends are the arrays that the environment returns, which makes fresh ones each step. Infos
    are empty but for rows whose episode ended: ``terminal_observation``, ``episode`` (its undiscounted return ``r``
    as the environment gives it, decisions ``l``, seconds ``t`` since the start) and, where its world ended too,
    `SUMMARY`.

    Args:
        envs: With autoreset in the same step.
        reward_scale: What the rewards of a step are multiplied with.
        decision_cost: What is subtracted from each before.
    """

    def __init__(self, envs: RowVectorEnv, reward_scale: float, decision_cost: float = 0.0):
        self.envs = envs
        self._scale, self._cost = reward_scale, decision_cost
        self._episodes = RunningEpisodes(envs.num_envs)
        self._started = time.perf_counter()
        self._actions: Any = None
        self._nothing: dict[str, Any] = {}
        super().__init__(envs.num_envs, envs.single_observation_space, envs.single_action_space)

    def reset(self) -> Any:
        """Start an episode in every row, with the seeds of `seed` if it was called since the last reset."""
        observations, _ = self.envs.reset(seed=self._seeds[: self.envs.num_worlds])
        self._reset_seeds()
        self._episodes = RunningEpisodes(self.num_envs)
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions, shape ``(n_envs, ...)``, for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Play them: observations, rewards (float32), ends (bool) and infos."""
        observations, rewards, done, _, info = self.envs.step(self._actions)
        infos = [self._nothing] * self.num_envs
        rows, ended = np.flatnonzero(done).tolist(), self._episodes.step(rewards, done)
        for i, total, length in zip(rows, *(values.tolist() for values in ended), strict=True):
            infos[i] = self._ended(i, total, length, info)
        return observations, ((rewards - self._cost) * self._scale).astype(np.float32), done, infos

    def _ended(self, i: int, total: float, length: int, info: Mapping[str, Any]) -> dict[str, Any]:
        observation, final = info["final_obs"][i], info["final_info"]
        episode = {"r": total, "l": length, "t": round(time.perf_counter() - self._started, 6)}
        summary = {name: final[name][i].item() for name in SUMMARY if name in final and final[f"_{name}"][i]}
        return {"terminal_observation": observation, "TimeLimit.truncated": False, "episode": episode} | summary

    def close(self) -> None:
        """End the environment's threads."""
        self.envs.close()

    def has_attr(self, attr_name: str) -> bool:
        """Whether the environment has it."""
        return hasattr(self.envs, attr_name)

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the environment, which all rows share."""
        return [getattr(self.envs, attr_name)] * len(self._rows(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Not for rows of a batch.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(f"{attr_name}: rows of a batch have no attributes of their own")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Call a method of the environment whose result has a row for each of its rows, such as ``action_masks``."""
        result = getattr(self.envs, method_name)(*method_args, **method_kwargs)
        return [result[i] for i in self._rows(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Whether rows are wrapped: by `Monitor` as it were, whose statistics are kept here; by nothing else."""
        from stable_baselines3.common.monitor import Monitor

        return [wrapper_class is Monitor] * len(self._rows(indices))

    def _rows(self, indices: Any) -> Sequence[int]:
        return list(self._get_indices(indices))
