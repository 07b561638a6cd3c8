"""Learners of Stable-Baselines3 and sb3-contrib: PPO, MaskablePPO, RecurrentPPO, DQN.

PPO and RecurrentPPO know no action masks: they learn that an invalid answer ends a negotiation. MaskablePPO samples
valid answers only. DQN learns without masks and plays the best valid answer where it is given one.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.utils import LinearSchedule

from scml_gym.agents.sb3.evaluation import Evaluation
from scml_gym.agents.sb3.exported import predict_call
from scml_gym.agents.sb3.heads import HeadsPolicy, MaskedHeadsPolicy
from scml_gym.agents.sb3.hyperparameters import (
    FEATURES,
    DQNHyperparameters,
    EnvSpaces,
    PPOHyperparameters,
    RecurrentPPOHyperparameters,
)
from scml_gym.agents.sb3.policy_files import export_policy, save_policy_file
from scml_gym.agents.sb3.replay import load_replay, save_replay
from scml_gym.agents.sb3.self_play import check_self_play, make_self_play
from scml_gym.agents.sb3.thoughts import ThoughtfulPredict
from scml_gym.agents.sb3.training import global_generators_kept, learn, make_callbacks, make_vec_env, seeds_at
from scml_gym.core.arguments import argument_names
from scml_gym.core.calls import Call, filled
from scml_gym.core.config import Config, ConfigError, validate
from scml_gym.core.errors import InputError
from scml_gym.core.registry import load_object
from scml_gym.experiments.make_env import WRAPPERS, env_arguments, make_env, wrappers_change_play
from scml_gym.experiments.run_folder import Run, current_hyperparameters
from scml_gym.game.definition import Game
from scml_gym.game.world import FactoryPolicy
from scml_gym.games import DEFAULT_GAME, GAMES, game_of
from scml_gym.oneshot.exported_policies import CONCURRENT, ONE_PARTNER
from scml_gym.oneshot.policy_files import PolicyFile

SCHEMA = "scml-gym-sb3-2"
_OWN = {
    "total_steps",
    "n_envs",
    "workers",
    "log_steps",
    "learning_rate",
    "final_learning_rate",
    "reward_scale",
    "net_arch",
    "features",
    "embedding_size",
    "lstm_hidden_size",
    "n_lstm_layers",
    "self_play",
    "evaluation",
    "callbacks",
}


_NETWORK = {"net_arch", "features", "embedding_size", "lstm_hidden_size", "n_lstm_layers"}
"""Settings that say what the networks are."""


class SB3Agent:
    """One algorithm of SB3 behind `scml_gym.agents.base.Agent`; subclasses name it and its hyperparameters.

    Attributes:
        hyperparameters: The checked ``agent`` section.
        env: The ``env`` section.
        observation_space, action_space: Of that environment.
        features: Arguments of SB3's policy that the ``features`` setting stands for.
        model: SB3's, with ``num_timesteps`` as its counter; None before training. `scml_gym.agents.fast_ppo.learner`
            has one of its own.
    """

    algorithm: str
    hyperparameters_class: ClassVar[type[Config]]
    action_spaces: ClassVar[tuple[type[gymnasium.Space], ...]] = (Box, Discrete, MultiDiscrete)
    policy_class: str | type = "MlpPolicy"
    schema: ClassVar[str] = SCHEMA

    def __init__(self, hyperparameters: Any, env: Mapping[str, Any]):
        self.hyperparameters = hyperparameters
        self.env = dict(env)
        single = make_env(env)
        self.observation_space, self.action_space = single.observation_space, single.action_space
        single.close()
        if not isinstance(self.action_space, self.action_spaces):
            valid = " or ".join(space.__name__ for space in self.action_spaces)
            told = f"takes actions of {valid}, this environment has {_brief(self.action_space)}"
            raise ConfigError(("env",), f"{self.algorithm.partition(':')[2]} {told}")
        self.features = FEATURES.get(hyperparameters.features)(
            hyperparameters, EnvSpaces(self.observation_space, self.action_space, self.env.get("timing"))
        )
        if "body" in self.features and isinstance(self.policy_class, str):
            raise ConfigError(("agent", "features"), f"{hyperparameters.features!r} is for ppo and maskable-ppo")
        self._check()
        self.model: Any = None
        self._beginning: Mapping[str, Any] | None = None

    def _check(self) -> None:
        """Refuse settings that would be found wrong later."""
        check_self_play(self)
        make_callbacks(self.hyperparameters.callbacks)

    @classmethod
    def build(cls, config: Mapping[str, Any], env: Mapping[str, Any]) -> Self:
        """See `scml_gym.agents.base.Agent.build`."""
        return cls(validate(cls.hyperparameters_class, config, "agent"), env)

    def begin_from(self, checkpoint: Path) -> None:
        """See `scml_gym.agents.base.BeginsFrom`: networks and optimiser; steps, schedules and replay begin anew.

        Raises:
            InputError: if it has other networks, observations or actions.
        """
        other = type(self).load(checkpoint)
        for name in ("observation_space", "action_space"):
            then, now = getattr(other, name), getattr(self, name)
            if then != now:
                told = f"{name.replace('_', ' ')} {_brief(now)}, but {checkpoint} was trained with {_brief(then)}"
                raise ConfigError(("env",), told)
        for key in _NETWORK & self.hyperparameters_class.model_fields.keys():
            then, now = getattr(other.hyperparameters, key), getattr(self.hyperparameters, key)
            if then != now:
                raise ConfigError(("agent", key), f"{now!r}, but {checkpoint} was trained with {then!r}")
        self._beginning = other._trained().get_parameters()

    def train(self, run: Run) -> None:
        """See `scml_gym.agents.base.Agent.train`; environments begin new episodes where a training is resumed."""
        vec = make_vec_env(
            self.env, self.hyperparameters.n_envs, self.hyperparameters.workers, self.hyperparameters.reward_scale
        )
        try:
            checkpoint = run.latest_checkpoint()
            if checkpoint is None:
                self.model = self._new_model(vec, run.config["seed"])
                if self._beginning is not None:
                    self.model.set_parameters(dict(self._beginning))
            else:
                self.model = self._read_model(checkpoint, vec)
            run.truncate_log(self.model.num_timesteps)
            explorer = partial(export_policy, self, temperature=1.0)
            past = make_self_play(self.hyperparameters.self_play, run, vec, self.model.num_timesteps, explorer)
            callbacks = [*past, *make_callbacks(self.hyperparameters.callbacks)]
            if self.hyperparameters.evaluation is not None:
                callbacks.append(Evaluation(self.hyperparameters.evaluation, self, self.env, run))
            total, log_steps = self.hyperparameters.total_steps, self.hyperparameters.log_steps
            learn(self.model, run, self.save, total, log_steps, callbacks)
        finally:
            vec.close()
        run.plot()

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """See `scml_gym.agents.base.Agent.predict`; a learner without masks passes ``mask`` over.

        Raises:
            InputError: if the learner is neither trained nor loaded.
        """
        return self._trained().predict(observation, state=state, deterministic=deterministic)

    def policy(self, seed: int) -> FactoryPolicy:
        """See `scml_gym.agents.base.Agent.policy`.

        Raises:
            InputError: if it was trained in an environment in which it is no player of a game, or in wrappers that may
                change what it sees and does.
        """
        game, env = self._played()
        predict = ThoughtfulPredict(self.predict, getattr(self.model, "policy", None))
        return game.policy(predict, env)

    def exported(self) -> Call:
        """See `scml_gym.agents.base.Exports.exported`.

        Raises:
            InputError: as `policy`; if its network cannot be exported.
        """
        game, env = self._played()
        predict = predict_call(self.algorithm, self._trained().policy)
        return filled(game.load("forms")(env), predict=predict, deterministic=True)

    def _played(self) -> tuple[Game, dict[str, Any]]:
        """The game that it plays, and the ``id`` and the arguments of the environment that it plays as in."""
        if wrappers_change_play(self.env):
            told = "it plays in these only (wrappers that are a gymnasium.RewardWrapper change no play)"
            raise InputError(f"trained with env.wrappers={self.env[WRAPPERS]}: {told}")
        env_id, arguments = env_arguments(self.env)
        game = game_of(env_id)
        if game is None:  # an environment of one's own is read as OneShot's with such an action
            game = GAMES.get(DEFAULT_GAME)
            env_id = CONCURRENT if not isinstance(self.action_space, Discrete) else ONE_PARTNER
            like = load_object(game.environments[env_id].single)
            arguments = {name: value for name, value in arguments.items() if name in argument_names(like)}
        return game, {"id": env_id} | arguments

    def policy_file(self) -> PolicyFile:
        """The policy as a strategy that the compiled world plays.

        Raises:
            InputError: if it is not trained, or none that a policy file can stand for.
        """
        return export_policy(self)

    def save(self, folder: Path) -> None:
        """Write ``agent.json``, SB3's ``model.zip``; ``policy.npz`` of a policy that a policy file can stand for, and
        ``replay.npz`` of an off-policy learner."""
        model = self._trained()
        facts = {
            "schema": self.schema,
            "algorithm": self.algorithm,
            "steps": model.num_timesteps,
            "settings": self.hyperparameters.model_dump(),
            "env": self.env,
        }
        (folder / "agent.json").write_text(json.dumps(facts, indent=1) + "\n")
        self._write_model(folder)
        save_policy_file(self, folder)

    def _write_model(self, folder: Path) -> None:
        model = self._trained()
        model.save(folder / "model.zip")
        if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None:
            save_replay(model.replay_buffer, folder / "replay.npz")

    @classmethod
    def algorithms(cls) -> tuple[str, ...]:
        """Those that its checkpoints may be of."""
        return (cls.algorithm,)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """See `scml_gym.agents.base.Agent.load`; SB3's zip can hold code, so load folders of people that you trust."""
        folder = Path(folder)
        try:
            facts = json.loads((folder / "agent.json").read_text())
            schema, algorithm = facts.get("schema"), facts.get("algorithm")
        except (OSError, UnicodeError, AttributeError, json.JSONDecodeError) as error:
            raise InputError(f"{folder} is not a readable checkpoint: {' '.join(str(error).split())}") from error
        if schema != cls.schema or algorithm not in cls.algorithms():
            valid = " or ".join(map(repr, cls.algorithms()))
            raise InputError(f"{folder} holds {schema!r} of {algorithm!r}, not {cls.schema!r} of {valid}")
        settings = validate(cls.hyperparameters_class, current_hyperparameters(facts.get("settings", {})), "agent")
        agent = cls(settings, facts.get("env", {}))
        agent.model = agent._read_model(folder, None)
        return agent

    def _trained(self) -> Any:
        if self.model is None:
            raise InputError("this learner is not trained yet: call train, or load a checkpoint")
        return self.model

    def _new_model(self, vec: Any, seed: int) -> BaseAlgorithm:
        with global_generators_kept():
            return load_object(self.algorithm)(
                self.policy_class,
                vec,
                seed=seeds_at(seed, 0)[0],
                policy_kwargs=self._network(),
                learning_rate=LinearSchedule(
                    self.hyperparameters.learning_rate, self.hyperparameters.final_learning_rate, 1.0
                ),
                **self.hyperparameters.model_dump(exclude=_OWN),
            )

    def _network(self) -> dict[str, Any]:
        return {"net_arch": self.hyperparameters.net_arch} | self.features

    def _read_model(self, folder: Path, vec: Any) -> Any:
        """The model of a checkpoint; with environments to go on learning in, its replay buffer too."""
        path = folder / "model.zip"
        try:
            with global_generators_kept():
                # what is pickled as a class of this package is given, so that its modules may have other names now
                ours: dict[str, Any] = {"policy_kwargs": self._network()}
                if isinstance(self.policy_class, type):
                    ours["policy_class"] = self.policy_class
                model = load_object(self.algorithm).load(path, device=self.hyperparameters.device, custom_objects=ours)
        except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is not a readable model: {' '.join(str(error).split())}") from error
        for name in ("observation_space", "action_space"):
            saved, now = getattr(model, name), getattr(self, name)
            if saved != now:
                what = name.replace("_", " ")
                raise InputError(f"{path} was trained with {what} {_brief(saved)}, this environment has {_brief(now)}")
        if vec is None:
            return model
        if model.n_envs != vec.num_envs:
            raise InputError(f"{path} was trained in {model.n_envs} environments, n_envs is {vec.num_envs}")
        model.set_env(vec)
        if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None:
            load_replay(model.replay_buffer, folder / "replay.npz")
        return model


class PPO(SB3Agent):
    """Proximal policy optimisation, without masks."""

    algorithm = "stable_baselines3:PPO"
    hyperparameters_class = PPOHyperparameters
    policy_class = HeadsPolicy


class MaskablePPO(SB3Agent):
    """PPO that samples only what the environment's ``action_masks()`` allows."""

    algorithm = "sb3_contrib:MaskablePPO"
    hyperparameters_class = PPOHyperparameters
    policy_class = MaskedHeadsPolicy
    action_spaces = (Discrete, MultiDiscrete)

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """See `scml_gym.agents.base.Agent.predict`; ``mask`` is bool, as ``action_masks()`` gives it."""
        return self._trained().predict(observation, state=state, action_masks=mask, deterministic=deterministic)


class RecurrentPPO(SB3Agent):
    """PPO with an LSTM; ``state`` in `predict` is its hidden state, None at the start of an episode."""

    algorithm = "sb3_contrib:RecurrentPPO"
    hyperparameters_class = RecurrentPPOHyperparameters
    policy_class = "MlpLstmPolicy"

    def _network(self) -> dict[str, Any]:
        hyperparameters: Any = self.hyperparameters
        return super()._network() | hyperparameters.model_dump(include={"lstm_hidden_size", "n_lstm_layers"})


class DQN(SB3Agent):
    """Deep Q-learning for environments with one discrete action, such as one partner at a time."""

    algorithm = "stable_baselines3:DQN"
    hyperparameters_class = DQNHyperparameters
    action_spaces = (Discrete,)

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """See `scml_gym.agents.base.Agent.predict`; with a mask, the valid action of the highest value."""
        if mask is None or not deterministic:
            return super().predict(observation, state, mask, deterministic)
        model = self._trained()
        tensor, vectorised = model.policy.obs_to_tensor(observation)
        with torch.no_grad():
            values = model.q_net(tensor).cpu().numpy()
        actions = np.where(np.asarray(mask, dtype=bool), values, -np.inf).argmax(axis=1)
        return (actions if vectorised else actions[0]), state


def _brief(space: gymnasium.Space) -> str:
    """A space in a few words, on one line."""
    if isinstance(space, Box):
        return f"Box{space.shape}"
    return " ".join(str(space).split())
