"""What surrounds `learn` of Stable-Baselines3: environments, seeds, the learning curve, checkpoints."""

from __future__ import annotations

import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.type_aliases import TrainFrequencyUnit
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

from scml_gym.agents.sb3.batch import SUMMARY, make_batch
from scml_gym.core.config import ConfigError
from scml_gym.core.errors import InputError
from scml_gym.core.interrupts import children_without_interrupts
from scml_gym.core.registry import load_object
from scml_gym.core.reporting import Progress
from scml_gym.experiments.make_env import can_batch, make_env
from scml_gym.experiments.run_folder import Run
from scml_gym.game.codecs import NotCompiledError


def make_vec_env(
    env: Mapping[str, Any], n_envs: int, workers: int, reward_scale: float, decision_cost: float = 0.0
) -> VecEnv:
    """So many environments of an ``env`` section: as a native vector environment where there is one, else one by one.

    A reward, an encoder or a codec that plays in Python only is stepped one by one too; a line on stderr says so.

    Only the learner's rewards are changed; returns in infos, and so in the learning curve, are as the environment's.

    Args:
        env: Id and arguments.
        n_envs: Environments.
        workers: Threads of a native vector environment; of others, 1 for this process, or ``n_envs`` for one each.
        reward_scale: What rewards are multiplied with.
        decision_cost: What is subtracted from each before.

    Raises:
        InputError: for an unknown id or keyword argument, or other workers.
    """
    if can_batch(env):
        try:
            return make_batch(env, n_envs, workers, reward_scale, decision_cost)
        except NotCompiledError as reason:
            print(f"note: {reason}: they are stepped one by one", file=sys.stderr)
    if workers not in (1, n_envs):
        raise ConfigError(
            ("agent", "workers"),
            f"{workers} for {n_envs} environments that are stepped one by one; valid: 1 or {n_envs}",
        )
    makers: list[Callable[[], gymnasium.Env]] = [
        partial(_changed, dict(env), reward_scale, decision_cost) for _ in range(n_envs)
    ]
    if workers == 1:
        return DummyVecEnv(makers)
    with children_without_interrupts():
        return SubprocVecEnv(makers)


def _changed(env: Mapping[str, Any], scale: float, cost: float) -> gymnasium.Env:
    return gymnasium.wrappers.TransformReward(Monitor(make_env(env)), lambda reward: (float(reward) - cost) * scale)


def seeds_at(seed: int, step: int) -> tuple[int, int]:
    """Seeds of the learner and of its first environment for a training that starts or resumes at a step.

    Args:
        seed: Of the experiment.
        step: Environment steps so far. Environments begin new episodes there, so they must not repeat the first ones.
    """
    state = np.random.SeedSequence(seed, spawn_key=(step,)).generate_state(2)
    return int(state[0]) % 2**31, int(state[1]) % 2**31


@contextmanager
def global_generators_kept() -> Iterator[None]:
    """SB3 seeds and uses the global generators of Python, NumPy and torch: leave the caller's as they were."""
    python, numpy_state, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)


def write_row(run: Run, step: int, row: Mapping[str, float], since: tuple[int, float]) -> str:
    """Write a row of the learning curve.

    Args:
        run: Where to.
        step: Environment steps so far.
        row: Its numbers, by name.
        since: Step and time of the row before.

    Returns:
        What the progress bar says of it.
    """
    speed = (step - since[0]) / (time.perf_counter() - since[1])
    run.log(step, **row, steps_per_second=speed)
    shown = f"score {row['score']:.3f}  " if "score" in row else ""
    return f"{shown}{speed:.0f} steps/s"


class EpisodeMeans:
    """What the episodes tell that end, as sums and numbers by name, until a row of the learning curve has their means.

    Attributes:
        sums: Name -> sum, number.
    """

    def __init__(self) -> None:
        self.sums: dict[str, tuple[float, int]] = {}

    def add(self, told: Mapping[str, Any]) -> None:
        """Take what some episodes tell: arrays or lists of numbers, by name, ``return`` for all of them."""
        for name, values in told.items():
            if len(values):
                total, n = self.sums.get(name, (0.0, 0))
                self.sums[name] = total + float(np.sum(values)), n + len(values)

    def take(self) -> dict[str, float]:
        """The number of ``episodes`` and the means of what they told; others begin."""
        means: dict[str, float] = {"episodes": self.sums.get("return", (0.0, 0))[1]}
        means |= {name: total / n for name, (total, n) in self.sums.items()}
        self.sums = {}
        return means


class RunCallback(BaseCallback):
    """Writes the learning curve and the checkpoints of a run while SB3 learns.

    Args:
        run: Where to.
        save: Writes a checkpoint into the folder that it is given.
        log_steps: Environment steps between two rows.
        bar: Shows the progress.

    A row holds means over the episodes that ended since the row before (``episodes`` of them): ``return``
    (undiscounted), ``length`` (decisions), ``score`` and ``invalid_actions`` an episode that told them; and SB3's own
    numbers of the last update.
    """

    def __init__(self, run: Run, save: Callable[[Path], None], log_steps: int, bar: Progress):
        super().__init__()
        self._run = run
        self._save = save
        self._log_steps = log_steps
        self._bar = bar
        self._note = ""
        self._ended = EpisodeMeans()

    def _on_training_start(self) -> None:
        self._saved_at = self._rollout_at = self.num_timesteps
        self._logged = self.num_timesteps, time.perf_counter()

    def _on_step(self) -> bool:
        infos = [self.locals["infos"][i] for i in np.flatnonzero(self.locals["dones"]).tolist()]
        told = {name: [info["episode"][key] for info in infos] for name, key in (("return", "r"), ("length", "l"))}
        self._ended.add(told | {name: [info[name] for info in infos if name in info] for name in SUMMARY})
        self._bar.update(self.num_timesteps, self._note)
        if self._run.stop_requested and isinstance(self.model, OnPolicyAlgorithm):
            # nothing is learnt within a rollout, which may take long: a resumed training plays this one again
            self.model.num_timesteps = self.num_timesteps = self._rollout_at
            self.checkpoint()
        return True

    def _on_rollout_start(self) -> None:
        self._rollout_at = self.num_timesteps
        if self._run.stop_requested or (self.num_timesteps > self._saved_at and self._run.checkpoint_due()):
            self.checkpoint()

    def _on_rollout_end(self) -> None:
        if self.num_timesteps - self._logged[0] >= self._log_steps:
            self._write_row()

    def _on_training_end(self) -> None:
        if self.num_timesteps > self._logged[0]:
            self._write_row()

    def _write_row(self) -> None:
        row = self._ended.take()
        recorded = self.model.logger.name_to_value
        row |= {k.partition("/")[2]: float(v) for k, v in recorded.items() if k.startswith("train/")}
        for key in [key for key in recorded if key.startswith("eval/")]:
            row[key.replace("/", "_")] = float(recorded.pop(key))
        row.pop("n_updates", None)
        self._note = write_row(self._run, self.num_timesteps, row, self._logged)
        self._bar.update(self.num_timesteps, self._note)
        self._logged = self.num_timesteps, time.perf_counter()

    def checkpoint(self) -> None:
        """Save now."""
        self._run.checkpoint(self.num_timesteps, self._save)
        self._saved_at = self.num_timesteps


def make_callbacks(names: Sequence[str]) -> list[BaseCallback]:
    """A user's own callbacks of SB3.

    Args:
        names: ``module:Name`` each, of a class or function that is called without arguments.

    Raises:
        ConfigError: if there is none of that name, or it makes none.
    """
    made = []
    for name in names:
        try:
            make = load_object(name)
        except InputError as error:
            raise ConfigError(("agent", "callbacks"), str(error)) from error
        callback = make() if callable(make) else None
        if not isinstance(callback, BaseCallback):
            raise ConfigError(("agent", "callbacks"), f"{name!r} makes no callback of Stable-Baselines3")
        made.append(callback)
    return made


def learn(
    model: Any,
    run: Run,
    save: Callable[[Path], None],
    total_steps: int,
    log_steps: int,
    callbacks: Sequence[BaseCallback] = (),
) -> None:
    """Let a model learn up to ``total_steps`` in all, and save it; it may have learned before.

    Args:
        model: A ``BaseAlgorithm`` with environments, which are seeded for the step that it stands at.
        run: Where the learning curve and the checkpoints go.
        save: Writes a checkpoint into the folder that it is given.
        total_steps: Environment steps, those before included; the last rollout is played to its end.
        log_steps: Environment steps between two rows of the learning curve.
        callbacks: Of SB3, called before the run's own.
    """
    done = model.num_timesteps
    if done >= total_steps:
        return
    learner_seed, env_seed = seeds_at(run.config["seed"], done)
    rollout = _rollout_steps(model)
    played = done + math.ceil((total_steps - done) / rollout) * rollout
    with run.progress(played, run.info["agent_name"]) as bar, run.stops_at_checkpoints(), global_generators_kept():
        model.set_random_seed(learner_seed)
        model.env.seed(env_seed)
        # SB3's own logger leaves an empty folder among the system's temporary files
        model.set_logger(Logger(folder=None, output_formats=[]))
        bar.update(done)
        callback = RunCallback(run, save, log_steps, bar)
        both = [*callbacks, callback]
        # log_interval=None: SB3 prints nothing and keeps its last numbers for the rows of `RunCallback`
        model.learn(total_steps - done, callback=both, log_interval=None, reset_num_timesteps=done == 0)
        callback.checkpoint()


def _rollout_steps(model: Any) -> int:
    """Environment steps that a model plays before it learns from them."""
    if isinstance(model, OnPolicyAlgorithm):
        return model.n_steps * model.n_envs
    frequency = model.train_freq
    return model.n_envs * (frequency.frequency if frequency.unit == TrainFrequencyUnit.STEP else 1)
