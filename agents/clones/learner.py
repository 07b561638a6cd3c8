"""The learner ``clone``: records agents in real worlds, fits a clone to each, saves, loads, plays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scml_gym.agents.clones.examples import examples_of
from scml_gym.agents.clones.fitting import fit_choice, log_loss
from scml_gym.agents.clones.generation import check_agents, clone_key, record_worlds, recording_path
from scml_gym.agents.clones.hyperparameters import CloneHyperparameters
from scml_gym.agents.clones.recording import Recording
from scml_gym.core.calls import Call
from scml_gym.core.config import ConfigError, validate
from scml_gym.core.data_files import content_of, read_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.game.world import FactoryPolicy
from scml_gym.jit.random import N_DRAWS
from scml_gym.oneshot.clones.files import CloneFile
from scml_gym.oneshot.clones.layout import CHOICES, LEVEL_SIZE
from scml_gym.oneshot.clones.strategy import CLONE
from scml_gym.oneshot.view import BUYER, SELLER, new_actions

if TYPE_CHECKING:
    from scml_gym.experiments.run_folder import Run

GAME = "scml_gym/OneShotConcurrent-v0"
"""The environment of the game that clones play."""

SCHEMA = "scml-gym-clones-1"
META = "clones.json"
FOLDER = "clones"
"""Where the clones stand, in a checkpoint and, when all are fitted, in the run folder: ``clones/2025/Name.npz``."""

RECORDINGS = "recordings"
LEVELS = {"seller": SELLER, "buyer": BUYER}


class CloneLearner:
    """An `scml_gym.agents.base.Agent`: fits compact models to what other agents decide.

    Args:
        hyperparameters: The complete ``agent`` section.
        env: The ``env`` section: ``id`` of the game alone, as the worlds are real ones.
        clones: Those that are fitted, in the order of ``hyperparameters.agents``.
    """

    def __init__(self, hyperparameters: CloneHyperparameters, env: Mapping[str, Any], clones: Sequence[CloneFile] = ()):
        self.hyperparameters = hyperparameters
        self.env = dict(env)
        self.clones = list(clones)

    @classmethod
    def build(cls, config: Mapping[str, Any], env: Mapping[str, Any]) -> Self:
        """A new, untrained learner.

        Raises:
            InputError: if a key is unknown or missing, a value wrong, or an agent cannot be recorded.
        """
        hyperparameters = validate(CloneHyperparameters, config, "agent")
        for key in env:
            if key != "id":
                raise ConfigError(("env", key), "unknown key; clones learn from real worlds, env has an id only")
        if env.get("id") != GAME:
            raise ConfigError(("env", "id"), f"{env.get('id')!r}; valid: {GAME}")
        check_agents(hyperparameters)
        return cls(hyperparameters, env)

    def train(self, run: Run) -> None:
        """Record the worlds (those that are there are kept), and fit the agents that no checkpoint has yet.

        A step is an agent. Raises:
            InputError: if a recording is no such file, or an agent played none of the worlds on a level.
        """
        settings, folder = self.hyperparameters, run.path / RECORDINGS
        folder.mkdir(exist_ok=True)
        with run.progress(settings.worlds, "worlds") as bar:
            record_worlds(settings, int(run.config["seed"]), folder, bar.update)
        checkpoint = run.latest_checkpoint()
        self.clones = [] if checkpoint is None else type(self).load(checkpoint).clones
        recordings = [Recording.load(recording_path(folder, number)) for number in range(settings.worlds)]
        n_learnt = len(recordings) - int(settings.held_out * len(recordings))
        learnt, held_out = recordings[:n_learnt], recordings[n_learnt:]
        run.truncate_log(len(self.clones))
        with run.progress(len(settings.agents), "agents") as bar, run.stops_at_checkpoints():
            for name in settings.agents[len(self.clones) :]:
                clone, losses = self._fit(name, learnt, held_out)
                self.clones.append(clone)
                run.log(len(self.clones), **losses)
                run.checkpoint(len(self.clones), self.save)
                bar.update(len(self.clones), clone_key(name))
        self._write(run.path)
        run.plot()

    def _fit(
        self, name: str, learnt: Sequence[Recording], held_out: Sequence[Recording]
    ) -> tuple[CloneFile, dict[str, float]]:
        """A clone, and its log losses: ``seller_set`` of the decisions that it was fitted to, ``blind_seller_set`` of
        choosing blindly there, ``held_out_seller_set`` of other decisions."""
        weights, losses = np.zeros((2, LEVEL_SIZE), np.float32), {}
        for side, level in LEVELS.items():
            seen, unseen = examples_of(learnt, name, level), examples_of(held_out, name, level)
            if not len(seen["total"].chosen):
                raise InputError(f"{name!r} decided nothing as a {side}; record more worlds (agent.worlds)")
            for key, choice in CHOICES.items():
                fitted = fit_choice(choice, seen[key], self.hyperparameters.penalty, self.hyperparameters.iterations)
                weights[level, choice.first : choice.first + choice.size] = fitted
                numbers = weights[level].astype(np.float64)
                losses[f"{side}_{key}"], losses[f"blind_{side}_{key}"] = log_loss(choice, numbers, seen[key])
                losses[f"held_out_{side}_{key}"] = log_loss(choice, numbers, unseen[key])[0]
        return CloneFile(name, weights), losses

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """The answers to all partners.

        Args:
            observation: A view (`scml_gym.oneshot.view.VIEW_DTYPE`).
            state: Of the strategy, float64, as this returned it; None at the beginning of a world.
            mask: Ignored: what cannot be played is not chosen.
            deterministic: Take the middle one of all draws, in place of random ones.
        """
        player, actions = self.policy_file().player(0), new_actions()
        state = np.zeros(CLONE.state_size) if state is None else np.array(state, dtype=np.float64)
        draws = np.full(N_DRAWS, 0.5) if deterministic else np.random.default_rng().random(N_DRAWS)
        CLONE.decide(observation, state, player.parameters, draws, actions)
        return actions, state

    def policy(self, seed: int) -> FactoryPolicy:
        """A player for one factory of one world.

        Raises:
            InputError: see `policy_file`.
        """
        return self.policy_file().player(seed)

    def policy_file(self) -> CloneFile:
        """The clone, as data; see `scml_gym.policies.run_folders.policy_file_maker`.

        Raises:
            InputError: if there is none yet, or several.
        """
        if not self.clones:
            raise InputError("there are no clones yet: train it first")
        if len(self.clones) > 1:
            keys = ", ".join(f"{FOLDER}/{clone_key(clone.agent)}.npz" for clone in self.clones)
            raise InputError(f"it holds {len(self.clones)} clones; name the file of one, in the run folder: {keys}")
        return self.clones[0]

    def exported(self) -> Call:
        """See `scml_gym.agents.base.Exports.exported`.

        Raises:
            InputError: see `policy_file`.
        """
        return self.policy_file().made()

    def save(self, folder: Path) -> None:
        """Write the clones, and ``clones.json``: hyperparameters and environment."""
        self._write(Path(folder))
        meta = {"schema": SCHEMA, "settings": self.hyperparameters.model_dump(mode="json"), "env": self.env}
        meta["fitted"] = [clone.agent for clone in self.clones]
        replace_file(Path(folder) / META, json.dumps(meta, indent=1) + "\n")

    def _write(self, folder: Path) -> None:
        for clone in self.clones:
            path = folder / FOLDER / f"{clone_key(clone.agent)}.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            clone.save(path)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InputError: if the folder is missing or corrupt, or of another schema or shape.
        """
        path = Path(folder) / META
        meta = read_json(path)
        with content_of(path, "the checkpoint of clones"):
            schema, settings, env, fitted = meta["schema"], meta["settings"], dict(meta["env"]), list(meta["fitted"])
            if schema != SCHEMA:
                raise InputError(f"{path} has the schema {schema!r}; {SCHEMA!r} is needed")
            checked = validate(CloneHyperparameters, settings)
            if fitted != checked.agents[: len(fitted)]:
                raise InputError(f"{path}: the clones {fitted} are not those of its settings")
        clones = [CloneFile.load(Path(folder) / FOLDER / f"{clone_key(name)}.npz") for name in fitted]
        return cls(checked, env, clones)
