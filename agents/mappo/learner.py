"""The learners ``mappo`` and ``ippo``: the algorithm beside them as an `Agent`, for any parallel environment."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from scml_gym.agents.mappo.algorithm import Learning, Networks
from scml_gym.agents.mappo.hyperparameters import MAPPOHyperparameters
from scml_gym.agents.mappo.making import make_worlds
from scml_gym.agents.mappo.networks import View, everyone, oneself
from scml_gym.agents.mappo.players import exported_player, factory_player
from scml_gym.agents.mappo.rollout import Player, draw
from scml_gym.agents.mappo.state import read_state, state_arrays
from scml_gym.agents.sb3.training import global_generators_kept, seeds_at, write_row
from scml_gym.core.arguments import whole
from scml_gym.core.calls import Call
from scml_gym.core.config import ConfigError, validate
from scml_gym.core.data_files import content_of, read_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, replace_file, write_arrays
from scml_gym.game.world import FactoryPolicy

if TYPE_CHECKING:
    from scml_gym.experiments.run_folder import Run

SCHEMA = "scml-gym-mappo-1"
META, WEIGHTS, TRAINING = "mappo.json", "weights.safetensors", "training.npz"


class MAPPO:
    """An `scml_gym.agents.base.Agent`: agents that share their policy, judged by a critic that sees all of them.

    Attributes:
        view: Whom an agent's critic sees.
        layout: Agents' observations and actions as arrays.
    """

    view: ClassVar[View] = staticmethod(everyone)

    def __init__(self, hyperparameters: MAPPOHyperparameters, env: Mapping[str, Any]):
        self.hyperparameters = hyperparameters
        self.env = {key: value for key, value in env.items() if key != "name"}
        worlds = make_worlds(self.env, 1, 1, hyperparameters.identity)
        self.layout = worlds.layout
        worlds.close()
        self.networks: Networks | None = None
        self.steps = 0
        self._generator = torch.Generator()
        self._beginning: Networks | None = None

    @classmethod
    def build(cls, config: Mapping[str, Any], env: Mapping[str, Any]) -> Self:
        """A new, untrained learner.

        Raises:
            InputError: if a key is unknown or missing, a value wrong, or the environment none that it can play.
        """
        settings = validate(MAPPOHyperparameters, config, "agent")
        if settings.n_worlds * settings.n_steps % settings.batch_size:
            told = f"{settings.batch_size}; it must divide n_worlds * n_steps = {settings.n_worlds * settings.n_steps}"
            raise ConfigError(("agent", "batch_size"), told)
        return cls(settings, env)

    def begin_from(self, checkpoint: Path) -> None:
        """See `scml_gym.agents.base.BeginsFrom`: networks and the scale of returns; optimisers begin anew.

        Raises:
            InputError: if it has other networks, observations or actions.
        """
        other = type(self).load(checkpoint)
        then, now = other.layout.described(), self.layout.described()
        if then != now:
            raise ConfigError(("env",), f"{now}, but {checkpoint} was trained with {then}")
        for key in ("hidden", "credit", "identity"):
            then, now = getattr(other.hyperparameters, key), getattr(self.hyperparameters, key)
            if then != now:
                raise ConfigError(("agent", key), f"{now!r}, but {checkpoint} was trained with {then!r}")
        self._beginning = other.networks

    def train(self, run: Run) -> None:
        """See `scml_gym.agents.base.Agent.train`; a resumed training is equal to one that was not interrupted."""
        settings, checkpoint = self.hyperparameters, run.latest_checkpoint()
        seeds = seeds_at(run.config["seed"], 0)
        self.networks = self._new_networks(seeds[0])
        if self._beginning is not None and checkpoint is None:
            self.networks.load_state_dict(self._beginning.state_dict())
        generator = torch.Generator().manual_seed(seeds[0])
        learning = Learning(self.networks, settings, type(self).view, generator)
        worlds = make_worlds(self.env, settings.n_worlds, settings.workers, settings.identity)
        try:
            player, logged = Player(worlds, generator), 0
            if checkpoint is None:
                self.steps = 0
                player.reset(seeds[1])
            else:
                self.networks.load_state_dict(self._read_networks(checkpoint).state_dict())
                arrays = read_arrays(checkpoint / TRAINING, "a training")
                with content_of(checkpoint / TRAINING, "a training"):
                    self.steps, logged = read_state(arrays, learning, player)
            run.truncate_log(self.steps)
            self._learn(run, learning, player, logged)
        finally:
            worlds.close()
        run.plot()

    def _learn(self, run: Run, learning: Learning, player: Player, logged: int) -> None:
        settings, note, since = self.hyperparameters, "", (self.steps, time.perf_counter())
        total = settings.total_steps

        def write(folder: Path) -> None:
            self.save(folder)
            write_arrays(folder / TRAINING, state_arrays(learning, player, self.steps, logged))

        with run.progress(total, run.info["agent_name"]) as bar, run.stops_at_checkpoints():
            bar.update(self.steps)
            while self.steps < total:
                rollout = player.play(learning.networks.actor, settings.n_steps)
                numbers = learning.update(rollout, self.steps)
                self.steps += settings.n_steps * settings.n_worlds
                if self.steps >= total or self.steps - logged >= settings.log_steps:
                    note = write_row(run, self.steps, player.told.take() | numbers, since)
                    logged, since = self.steps, (self.steps, time.perf_counter())
                bar.update(self.steps, note)
                if run.checkpoint_due() or self.steps >= total:
                    run.checkpoint(self.steps, write)

    def predict(
        self, observation: Any, state: Any = None, mask: Any = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """An agent's action.

        Args:
            observation: The pair (index of the agent among the possible ones, what it sees).
            state: Ignored: there is none.
            mask: Valid options, as the environment's infos have them; None for all.
            deterministic: Else the action is drawn.

        Raises:
            InputError: for anything but such a pair, or where nothing is learnt yet.
        """
        if not isinstance(observation, tuple | list) or len(observation) != 2:
            raise InputError("observation: a pair is needed, the index of the agent and what it sees")
        agent = whole("agent", observation[0], 0, self.layout.agents - 1)
        inputs = np.zeros((1, self.layout.inputs), np.float32)
        try:
            self.layout.observe(agent, observation[1], inputs[0])
            valid = self.layout.mask(agent, observation[1], {} if mask is None else {"action_mask": mask})
        except (ValueError, TypeError, IndexError, AttributeError, KeyError) as error:
            told = " ".join(str(error).split())
            raise InputError(
                f"observation: none of agent {agent}, or a mask that is none of its own ({told})"
            ) from error
        return self.layout.action(agent, self.choose(inputs, valid[None], deterministic)[0]), None

    @torch.no_grad()
    def choose(self, inputs: np.ndarray, masks: np.ndarray, deterministic: bool = True) -> np.ndarray:
        """Choices of agents, int64 ``(n, heads)``, from inputs float32 ``(n, inputs)`` and masks bool ``(n, options)``.

        Raises:
            InputError: if nothing is learnt yet.
        """
        actor, seen, valid = self._trained().actor, torch.from_numpy(inputs), torch.from_numpy(masks)
        if not deterministic:
            return draw(actor, seen, valid, self._generator)[0].numpy()
        return torch.stack([logs.argmax(dim=-1) for logs in actor.log_probabilities(seen, valid)], dim=-1).numpy()

    def seed(self, seed: int) -> None:
        """Let actions that `predict` draws begin anew."""
        self._generator.manual_seed(seed)

    def policy(self, seed: int) -> FactoryPolicy:
        """A player for one factory of one world, where it was trained in one of a track's environments.

        Raises:
            InputError: if its environment has no factories, or agents are told apart that another world does not have.
        """
        self._trained()
        return factory_player(self, self.env)

    def exported(self) -> Call:
        """See `scml_gym.agents.base.Exports.exported`; for agents that are factories.

        Raises:
            InputError: as `policy`, and for agents that are negotiations.
        """
        self._trained()
        return exported_player(self, self.env)

    def save(self, folder: Path) -> None:
        """Write ``weights.safetensors`` (networks, and the scale of returns) and ``mappo.json``."""
        replace_file(Path(folder) / WEIGHTS, save(self._trained().state_dict()))
        facts = {
            "schema": SCHEMA,
            "steps": self.steps,
            "settings": self.hyperparameters.model_dump(),
            "env": self.env,
            "layout": self.layout.described(),
        }
        replace_file(Path(folder) / META, json.dumps(facts, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InputError: if the folder is missing or corrupt, or of another schema or shape.
        """
        path = Path(folder) / META
        facts = read_json(path)
        if facts.get("schema") != SCHEMA:
            raise InputError(f"{path} has the schema {facts.get('schema')!r}; {SCHEMA!r} is needed")
        with content_of(path, "a checkpoint"):
            learner = cls(validate(MAPPOHyperparameters, facts["settings"], "agent"), facts["env"])
            learner.steps = int(facts["steps"])
            if facts["layout"] != (now := learner.layout.described()):
                raise InputError(f"{path} was trained with {facts['layout']}, this environment has {now}")
        learner.networks = learner._read_networks(Path(folder))
        return learner

    def _new_networks(self, seed: int) -> Networks:
        with global_generators_kept():
            torch.manual_seed(seed)
            try:
                return Networks(self.layout, self.hyperparameters)
            except RuntimeError as error:  # torch has no memory for it
                told = f"{self.hyperparameters.hidden}: {' '.join(str(error).split())}"
                raise ConfigError(("agent", "hidden"), told) from error

    def _read_networks(self, folder: Path) -> Networks:
        networks, path = self._new_networks(0), folder / WEIGHTS
        try:
            networks.load_state_dict(load(path.read_bytes()))
        except (OSError, SafetensorError, RuntimeError, ValueError) as error:
            raise InputError(f"{path} holds no weights of this network: {' '.join(str(error).split())}") from error
        return networks

    def _trained(self) -> Networks:
        if self.networks is None:
            raise InputError("this learner is not trained yet: call train, or load a checkpoint")
        return self.networks


class IPPO(MAPPO):
    """``mappo`` with a critic that sees what its own agent sees alone."""

    view = staticmethod(oneself)
