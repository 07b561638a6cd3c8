"""Evaluation while a learner of Stable-Baselines3 trains: in worlds of fixed seeds, with the best checkpoint kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from scml_gym.agents.sb3.batch import SUMMARY
from scml_gym.agents.sb3.hyperparameters import EvaluationHyperparameters
from scml_gym.agents.sb3.training import make_vec_env
from scml_gym.core.interrupts import StopRequest
from scml_gym.experiments.run_folder import Run

PREFIX = "eval/"
"""Of what is recorded with SB3's logger; a row of the learning curve has ``eval_return`` and so on."""


class Learner(Protocol):
    """What of a learner plays and is saved."""

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]: ...

    def save(self, folder: Any) -> None: ...


def play_worlds(
    agent: Learner, envs: VecEnv, seed: int, whole_worlds: bool, stop: StopRequest | None = None
) -> dict[str, float] | None:
    """Let a learner play its likeliest actions, one world in each environment.

    Args:
        agent: The learner.
        envs: World ``i`` is that of ``seed + i``.
        seed: Of the first world.
        whole_worlds: Whether an environment is done when its world ends (with a ``score``), else with an episode.
        stop: Where this is made, nothing is told.

    Returns:
        Means over the worlds: ``return`` (of an episode, undiscounted), and of what an ended world tells `SUMMARY`.
    """
    envs.seed(seed)
    observations: Any = envs.reset()
    masked = envs.has_attr("action_masks")
    returns: list[list[float]] = [[] for _ in range(envs.num_envs)]
    told: dict[str, list[float]] = {}
    left, state = set(range(envs.num_envs)), None
    while left:
        mask = np.array(envs.env_method("action_masks")) if masked else None
        actions, state = agent.predict(observations, state, mask)
        observations, _, done, infos = envs.step(actions)
        for part in state or ():  # a recurrent policy begins each episode anew
            part[:, done] = 0.0
        if stop is not None and stop.made:
            return None
        for i in left.intersection(np.flatnonzero(done).tolist()):
            returns[i].append(float(infos[i]["episode"]["r"]))
            if whole_worlds and "score" not in infos[i]:
                continue
            left.remove(i)
            for name in SUMMARY:
                if name in infos[i]:
                    told.setdefault(name, []).append(float(infos[i][name]))
    means = {"return": float(np.mean([np.mean(of_world) for of_world in returns]))}
    return means | {name: float(np.mean(values)) for name, values in told.items()}


class Evaluation(BaseCallback):
    """Evaluates where a rollout ends and so many steps have passed; the checkpoint of the highest return is kept.

    Args:
        hyperparameters: How often, in how many worlds, of which seed.
        agent: The learner.
        env: Its ``env`` section.
        run: Where the best checkpoint is kept.
    """

    def __init__(self, hyperparameters: EvaluationHyperparameters, agent: Learner, env: Mapping[str, Any], run: Run):
        super().__init__()
        self._settings, self._agent, self._env, self._run = hyperparameters, agent, env, run

    def _on_training_start(self) -> None:
        self._evaluated_at = self.num_timesteps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        every = self._settings.every
        if self.num_timesteps // every == self._evaluated_at // every:
            return
        self._evaluated_at = self.num_timesteps
        envs = make_vec_env(self._env, self._settings.worlds, 1, 1.0)
        try:
            whole_worlds = self._env.get("episode") == "day"
            means = play_worlds(self._agent, envs, self._settings.seed, whole_worlds, self._run.stop)
        finally:
            envs.close()
        if means is None:
            return
        for name, value in means.items():
            self.logger.record(f"{PREFIX}{name}", value)
        best = self._run.best
        if best is None or means["return"] > best["value"]:
            self._run.keep_best(self.num_timesteps, means["return"], self._agent.save)
