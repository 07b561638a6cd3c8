"""Learners of Stable-Baselines3 and sb3-contrib: PPO, MaskablePPO, RecurrentPPO, DQN.

PPO and RecurrentPPO know no action masks: they learn that an invalid answer ends a negotiation. MaskablePPO samples
valid answers only. DQN learns without masks and plays the best valid answer where it is given one.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self, cast

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.utils import LinearSchedule

from scml_gym.agents import AGENTS
from scml_gym.agents.sb3.evaluation import Evaluation, check_evaluation
from scml_gym.agents.sb3.exported import predict_call
from scml_gym.agents.sb3.hyperparameters import (
    FEATURES,
    EnvSpaces,
)
from scml_gym.agents.sb3.policy_files import export_policy, save_policy_file
from scml_gym.agents.sb3.replay import load_replay, save_replay
from scml_gym.agents.sb3.self_play import check_self_play, make_self_play
from scml_gym.agents.sb3.thoughts import ThoughtfulPredict
from scml_gym.agents.sb3.training import global_generators_kept, learn, make_callbacks, make_vec_env, seeds_at
from scml_gym.agents.sb3.weights import (
    OPTIMIZER,
    WEIGHTS,
    brief_space,
    check_device,
    new_policy,
    read_optimizer,
    read_policy,
    write_optimizer,
    write_weights,
)
from scml_gym.core.arguments import argument_names
from scml_gym.core.calls import Call, filled
from scml_gym.core.config import Config, ConfigError, validate
from scml_gym.core.data_files import content_of, read_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.core.registry import load_object
from scml_gym.core.trust import require_trust
from scml_gym.experiments.make_env import WRAPPERS, env_arguments, make_env, wrappers_change_play
from scml_gym.experiments.run_folder import Run
from scml_gym.experiments.run_info import current_hyperparameters
from scml_gym.game.definition import Game
from scml_gym.game.policy_files import PolicyFile
from scml_gym.game.world import FactoryPolicy
from scml_gym.games import DEFAULT_GAME, GAMES, game_of
from scml_gym.oneshot.exported_policies import CONCURRENT, ONE_PARTNER

SCHEMA = "scml-gym-sb3-2"

_SPACES = ("observation_space", "action_space")
_OPTIMIZER = "policy.optimizer"
"""Among SB3's parameters."""

_NETWORK = {"net_arch", "features", "embedding_size", "lstm_hidden_size", "n_lstm_layers"}
"""Settings that say what the networks are."""

_OWN = {"total_steps", "n_envs", "workers", "log_steps", "learning_rate", "final_learning_rate", "reward_scale"}
_OWN |= {"decision_cost", "self_play", "evaluation", "callbacks"} | _NETWORK
"""Settings that SB3's algorithms do not take."""


class SB3Agent:
    """One algorithm of SB3 behind `scml_gym.agents.base.Agent`; subclasses name it and its hyperparameters.

    Attributes:
        hyperparameters: The checked ``agent`` section.
        env: The ``env`` section.
        observation_space, action_space: Of that environment.
        features: Arguments of SB3's policy that the ``features`` setting stands for.
        takes_over: Names of other learners with the same networks, from whose runs it may begin.
        model: SB3's, with ``num_timesteps`` as its counter; None before training. `scml_gym.agents.fast_ppo.learner`
            has one of its own.
    """

    algorithm: str
    hyperparameters_class: ClassVar[type[Config]]
    action_spaces: ClassVar[tuple[type[gymnasium.Space], ...]] = (Box, Discrete, MultiDiscrete)
    policy_class: str | type = "MlpPolicy"
    schema: ClassVar[str] = SCHEMA
    takes_over: ClassVar[tuple[str, ...]] = ()

    def __init__(self, hyperparameters: Any, env: Mapping[str, Any]):
        self.hyperparameters = hyperparameters
        self.env = dict(env)
        self.observation_space, self.action_space = self._spaces()
        if not isinstance(self.action_space, self.action_spaces):
            valid = " or ".join(space.__name__ for space in self.action_spaces)
            told = f"takes actions of {valid}, this environment has {brief_space(self.action_space)}"
            raise ConfigError(("env",), f"{self.algorithm.partition(':')[2]} {told}")
        self.features = FEATURES.get(hyperparameters.features)(
            hyperparameters, EnvSpaces(self.observation_space, self.action_space, self.env.get("timing"))
        )
        if "body" in self.features and isinstance(self.policy_class, str):
            raise ConfigError(("agent", "features"), f"{hyperparameters.features!r} is for ppo and maskable-ppo")
        self._check()
        self.model: Any = None
        self._beginning: dict[str, Any] | None = None

    def _spaces(self) -> tuple[gymnasium.Space, gymnasium.Space]:
        """Observations and actions of its environment."""
        single = make_env(self.env)
        single.close()
        return single.observation_space, single.action_space

    def _check(self) -> None:
        """Refuse settings that would be found wrong later."""
        check_device(self.hyperparameters.device)
        check_self_play(self)
        check_evaluation(self)
        make_callbacks(self.hyperparameters.callbacks)

    @classmethod
    def build(cls, config: Mapping[str, Any], env: Mapping[str, Any]) -> Self:
        """See `scml_gym.agents.base.Agent.build`."""
        return cls(validate(cls.hyperparameters_class, config, "agent"), env)

    def begin_from(self, checkpoint: Path) -> None:
        """See `scml_gym.agents.base.BeginsFrom`: networks, and the optimiser where it is kept; steps, schedules and
        replay begin anew.

        Raises:
            InputError: if it has other networks, observations or actions.
        """
        other = self._of_checkpoint(checkpoint).load(checkpoint)
        for name in _SPACES:
            then, now = getattr(other, name), getattr(self, name)
            if then != now:
                told = f"{checkpoint} was trained with {brief_space(then)}"
                raise ConfigError(("env",), f"{name.replace('_', ' ')} {brief_space(now)}, but {told}")
        for key in _NETWORK & self.hyperparameters_class.model_fields.keys():
            then, now = getattr(other.hyperparameters, key), getattr(self.hyperparameters, key)
            if then != now:
                raise ConfigError(("agent", key), f"{now!r}, but {checkpoint} was trained with {then!r}")
        self._beginning = other._parameters(checkpoint)

    def _of_checkpoint(self, folder: Path) -> type[SB3Agent]:
        """The class of the learner that wrote a checkpoint: one of `takes_over`, else this one's."""
        kinds = {kind.schema: kind for kind in map(AGENTS.get, self.takes_over)}
        kinds[self.schema] = type(self)
        return kinds.get(read_json(folder / "agent.json").get("schema"), type(self))

    def train(self, run: Run) -> None:
        """See `scml_gym.agents.base.Agent.train`; environments begin new episodes where a training is resumed."""
        vec = make_vec_env(
            self.env,
            self.hyperparameters.n_envs,
            self.hyperparameters.workers,
            self.hyperparameters.reward_scale,
            self.hyperparameters.decision_cost,
        )
        try:
            checkpoint = run.latest_checkpoint()
            if checkpoint is None:
                self.model = self._new_model(vec, run.config["seed"])
                if self._beginning is not None:
                    learnt = dict(self._beginning)
                    if _OPTIMIZER in learnt:
                        settings = {"param_groups": self.model.policy.optimizer.state_dict()["param_groups"]}
                        learnt[_OPTIMIZER] = learnt[_OPTIMIZER] | settings
                    self.model.set_parameters(self.model.get_parameters() | learnt)
            else:
                self.model = self._read_model(checkpoint, vec)
            run.truncate_log(self.model.num_timesteps)
            past = make_self_play(self, run, vec, self.model.num_timesteps)
            callbacks = [*past, *make_callbacks(self.hyperparameters.callbacks)]
            if self.hyperparameters.evaluation is not None:
                callbacks.append(Evaluation(self.hyperparameters.evaluation, self, run))
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

    def write_weights(self, folder: Path) -> None:
        """Write the network's weights alone (`WEIGHTS`), which `load` takes in place of SB3's zip."""
        write_weights(self._trained().policy, self._trained().num_timesteps, folder / WEIGHTS)

    def policy_file(self) -> PolicyFile:
        """The policy as a strategy that the compiled world plays.

        Raises:
            InputError: if it is not trained, or none that a policy file can stand for.
        """
        return export_policy(self)

    def save(self, folder: Path) -> None:
        """Write ``agent.json``; ``weights.npz`` and ``optimizer.npz``, as data; SB3's ``model.zip``, from which it goes
        on; ``policy.npz`` of a policy that a policy file can stand for, and ``replay.npz`` of an off-policy learner."""
        model = self._trained()
        facts = {
            "schema": self.schema,
            "algorithm": self.algorithm,
            "steps": model.num_timesteps,
            "settings": self.hyperparameters.model_dump(),
            "env": self.env,
            "spaces": {name: brief_space(getattr(self, name)) for name in _SPACES},
        }
        replace_file(folder / "agent.json", json.dumps(facts, indent=1) + "\n")
        self._write_model(folder)
        save_policy_file(self, folder)

    def _write_model(self, folder: Path) -> None:
        self.write_weights(folder)
        model = self._trained()
        if not isinstance(model, BaseAlgorithm):  # it plays, and is not trained further
            return
        write_optimizer(cast(Any, model.policy).optimizer, folder / OPTIMIZER)
        content = io.BytesIO()
        model.save(content)
        replace_file(folder / "model.zip", content.getvalue())
        if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None:
            save_replay(model.replay_buffer, folder / "replay.npz")

    @classmethod
    def algorithms(cls) -> tuple[str, ...]:
        """Those that its checkpoints may be of."""
        return (cls.algorithm,)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """See `scml_gym.agents.base.Agent.load`; it plays by the weights alone, which are data. A checkpoint of an
        earlier version has SB3's zip in their place, which is opened in a folder that is trusted only."""
        folder = Path(folder)
        try:
            facts = read_json(folder / "agent.json")
        except InputError as error:
            raise InputError(f"{folder} is not a readable checkpoint: {error}") from error
        schema, algorithm = facts.get("schema"), facts.get("algorithm")
        if schema != cls.schema or algorithm not in cls.algorithms():
            valid = " or ".join(map(repr, cls.algorithms()))
            raise InputError(f"{folder} holds {schema!r} of {algorithm!r}, not {cls.schema!r} of {valid}")
        with content_of(folder / "agent.json", "a checkpoint"):
            settings = validate(cls.hyperparameters_class, current_hyperparameters(facts.get("settings", {})), "agent")
            agent = cls(settings, facts.get("env", {}))
            for name, saved in dict(facts.get("spaces", {})).items():
                if name in _SPACES and saved != brief_space(getattr(agent, name)):
                    agent._refuse_space(folder, name, saved)
        agent.model = agent._read_policy(folder)
        return agent

    def _refuse_space(self, path: Path, name: str, saved: str) -> NoReturn:
        what, now = name.replace("_", " "), brief_space(getattr(self, name))
        raise InputError(f"{path} was trained with {what} {saved}, this environment has {now}")

    def _read_policy(self, folder: Path) -> Any:
        """What plays a checkpoint: a policy with its weights."""
        if not (folder / WEIGHTS).is_file():
            return self._read_model(folder, None)
        return read_policy(self._new_policy(0), folder / WEIGHTS, self.hyperparameters.device)

    def _parameters(self, folder: Path) -> dict[str, Any]:
        """Networks of a checkpoint that is loaded, and its optimiser where it is kept: for SB3's ``set_parameters``."""
        if not (folder / WEIGHTS).is_file():
            return self._read_model(folder, None).get_parameters()
        parameters = {"policy": self._trained().policy.state_dict()}
        if (folder / OPTIMIZER).is_file():
            parameters[_OPTIMIZER] = read_optimizer(folder / OPTIMIZER)
        return parameters

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

    def _new_policy(self, seed: int) -> Any:
        algorithm: Any = load_object(self.algorithm)
        kind = algorithm.policy_aliases.get(self.policy_class, self.policy_class)
        return new_policy(kind, self.observation_space, self.action_space, self._network(), seed)

    def _read_model(self, folder: Path, vec: Any) -> Any:
        """The model of a checkpoint; with environments to go on learning in, its replay buffer too."""
        path = folder / "model.zip"
        require_trust(folder, f"its {path.name} holds pickles, which can run code")
        try:
            with global_generators_kept():
                # what is pickled as a class of this package is given, so that its modules may have other names now
                ours: dict[str, Any] = {"policy_kwargs": self._network()}
                if isinstance(self.policy_class, type):
                    ours["policy_class"] = self.policy_class
                model = load_object(self.algorithm).load(path, device=self.hyperparameters.device, custom_objects=ours)
        except Exception as error:  # pickles of whatever kind
            raise InputError(f"{path} is not a readable model: {' '.join(str(error).split())}") from error
        for name in _SPACES:
            if (saved := getattr(model, name)) != getattr(self, name):
                self._refuse_space(path, name, brief_space(saved))
        if vec is None:
            return model
        if model.n_envs != vec.num_envs:
            raise InputError(f"{path} was trained in {model.n_envs} environments, n_envs is {vec.num_envs}")
        model.set_env(vec)
        if isinstance(model, OffPolicyAlgorithm) and model.replay_buffer is not None:
            load_replay(model.replay_buffer, folder / "replay.npz")
        return model
