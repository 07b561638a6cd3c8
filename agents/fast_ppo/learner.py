"""The learners ``fast-ppo`` and ``fast-maskable-ppo``: `agents.fast_ppo.algorithm` behind `agents.base.Agent`.

The network is the torch policy of ``ppo`` and ``maskable-ppo``, whose parameters are learnt as one array; so players,
evaluation and policy files are theirs.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from stable_baselines3.common.utils import LinearSchedule, set_random_seed

from agents.fast_ppo.algorithm import Progress, Tools, new_progress, new_rollout, play, update
from agents.fast_ppo.networks import FAST_NETWORKS, read_network
from agents.fast_ppo.passes import compile_passes
from agents.sb3.batch import can_batch, make_batch
from agents.sb3.hyperparameters import PPOHyperparameters
from agents.sb3.learner import PPO, MaskablePPO
from agents.sb3.policy_files import MASKED
from agents.sb3.training import global_generators_kept, seeds_at
from scml_gym.core.config import ConfigError
from scml_gym.core.errors import InputError
from scml_gym.experiments.run_folder import Run
from scml_gym.game.codecs import NotCompiledError
from scml_gym.simulator.vector.env import BatchedEnv
from scml_gym.vector.workers import Workers


def no_optimizer(parameters: Any, lr: float, **settings: Any) -> None:
    """In place of torch's Adam, which policies make and whose import takes a second: `algorithm.step_adam` is used."""


class Model:
    """A policy of Stable-Baselines3 and the number of decisions that it was trained for."""

    def __init__(self, policy: Any, num_timesteps: int):
        self.policy, self.num_timesteps = policy, num_timesteps

    def predict(self, observation: Any, **options: Any) -> tuple[Any, Any]:
        """As Stable-Baselines3's policies."""
        return self.policy.predict(observation, **options)


class _Fast:
    """What the learners below have instead of what `agents.sb3.learner.SB3Agent` has."""

    slower: ClassVar[str]  # the learner that takes what this one does not
    schema = "scml-gym-fast-ppo-1"
    algorithm: str
    env: dict[str, Any]
    hyperparameters: PPOHyperparameters
    observation_space: Any
    action_space: Any
    policy_class: Any
    model: Any
    _network: Any
    save: Any

    def __init__(self, hyperparameters: PPOHyperparameters, env: Mapping[str, Any]):
        parent: Any = super()  # of the learner that this is mixed into
        parent.__init__(hyperparameters, env)
        if not can_batch(self.env):
            self._refuse("env", "an environment without a native vector environment")
        if not isinstance(self.observation_space, Box):
            self._refuse("env", "observations that are no array")
        if not isinstance(self.action_space, (Discrete, MultiDiscrete)):
            self._refuse("env", "actions that are no choices")
        if hyperparameters.features not in FAST_NETWORKS:
            self._refuse("agent.features", f"the network {hyperparameters.features!r}")
        if hyperparameters.device != "cpu":
            self._refuse("agent.device", f"the device {hyperparameters.device!r}")
        if hyperparameters.self_play is not None:
            self._refuse("agent.self_play", "opponents that change")
        try:
            envs = make_batch(self.env, 1, 1, 1.0).envs
        except NotCompiledError as reason:
            self._refuse("env", str(reason))
        envs.close()
        if not isinstance(envs, BatchedEnv):
            self._refuse("env", "an environment whose state is not kept in arrays")

    def _refuse(self, key: str, what: str) -> NoReturn:
        raise ConfigError(key.split("."), f"fast-{self.slower} does not take {what}; valid: agent.name: {self.slower}")

    def train(self, run: Run) -> None:
        """See `agents.base.Agent.train`; a resumed training is equal to one that was not interrupted."""
        settings, checkpoint = self.hyperparameters, run.latest_checkpoint()
        learner_seed, env_seed = seeds_at(run.config["seed"], 0)
        if checkpoint is None:
            self.model = Model(self._new_policy(learner_seed), 0)
        else:
            self.model = self._read_model(checkpoint, None)
        run.truncate_log(self.model.num_timesteps)
        if self.model.num_timesteps >= settings.total_steps:
            return
        envs, tools = make_batch(self.env, settings.n_envs, settings.workers, 1.0).envs, self._tools()
        try:
            progress = new_progress(learner_seed, len(tools.network.parameters), settings.n_envs)
            if checkpoint is None:
                observations, _ = envs.reset(seed=env_seed)
            else:
                arrays = _read_arrays(checkpoint / "training.npz")
                observations = envs.restore({n[4:]: array for n, array in arrays.items() if n.startswith("env_")})
                progress.restore(arrays)
            self._learn(run, tools, progress, envs, observations)
        finally:
            for threads in (tools.act, tools.learn, envs):
                threads.close()
        run.plot()

    def _tools(self) -> Tools:
        settings, policy = self.hyperparameters, self.model.policy
        parameters = torch.nn.utils.parameters_to_vector(policy.parameters()).detach().clone()
        torch.nn.utils.vector_to_parameters(parameters, policy.parameters())  # which are parts of this one from now on
        heads = np.atleast_1d(getattr(self.action_space, "nvec", getattr(self.action_space, "n", 0))).tolist()
        network, actor = read_network(policy, heads, parameters.numpy()), FAST_NETWORKS.get(settings.features)
        act, learn = (Workers(step, settings.workers) for step in compile_passes(actor))
        return Tools(settings, network, actor, act, learn, MASKED[self.algorithm])

    def _learn(self, run: Run, tools: Tools, progress: Progress, envs: Any, observations: np.ndarray) -> None:
        settings, note, started = tools.settings, "", (progress.steps, time.perf_counter())
        rollout = new_rollout(tools, observations[0].size, envs.action_masks().shape[1])

        def save(folder: Path) -> None:
            self.save(folder)
            state = {f"env_{name}": array for name, array in envs.state().items()}
            np.savez(folder / "training.npz", allow_pickle=False, **progress.arrays(), **state)

        with run.progress(settings.total_steps, run.info["agent_name"]) as bar, run.stops_at_checkpoints():
            bar.update(progress.steps)
            while progress.steps < settings.total_steps:
                observations = play(tools, progress, envs, observations, rollout)
                numbers = update(tools, progress, rollout)
                self.model.num_timesteps = progress.steps
                if progress.steps - progress.logged >= settings.log_steps:
                    now = progress.steps, time.perf_counter()
                    speed, started = (now[0] - started[0]) / (now[1] - started[1]), now
                    row = {"episodes": progress.ended.get("return", (0.0, 0))[1]}
                    row |= {name: total / n for name, (total, n) in progress.ended.items()}
                    run.log(progress.steps, **row, **numbers, steps_per_second=speed)
                    progress.ended, progress.logged = {}, progress.steps
                    note = f"{speed:.0f} steps/s"
                    if "score" in row:
                        note = f"score {row['score']:.3f}  {note}"
                bar.update(progress.steps, note)
                if run.checkpoint_due() or progress.steps >= settings.total_steps:
                    run.checkpoint(progress.steps, save)

    def _new_policy(self, seed: int) -> Any:
        """As Stable-Baselines3 makes it of this seed."""
        settings = self.hyperparameters
        falling = LinearSchedule(settings.learning_rate, settings.final_learning_rate, 1.0)
        with global_generators_kept():
            set_random_seed(seed)
            network = self._network() | {"optimizer_class": no_optimizer}
            return self.policy_class(self.observation_space, self.action_space, falling, **network)

    def _write_model(self, folder: Path) -> None:
        weights = {name: tensor.numpy() for name, tensor in self.model.policy.state_dict().items()}
        steps = np.array(self.model.num_timesteps)
        np.savez(folder / "weights.npz", allow_pickle=False, **weights, num_timesteps=steps)

    def _read_model(self, folder: Path, vec: Any) -> Model:
        weights = {name: torch.from_numpy(array) for name, array in _read_arrays(folder / "weights.npz").items()}
        policy, steps = self._new_policy(0), int(weights.pop("num_timesteps", torch.tensor(0)))
        try:
            policy.load_state_dict(weights)
        except RuntimeError as error:
            told = " ".join(str(error).split())
            raise InputError(f"{folder} was trained with another network or environment: {told}") from error
        return Model(policy, steps)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not readable: {' '.join(str(error).split())}") from error


class FastPPO(_Fast, PPO):
    """``ppo`` for native vector environments."""

    slower = "ppo"


class FastMaskablePPO(_Fast, MaskablePPO):
    """``maskable-ppo`` for native vector environments."""

    slower = "maskable-ppo"
