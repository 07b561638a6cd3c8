"""The learners ``fast-ppo`` and ``fast-maskable-ppo``: the algorithm beside them as an `Agent`.

The network is the torch policy of ``ppo`` and ``maskable-ppo``; so players, evaluation and policy files are theirs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, Self

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from scml_gym.agents.fast_ppo.algorithm import Training, play, update
from scml_gym.agents.sb3.algorithms import PPO, MaskablePPO
from scml_gym.agents.sb3.batch import make_batch
from scml_gym.agents.sb3.evaluation import evaluate
from scml_gym.agents.sb3.facts import FACTS
from scml_gym.agents.sb3.hyperparameters import PPOHyperparameters
from scml_gym.agents.sb3.policy_files import MASKED
from scml_gym.agents.sb3.training import seeds_at, write_row
from scml_gym.agents.sb3.weights import Played
from scml_gym.core.config import ConfigError
from scml_gym.core.data_files import content_of
from scml_gym.core.files import read_arrays, write_arrays
from scml_gym.experiments.make_env import can_batch
from scml_gym.experiments.run_folder import Run
from scml_gym.game.codecs import NotCompiledError
from scml_gym.simulator.vector.env import BatchedEnv


class FastPPO(PPO):
    """``ppo`` for native vector environments."""

    schema = "scml-gym-fast-ppo-1"
    takes_over = ("behaviour-cloning", "ppo")
    slower = "ppo"  # the learner that takes what this one does not

    def __init__(self, hyperparameters: PPOHyperparameters, env: Mapping[str, Any]):
        super().__init__(settings := hyperparameters, env)
        for refused, key, what in (
            (not can_batch(self.env), "env", "an environment without a native vector environment"),
            (not isinstance(self.observation_space, Box), "env", "observations that are no array"),
            (not isinstance(self.action_space, (Discrete, MultiDiscrete)), "env", "actions that are no choices"),
            (settings.features not in FACTS, "agent.features", f"the network {settings.features!r}"),
            (settings.device != "cpu", "agent.device", f"the device {settings.device!r}"),
            (settings.self_play is not None, "agent.self_play", "opponents that change"),
            (bool(settings.callbacks), "agent.callbacks", "callbacks"),
        ):
            if refused:
                self._refuse(key, what)

    @classmethod
    def build(cls, config: Mapping[str, Any], env: Mapping[str, Any]) -> Self:
        """See `scml_gym.agents.base.Agent.build`; the environments are made, so that nothing is found wrong later."""
        made = super().build(config, env)
        made._make_envs(1, 1).close()
        return made

    def _refuse(self, key: str, what: str) -> NoReturn:
        raise ConfigError(key.split("."), f"fast-{self.slower} does not take {what}; valid: agent.name: {self.slower}")

    def _make_envs(self, n: int, threads: int) -> BatchedEnv:
        try:
            envs = make_batch(self.env, n, threads, 1.0).envs
        except NotCompiledError as reason:
            self._refuse("env", str(reason))
        if not isinstance(envs, BatchedEnv):
            self._refuse("env", "an environment whose state is not kept in arrays")
        return envs

    def train(self, run: Run) -> None:
        """See `scml_gym.agents.base.Agent.train`; a resumed training is equal to one that was not interrupted."""
        settings: Any = self.hyperparameters
        checkpoint, seeds = run.latest_checkpoint(), seeds_at(run.config["seed"], 0)
        self.model = self._read_policy(checkpoint) if checkpoint else Played(self._new_policy(seeds[0]))
        if checkpoint is None and self._beginning is not None:
            self.model.policy.load_state_dict(self._beginning["policy"])
        run.truncate_log(self.model.num_timesteps)
        if self.model.num_timesteps >= settings.total_steps:
            return
        envs = self._make_envs(settings.n_envs, settings.workers)
        sizes = np.atleast_1d(getattr(self.action_space, "nvec", getattr(self.action_space, "n", 0))).tolist()
        training = Training(self.model.policy, sizes, settings, envs, MASKED[self.algorithm], seeds)
        try:
            if checkpoint is not None:
                kept = checkpoint / "training.npz"
                arrays = read_arrays(kept, "a training")
                with content_of(kept, "a training"):
                    training.restore(arrays)
            self._learn(run, training)
        finally:
            for threads in (training.act, training.learn, envs):
                threads.close()
        run.plot()

    def _learn(self, run: Run, training: Training) -> None:
        total, note, since = training.settings.total_steps, "", (training.steps, time.perf_counter())

        def save(folder: Path) -> None:
            self.save(folder)
            write_arrays(folder / "training.npz", training.arrays())

        with run.progress(total, run.info["agent_name"]) as bar, run.stops_at_checkpoints():
            bar.update(training.steps)
            while training.steps < total:
                play(training)
                numbers = update(training)
                self.model.num_timesteps = steps = training.steps
                if steps >= total or steps - training.logged >= training.settings.log_steps:
                    numbers |= self._evaluated(run, training)
                    note = write_row(run, steps, training.ended.take() | numbers, since)
                    training.logged, since = steps, (steps, time.perf_counter())
                bar.update(steps, note)
                if run.checkpoint_due() or steps >= total:
                    run.checkpoint(steps, save)

    def _evaluated(self, run: Run, training: Training) -> dict[str, float]:
        """What a row of the curve tells of an evaluation, where ``every`` more steps have passed since the last row."""
        settings = training.settings.evaluation
        if settings is None or training.steps // settings.every == training.logged // settings.every:
            return {}
        means = evaluate(self, settings, run, training.steps)
        return {f"eval_{name}": value for name, value in means.items()}


class FastMaskablePPO(MaskablePPO, FastPPO):
    """``maskable-ppo`` for native vector environments."""

    slower = "maskable-ppo"
    takes_over = ("behaviour-cloning", "maskable-ppo")
