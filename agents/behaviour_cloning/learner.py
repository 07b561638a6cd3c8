"""The learner ``behaviour-cloning``: policies of Stable-Baselines3, fitted to the decisions of datasets.

Players, evaluation, policy files and submissions are those of ``maskable-ppo``, or, where actions are numbers, of
``ppo``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Space

from scml_gym.agents.behaviour_cloning.fitting import Fitting
from scml_gym.agents.behaviour_cloning.hyperparameters import BehaviourCloningHyperparameters
from scml_gym.agents.behaviour_cloning.players import factory_player, is_parallel, spaces_of
from scml_gym.agents.sb3.heads import HeadsPolicy, MaskedHeadsPolicy
from scml_gym.agents.sb3.learner import SB3Agent
from scml_gym.agents.sb3.training import seeds_at, write_row
from scml_gym.agents.sb3.weights import WEIGHTS, Played, brief_space, read_policy
from scml_gym.core.calls import Call
from scml_gym.core.config import ConfigError, arguments_of
from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, write_arrays
from scml_gym.experiments.make_env import make_env
from scml_gym.experiments.run_folder import Run
from scml_gym.game.world import FactoryPolicy
from scml_gym.offline.playing import stacked
from scml_gym.offline.reading import check_game, load_decisions

TRAINING = "training.npz"
"""In a checkpoint: where the training stands."""


OF_CHOICES, OF_NUMBERS = "sb3_contrib:MaskablePPO", "stable_baselines3:PPO"
"""Whose policies they are, by the environment's actions."""


class BehaviourCloning(SB3Agent):
    """Supervised learning of a policy from datasets; it plays in their environment as any other learner."""

    hyperparameters_class = BehaviourCloningHyperparameters
    policy_class = MaskedHeadsPolicy
    schema = "scml-gym-behaviour-cloning-1"

    def __init__(self, hyperparameters: BehaviourCloningHyperparameters, env: Mapping[str, Any]):
        super().__init__(hyperparameters, env)
        numbers = isinstance(self.action_space, Box)
        self.algorithm = OF_NUMBERS if numbers else OF_CHOICES
        self.policy_class = HeadsPolicy if numbers else self.policy_class
        self._masked = not numbers

    @classmethod
    def algorithms(cls) -> tuple[str, ...]:
        """See `SB3Agent`."""
        return (OF_CHOICES, OF_NUMBERS)

    def _spaces(self) -> tuple[Space, Space]:
        return spaces_of(self.env)

    def _check(self) -> None:
        """Refuse settings that would be found wrong later.

        Raises:
            ConfigError: if the loss is one of numbers, and actions are choices.
        """
        if self.hyperparameters.loss == "huber" and not isinstance(self.action_space, Box):
            told = f"'huber' is for actions that are numbers, these are {brief_space(self.action_space)}"
            raise ConfigError(("agent", "loss"), f"{told}; valid: likelihood")

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """See `scml_gym.agents.base.Agent.predict`; ``mask`` is bool, as ``action_masks()`` gives it."""
        given = {"action_masks": mask} if self._masked else {}
        return self._trained().predict(observation, state=state, deterministic=deterministic, **given)

    def decide(
        self, observations: Sequence[Any], states: Sequence[Any], masks: np.ndarray
    ) -> tuple[Sequence[Any], list[Any]]:
        """See `scml_gym.agents.behaviour_cloning.players.Decides`; nothing is remembered."""
        return self.predict(stacked(observations), None, masks)[0], list(states)

    def policy(self, seed: int) -> FactoryPolicy:
        """See `scml_gym.agents.base.Agent.policy`.

        Raises:
            InputError: as `SB3Agent.policy`; if it was trained in a game without factories.
        """
        if not is_parallel(self.env):
            return super().policy(seed)
        self._trained()
        return factory_player(self)

    def exported(self) -> Call:
        """See `scml_gym.agents.base.Exports.exported`.

        Raises:
            InputError: as `SB3Agent.exported`, and for agents of PettingZoo's environments.
        """
        if is_parallel(self.env):
            raise InputError(f"cannot be exported: trained in {self.env['id']!r}, an environment of several agents")
        return super().exported()

    def train(self, run: Run) -> None:
        """See `scml_gym.agents.base.Agent.train`; a resumed training is equal to one that was not interrupted.

        Raises:
            InputError: before anything is learnt, if a dataset is missing, or of another environment or other spaces.
        """
        settings: Any = self.hyperparameters
        with arguments_of("agent", ("data",), "data"):
            check_game(settings.data, self.env["id"])
            decisions = load_decisions(settings.data, self.observation_space, self.action_space)
        checkpoint, seeds = run.latest_checkpoint(), seeds_at(run.config["seed"], 0)
        self.model = self._read_policy(checkpoint) if checkpoint else Played(self._new_policy(seeds[0]))
        if checkpoint is None and self._beginning is not None:
            self.model.policy.load_state_dict(self._beginning["policy"])
        self.model.policy.set_training_mode(True)
        meant = self._meant(decisions.actions)
        fitting = Fitting(self.model.policy, decisions, settings, self._masked, seeds[1], meant)
        if checkpoint is not None:
            arrays = read_arrays(checkpoint / TRAINING, "a training")
            with content_of(checkpoint / TRAINING, "a training"):
                fitting.restore(arrays)
        run.truncate_log(fitting.steps)
        self._learn(run, fitting)
        self.model.policy.set_training_mode(False)
        run.plot()

    def _meant(self, actions: np.ndarray) -> np.ndarray | None:
        """Which numbers of actions say something, where the environment's action codec knows, ``(n, numbers)``."""
        if is_parallel(self.env):
            return None
        env = make_env(self.env)
        meant = getattr(getattr(env.unwrapped, "codec", None), "meant", None)
        env.close()
        return None if meant is None else meant(actions).reshape(len(actions), -1)

    def _learn(self, run: Run, fitting: Fitting) -> None:
        since, note = (fitting.steps, time.perf_counter()), ""

        def save(folder: Path) -> None:
            self.save(folder)
            write_arrays(folder / TRAINING, fitting.arrays())

        with run.progress(fitting.total, run.info["agent_name"]) as bar, run.stops_at_checkpoints():
            while fitting.steps < fitting.total:
                fitting.learn()
                self.model.num_timesteps = steps = fitting.steps
                epoch_ended = steps % fitting.epoch == 0
                if epoch_ended:
                    measured = {"loss": fitting.take_loss()} | fitting.measure()
                    note = write_row(run, steps, measured, since)
                    since = (steps, time.perf_counter())
                bar.update(steps, note)
                if (epoch_ended and run.checkpoint_due()) or steps >= fitting.total or run.stop_requested:
                    run.checkpoint(steps, save)

    def _read_policy(self, folder: Path) -> Played:
        return read_policy(self._new_policy(0), folder / WEIGHTS, "cpu")
