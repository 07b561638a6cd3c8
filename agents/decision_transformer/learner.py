"""The learner ``decision-transformer``: a sequence model of recorded episodes, which plays for a return."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from gymnasium import spaces

from scml_gym.agents.behaviour_cloning.players import factory_player, spaces_of
from scml_gym.agents.decision_transformer.fitting import Fitting, fit_scales
from scml_gym.agents.decision_transformer.forms import actions_of, observations_of
from scml_gym.agents.decision_transformer.hyperparameters import (
    DecisionTransformerHyperparameters,
    SequenceHyperparameters,
)
from scml_gym.agents.decision_transformer.network import DecisionTransformer
from scml_gym.agents.decision_transformer.playing import Memory, beginning, decide
from scml_gym.agents.decision_transformer.sequences import Sequences, sequences_of
from scml_gym.agents.sb3.training import global_generators_kept, seeds_at, write_row
from scml_gym.agents.sb3.weights import brief_space, read_weights, write_weights
from scml_gym.core.config import ConfigError, arguments_of, validate
from scml_gym.core.data_files import content_of, read_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, replace_file, write_arrays
from scml_gym.game.world import FactoryPolicy
from scml_gym.offline.playing import flat_mask
from scml_gym.offline.reading import check_game, load_decisions

if TYPE_CHECKING:
    from scml_gym.experiments.run_folder import Run

META, WEIGHTS, TRAINING = "decision_transformer.json", "weights.npz", "training.npz"


class DecisionTransformerLearner:
    """An `scml_gym.agents.base.Agent`; subclasses say what else is learnt from.

    Attributes:
        hyperparameters: The checked ``agent`` section.
        env: The ``env`` section.
        observation_space, action_space: Of that environment, or of each of its agents.
        network: None before training.
        steps: Decisions that it has learnt from.
    """

    hyperparameters_class: ClassVar[type[SequenceHyperparameters]] = DecisionTransformerHyperparameters
    schema: ClassVar[str] = "scml-gym-decision-transformer-1"
    order: ClassVar[tuple[int, ...] | None] = None
    """Of the choices of an action, see `scml_gym.agents.decision_transformer.forms.actions_of`."""

    def __init__(self, hyperparameters: Any, env: Mapping[str, Any]):
        self.hyperparameters, self.env = hyperparameters, {key: env[key] for key in env if key != "name"}
        self.observation_space, self.action_space = self._find_spaces()
        self._seen, self._done = observations_of(self.observation_space), actions_of(self.action_space, self.order)
        self.network: DecisionTransformer | None = None
        self.steps = 0
        self._generator = torch.Generator()

    @classmethod
    def build(cls, config: Mapping[str, Any], env: Mapping[str, Any]) -> Self:
        """See `scml_gym.agents.base.Agent.build`."""
        return cls(validate(cls.hyperparameters_class, config, "agent"), env)

    def _find_spaces(self) -> tuple[spaces.Space, spaces.Space]:
        return spaces_of(self.env)

    def _episodes(self, run: Run) -> Sequences:
        """What is learnt from.

        Raises:
            InputError: if it is missing, or of another form.
        """
        names = self.hyperparameters.data
        with arguments_of("agent", ("data",), "data"):
            check_game(names, self.env["id"])
            decisions = load_decisions(names, self.observation_space, self.action_space)
        return sequences_of(decisions, self._seen, self._done)

    def train(self, run: Run) -> None:
        """See `scml_gym.agents.base.Agent.train`; a resumed training is equal to one that was not interrupted.

        Raises:
            InputError: before anything is learnt, if a dataset is missing, or of another game or other spaces.
        """
        settings, checkpoint = self.hyperparameters, run.latest_checkpoint()
        sequences, seeds = self._episodes(run), seeds_at(run.config["seed"], 0)
        network = self.network = self._new_network(seeds[0])
        if checkpoint is None:
            fit_scales(network, sequences, settings.held_out, settings.target_return)
        else:
            read_weights(network, checkpoint / WEIGHTS)
        fitting = Fitting(network, sequences, settings, seeds[1])
        if checkpoint is not None:
            arrays = read_arrays(checkpoint / TRAINING, "a training")
            with content_of(checkpoint / TRAINING, "a training"):
                fitting.restore(arrays)
        run.truncate_log(fitting.steps)
        self._learn(run, fitting)
        run.plot()

    def _learn(self, run: Run, fitting: Fitting) -> None:
        since, note = (fitting.steps, time.perf_counter()), ""

        def save(folder: Path) -> None:
            self.save(folder)
            write_arrays(folder / TRAINING, fitting.arrays())

        with run.progress(fitting.total, run.info["agent_name"]) as bar, run.stops_at_checkpoints():
            while fitting.steps < fitting.total:
                fitting.learn()
                self.steps = steps = fitting.steps
                epoch_ended = steps % fitting.epoch == 0
                if epoch_ended:
                    measured = {"loss": fitting.take_loss()} | fitting.measure()
                    note = write_row(run, steps, measured, since)
                    since = (steps, time.perf_counter())
                bar.update(steps, note)
                if (epoch_ended and run.checkpoint_due()) or steps >= fitting.total or run.stop_requested:
                    run.checkpoint(steps, save)

    def predict(
        self, observation: Any, state: Any = None, mask: Any = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """See `scml_gym.agents.base.Agent.predict`.

        Args:
            observation: Of its environment; of a PettingZoo one, what one agent sees.
            state: What it gave with the agent's action before; None at the beginning of an episode.
            mask: Valid options, choice after choice, or as the environment's infos have them; None for all.
            deterministic: Else the action is drawn.

        Raises:
            InputError: if it is not trained, or for an observation or a mask of another form.
        """
        masks = None if mask is None else flat_mask(mask)[None]
        (action,), (after,) = self.decide([observation], [state], masks, deterministic)
        return action, after

    def decide(
        self,
        observations: Sequence[Any],
        states: Sequence[Memory | None],
        masks: np.ndarray | None = None,
        deterministic: bool = True,
    ) -> tuple[list[Any], list[Memory]]:
        """`predict` for several agents at once; ``masks`` are bool ``(n, options)``, choice after choice."""
        network = self._trained()
        rows = np.concatenate([self._seen.rows(_stacked(seen), 1) for seen in observations])
        memories = [
            beginning(network, self._seen.width, self._done.width) if state is None else state for state in states
        ]
        if masks is None:
            masks = np.ones((len(rows), sum(getattr(self._done, "sizes", ()))), np.bool_)
        valid, generator = self._done.masks(masks), None if deterministic else self._generator
        picked, after = decide(network, self.hyperparameters.context, memories, rows, valid, generator)
        return [self._done.action(row) for row in picked], after

    def seed(self, seed: int) -> None:
        """Let actions that `predict` draws begin anew."""
        self._generator.manual_seed(seed)

    def policy(self, seed: int) -> FactoryPolicy:
        """See `scml_gym.agents.base.Agent.policy`.

        Raises:
            InputError: if it is not trained, or its environment has no factories, or wrappers that may change what it
                sees and does.
        """
        self._trained()
        return factory_player(self)

    def save(self, folder: Path) -> None:
        """Write ``weights.npz`` (with the scales of observations, returns and rewards) and `META`."""
        write_weights(self._trained(), self.steps, Path(folder) / WEIGHTS)
        facts = {
            "schema": self.schema,
            "steps": self.steps,
            "settings": self.hyperparameters.model_dump(),
            "env": self.env,
            "spaces": self._spaces(),
        }
        replace_file(Path(folder) / META, json.dumps(facts, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """See `scml_gym.agents.base.Agent.load`."""
        path = Path(folder) / META
        facts = read_json(path)
        if facts.get("schema") != cls.schema:
            raise InputError(f"{path} has the schema {facts.get('schema')!r}; {cls.schema!r} is needed")
        with content_of(path, "a checkpoint"):
            learner = cls(validate(cls.hyperparameters_class, facts["settings"], "agent"), facts["env"])
            if facts["spaces"] != (now := learner._spaces()):
                raise InputError(f"{path} was trained with {facts['spaces']}, this environment has {now}")
        learner.network = learner._new_network(0)
        learner.steps = read_weights(learner.network, Path(folder) / WEIGHTS)
        return learner

    def _spaces(self) -> list[str]:
        return [brief_space(self.observation_space), brief_space(self.action_space)]

    def _new_network(self, seed: int) -> DecisionTransformer:
        settings = self.hyperparameters
        with global_generators_kept():
            torch.manual_seed(seed)
            shape = settings.width, settings.layers, settings.attention_heads
            try:
                return DecisionTransformer(self._seen, self._done, *shape)
            except RuntimeError as error:  # torch has no memory for it
                told = f"{settings.width}: {' '.join(str(error).split())}"
                raise ConfigError(("agent", "width"), told) from error

    def _trained(self) -> DecisionTransformer:
        if self.network is None:
            raise InputError("this learner is not trained yet: call train, or load a checkpoint")
        return self.network


def _stacked(observation: Any) -> Any:
    """One observation as a dataset stacks them."""
    if isinstance(observation, Mapping):
        return {name: _stacked(part) for name, part in observation.items()}
    return np.asarray(observation)[None]
