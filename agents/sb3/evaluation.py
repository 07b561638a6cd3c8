"""Evaluation while a learner trains, in worlds of fixed seeds, among copies of itself too; the best is kept."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv

from scml_gym.agents.sb3.batch import SUMMARY
from scml_gym.agents.sb3.hyperparameters import EvaluationHyperparameters
from scml_gym.agents.sb3.policy_files import Learner as Exported
from scml_gym.agents.sb3.policy_files import export_policy, policy_strategy
from scml_gym.agents.sb3.self_play import mix, native
from scml_gym.agents.sb3.training import make_vec_env
from scml_gym.core.config import ConfigError
from scml_gym.core.errors import InputError
from scml_gym.core.interrupts import StopRequest
from scml_gym.experiments.make_env import can_batch, make_env
from scml_gym.experiments.run_folder import Run

PREFIX = "eval/"
"""Of what is recorded with SB3's logger; a row of the learning curve has ``eval_return`` and so on."""


class Learner(Exported, Protocol):
    """What of `scml_gym.agents.sb3.learner.SB3Agent` is evaluated."""

    @property
    def observation_space(self) -> Any: ...

    @property
    def action_space(self) -> Any: ...

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


def check_evaluation(agent: Learner) -> None:
    """Refuse an evaluation that the learner cannot have.

    Raises:
        ConfigError: if its environment is wrong or has other spaces, or if the learner makes no copies of itself.
    """
    settings: EvaluationHyperparameters | None = agent.hyperparameters.evaluation
    if settings is None:
        return
    try:
        env = make_env(env_of(agent, settings))
        env.close()
    except InputError as error:
        raise ConfigError(("agent", "evaluation", "env"), str(error)) from error
    if (env.observation_space, env.action_space) != (agent.observation_space, agent.action_space):
        raise ConfigError(("agent", "evaluation", "env"), "other observations or actions than those of the training")
    if settings.copies == 0.0:
        return
    try:
        policy_strategy(agent)
    except InputError as error:
        raise ConfigError(("agent", "evaluation", "copies"), str(error)) from error
    if not can_batch(env_of(agent, settings)):
        told = "copies play in the compiled world; valid with env.backend: compiled"
        raise ConfigError(("agent", "evaluation", "copies"), told)


def env_of(agent: Learner, settings: EvaluationHyperparameters) -> dict[str, Any]:
    """The ``env`` section of an evaluation."""
    return {**agent.env, **settings.env}


def evaluate(
    agent: Learner, settings: EvaluationHyperparameters, run: Run, step: int, stop: StopRequest | None = None
) -> dict[str, float]:
    """Let a learner play in the worlds of its evaluation; its checkpoint is kept if it is the best.

    Args:
        agent: The learner.
        settings: Which worlds.
        run: Where the best checkpoint is kept.
        step: Environment steps so far.
        stop: Where this is made, nothing is told, nor kept.

    Returns:
        The means of `play_worlds`.
    """
    env = env_of(agent, settings)
    envs = make_vec_env(env, settings.worlds, 1, 1.0)
    try:
        if settings.copies:
            batch = native(envs, "evaluation")
            copy = export_policy(agent).player
            others, copies = mix(batch.config.makers, [copy], settings.copies)
            batch.set_opponents([*others, *copies])
        means = play_worlds(agent, envs, settings.seed, env.get("episode") == "day", stop)
    finally:
        envs.close()
    if means is None:
        return {}
    if run.best is None or means["return"] > run.best["value"]:
        run.keep_best(step, means["return"], agent.save)
    return means


class Evaluation(BaseCallback):
    """Evaluates where a rollout ends and so many steps have passed; the checkpoint of the highest return is kept.

    Args:
        settings: How often, in which worlds.
        agent: The learner.
        run: Where the best checkpoint is kept.
    """

    def __init__(self, settings: EvaluationHyperparameters, agent: Learner, run: Run):
        super().__init__()
        self._settings, self._agent, self._run = settings, agent, run

    def _on_training_start(self) -> None:
        self._evaluated_at = self.num_timesteps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        every = self._settings.every
        if self.num_timesteps // every == self._evaluated_at // every:
            return
        self._evaluated_at = self.num_timesteps
        means = evaluate(self._agent, self._settings, self._run, self.num_timesteps, self._run.stop)
        for name, value in means.items():
            self.logger.record(f"{PREFIX}{name}", value)
