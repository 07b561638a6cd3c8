"""The learner ``hrl-xf``: the whole agent, trained stage by stage.

Record and pre-train L3; train L2; fit L4 to its teacher; then the hierarchy plays and learns: to follow L2's plans
(DAgger), IPPO with alpha 0, MAPPO with everything, self-play against past copies. A checkpoint holds all parts, so it
plays by itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np
import torch

from scml_gym.agents import AGENTS
from scml_gym.agents.hrl_xf.agent_hyperparameters import ONLINE, SKIP, TRAIN, HRLXFHyperparameters, OnlineStage
from scml_gym.agents.hrl_xf.alphas import ALPHAS
from scml_gym.agents.hrl_xf.coordinator import Coordinator
from scml_gym.agents.hrl_xf.dagger import LESSONS
from scml_gym.agents.hrl_xf.distilling import distil, new_coordinator
from scml_gym.agents.hrl_xf.hierarchy import Exploring, Hierarchy
from scml_gym.agents.hrl_xf.improving import Improving, Judge, rollout_of
from scml_gym.agents.hrl_xf.keeping import Keeping
from scml_gym.agents.hrl_xf.learner import ENVIRONMENT, ExecutorLearner
from scml_gym.agents.hrl_xf.managing import ManagerSeat
from scml_gym.agents.hrl_xf.past import Copies
from scml_gym.agents.hrl_xf.rollouts import play, scores
from scml_gym.agents.hrl_xf.stages import OF_EXECUTORS, manager_of, of_agent, of_env, taken, train_manager, trained
from scml_gym.agents.mappo.networks import View, everyone, oneself
from scml_gym.agents.sb3.training import global_generators_kept, write_row
from scml_gym.agents.sb3.weights import read_weights, write_weights
from scml_gym.core.config import ConfigError, arguments_of, load_experiment, validate
from scml_gym.core.data_files import content_of, read_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import read_arrays, replace_file, write_arrays
from scml_gym.experiments.make_parallel import make_parallel
from scml_gym.game.world import FactoryPolicy

if TYPE_CHECKING:
    from scml_gym.experiments.run_folder import Run

NAME, SCHEMA = "hrl-xf", "scml-gym-hrl-xf-2"
META, COORDINATOR, JUDGE, TRAINING = "hrl_xf.json", "coordinator.npz", "critic.npz", "training.npz"
CRITICS: dict[str, View] = {"own": oneself, "all": everyone}
"""Whom the critic sees, by the name in the settings."""

MEASURED = ("follow_loss", "policy_loss", "approx_kl", "clip_fraction", "value_loss", "alpha_loss", "learnt_share")
"""Of each rollout; 0 where a stage has none."""


class HRLXF:
    """An `scml_gym.agents.base.Agent`.

    Attributes:
        hyperparameters: The checked ``agent`` section.
        env: The ``env`` section.
        executor: L3; None before training, as all parts are.
        manager: L2: name of its learner, the learner, and its ``env`` section; None where there is none.
        coordinator: L4's network; None where no way to alpha needs it.
        judge: The critic.
        worlds: Played so far.
    """

    def __init__(self, hyperparameters: HRLXFHyperparameters, env: Mapping[str, Any]):
        self.hyperparameters, self.env = hyperparameters, {key: env[key] for key in env if key != "name"}
        if self.env.get("id") != ENVIRONMENT:
            raise ConfigError(("env", "id"), f"{self.env.get('id')!r}; valid: {ENVIRONMENT}")
        made: Any = make_parallel(self.env)
        self._config = made.config
        made.close()
        self.executor: ExecutorLearner | None = None
        self.manager: tuple[str, Any, dict[str, Any]] | None = None
        self.coordinator: Coordinator | None = None
        self.judge = self._new_judge(0)
        self.worlds = 0

    @classmethod
    def build(cls, config: Mapping[str, Any], env: Mapping[str, Any]) -> Self:
        """See `scml_gym.agents.base.Agent.build`.

        Raises:
            InputError: also if a run that takes the place of a stage does not fit.
        """
        learner = cls(validate(HRLXFHyperparameters, config, "agent"), env)
        settings = learner.hyperparameters
        experiment = load_experiment("executor", of_agent(settings.executor.settings)).config["agent"]
        if experiment["target_return"] is not None:
            told = f"{experiment['target_return']}, of an executor that learns on; valid: null"
            raise ConfigError(("agent", "executor", "settings", "target_return"), told)
        ExecutorLearner.build(experiment, learner.env)
        for name in ("executor", "manager", "coordinator", *ONLINE):
            if (path := getattr(settings, name).take) not in (TRAIN, SKIP):
                with arguments_of("agent", (), f"{name}.take"):
                    learner._take(name, path)
        learner.executor, learner.manager, learner.coordinator = None, None, None
        return learner

    def _take(self, name: str, path: str) -> None:
        """Let a run take the place of a stage.

        Raises:
            InputError: if it does not fit.
        """
        if name == "executor":
            self._use_executor(ExecutorLearner.load(taken(path, ("executor",))[1]), path)
        elif name == "manager":
            self.manager = manager_of(Path(path))
            ManagerSeat(*self.manager[1:])
        else:
            other = type(self).load(taken(path, (NAME,))[1])
            if name == "coordinator":
                self._use_coordinator(other.coordinator, path)
            else:
                assert other.executor is not None, "a checkpoint has one"
                self._use_executor(other.executor, path)
                if other.coordinator is not None:
                    self._use_coordinator(other.coordinator, path)
                self._use_judge(other.judge, path)

    def _use_executor(self, other: ExecutorLearner, path: str) -> None:
        """Play with what another executor has learnt, in this environment."""
        executor = ExecutorLearner(other.hyperparameters, self.env)
        if executor.choices.sizes != other.choices.sizes:
            own = executor.choices.sizes
            raise InputError(f"{path}: an executor of actions of {other.choices.sizes}, this environment has {own}")
        executor.network, self.executor = other.network, executor

    def _use_coordinator(self, other: Coordinator | None, path: str) -> None:
        if other is None:
            raise InputError(f"{path}: it has no coordinator; valid: a run with alpha distilled or learnt")
        own = self._new_coordinator(0)
        _load(own, other, f"{path}: a coordinator of another width or other layers")
        self.coordinator = own

    def _use_judge(self, other: Judge, path: str) -> None:
        _load(self.judge, other, f"{path}: a critic of another width")

    def train(self, run: Run) -> None:
        """See `scml_gym.agents.base.Agent.train`; a resumed training is equal to one that was not interrupted."""
        checkpoint, arrays = run.latest_checkpoint(), dict[str, np.ndarray]()
        if checkpoint is None:
            self._begin(run)
            run.checkpoint(0, self.save)
        else:
            self._read(checkpoint)
            if (checkpoint / TRAINING).is_file():
                arrays = read_arrays(checkpoint / TRAINING, "a training")
        run.truncate_log(self.worlds)
        self._learn(run, arrays)
        run.plot()

    def _begin(self, run: Run) -> None:
        """The stages before the hierarchy plays."""
        settings, seed = self.hyperparameters, run.config["seed"]
        shared = run.path / "shared" if settings.shared is None else Path(settings.shared)
        self.judge = self._new_judge(_seed(seed, 0))
        if settings.executor.take == TRAIN:
            options = [*of_env(self.env, OF_EXECUTORS), *of_agent(settings.executor.settings)]
            self._take("executor", str(trained(run, shared / "executor", "executor", options)))
        elif settings.executor.take == SKIP:
            experiment = load_experiment("executor", of_agent(settings.executor.settings)).config["agent"]
            self.executor = ExecutorLearner.build(experiment, self.env)
            self.executor.network = self.executor._new_network(_seed(seed, 1))
        else:
            self._take("executor", settings.executor.take)
        if settings.manager.take == TRAIN:
            self._take("manager", str(train_manager(run, settings.manager, shared, self.env)))
        elif settings.manager.take != SKIP:
            self._take("manager", settings.manager.take)
        if settings.coordinator.take not in (TRAIN, SKIP):
            self._take("coordinator", settings.coordinator.take)
        elif settings.fitted:
            self.coordinator = self._new_coordinator(_seed(seed, 2))
            if settings.coordinator.take == TRAIN:
                self._distil(seed)

    def _distil(self, seed: int) -> None:
        settings = self.hyperparameters.coordinator
        seeds = _seeds(seed, 3, settings.worlds)
        episodes = play(self.hierarchy("heuristic"), self._config, seeds)
        situations = [one.situation for episode in episodes for one in episode.decided]
        if not situations:
            raise ConfigError(("agent", "coordinator", "worlds"), f"{settings.worlds}, in which nobody asked anything")
        self.coordinator, _ = distil(situations, settings, _seed(seed, 2))

    def _learn(self, run: Run, arrays: Mapping[str, np.ndarray]) -> None:
        stages, begun = self.hyperparameters.online, 0
        total = sum(stage.worlds for stage in stages.values())
        with run.progress(max(total, 1), NAME) as bar, run.stops_at_checkpoints():
            bar.update(self.worlds)
            for number, name in enumerate(ONLINE):
                stage: OnlineStage = getattr(self.hyperparameters, name)
                if name not in stages:
                    if stage.take != SKIP and self.worlds == begun:
                        self._take(name, stage.take)
                        run.checkpoint(self.worlds, self.save)
                    continue
                if self.worlds < begun + stage.worlds:
                    self._stage(run, number, stage, begun, arrays if self.worlds > begun else {}, bar)
                begun += stage.worlds

    def _stage(
        self, run: Run, number: int, stage: OnlineStage, begun: int, arrays: Mapping[str, np.ndarray], bar: Any
    ) -> None:
        """Play and learn until the stage's worlds are played."""
        settings, seed, end = self.hyperparameters, run.config["seed"], begun + stage.worlds
        assert self.executor is not None, "the stages before have one"
        learning = settings.learning
        coordinator = self.coordinator if ALPHAS.get(stage.alpha).learns else None
        improving = Improving(
            self.executor, coordinator, self.judge, learning, CRITICS[stage.critic], _seed(seed, 4 + number)
        )
        if arrays:
            with content_of(run.path, "a training"):
                improving.restore(arrays)
        learn = LESSONS[ONLINE[number]](improving, stage, begun)
        copies, generator = Copies(run.path / "past", stage, settings.coordinator), torch.Generator()
        since, note = (self.worlds, time.perf_counter()), ""
        held_out = _seeds(seed, 98, settings.check_worlds)
        named = {"executor": self.executor.network, "coordinator": coordinator}
        keeping = Keeping(
            {name: part for name, part in named.items() if part is not None},
            stage.check,
            lambda: scores(play(self.hierarchy(stage.alpha), self._config, held_out))["score"],
        )
        if arrays:
            with content_of(run.path, "a training"):
                keeping.restore(arrays)
        keeping.check(self.worlds - begun, stage.worlds)

        def save(folder: Path) -> None:
            self.save(folder)
            write_arrays(folder / TRAINING, improving.arrays() | keeping.arrays())

        while self.worlds < end:
            hierarchy = self.hierarchy(stage.alpha)
            generator.manual_seed(_seed(seed, 100 + self.worlds))
            n = min(learning.n_worlds, end - self.worlds)
            past = copies.follow(hierarchy, self.worlds, begun)
            exploring = Exploring(generator, learning.alpha_noise, **stage.exploring)
            episodes = play(hierarchy, self._config, _seeds(seed, 100 + self.worlds, n), exploring, past)
            numbers = dict.fromkeys(MEASURED, 0.0) | learn(rollout_of(episodes, self.executor), self.worlds)
            self.worlds += n
            keeping.check(self.worlds - begun, stage.worlds)
            row = {"stage": number, **scores(episodes), **numbers, "checked": keeping.last}
            note = write_row(run, self.worlds, row, since)
            since = (self.worlds, time.perf_counter())
            bar.update(self.worlds, note)
            if self.worlds >= end:
                keeping.hand_on()
            if run.checkpoint_due() or self.worlds >= end:
                run.checkpoint(self.worlds, save)

    def hierarchy(self, alpha: str | None = None) -> Hierarchy:
        """All parts together.

        Args:
            alpha: The way to alpha; None for the trained agent's.

        Raises:
            InputError: if it is not trained.
        """
        if self.executor is None:
            raise InputError("this learner is not trained yet: call train, or load a checkpoint")
        manager = None if self.manager is None else self.manager[1:]
        return Hierarchy(self.executor, manager, alpha or self.hyperparameters.alpha, self.coordinator)

    def predict(self, observation: Any, state: Any = None, mask: Any = None, deterministic: bool = True) -> NoReturn:
        """It decides for all negotiations of a factory together, and remembers them: see `policy`.

        Raises:
            InputError: always.
        """
        raise InputError(f"{NAME} decides for a whole factory, not for one observation: use policy(seed).act(view)")

    def policy(self, seed: int) -> FactoryPolicy:
        """See `scml_gym.agents.base.Agent.policy`."""
        return self.hierarchy().seat()

    def save(self, folder: Path) -> None:
        """Write ``hrl_xf.json``, ``executor/``, ``manager/`` where there is one, and the networks of L4 and critic."""
        folder = Path(folder)
        executor = self.hierarchy().executor
        (folder / "executor").mkdir()
        executor.save(folder / "executor")
        if self.manager is not None:
            (folder / "manager").mkdir()
            self.manager[1].save(folder / "manager")
        write_weights(self.judge, self.worlds, folder / JUDGE)
        if self.coordinator is not None:
            write_weights(self.coordinator, self.worlds, folder / COORDINATOR)
        facts = {
            "schema": SCHEMA,
            "worlds": self.worlds,
            "settings": self.hyperparameters.model_dump(),
            "env": self.env,
            "manager": None if self.manager is None else {"agent": self.manager[0], "env": self.manager[2]},
        }
        replace_file(folder / META, json.dumps(facts, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """See `scml_gym.agents.base.Agent.load`."""
        path = Path(folder) / META
        facts = _facts(path)
        with content_of(path, "a checkpoint"):
            learner = cls(validate(HRLXFHyperparameters, facts["settings"], "agent"), facts["env"])
        learner._read(Path(folder))
        return learner

    def _read(self, folder: Path) -> None:
        """Take all parts from a checkpoint."""
        facts = _facts(folder / META)
        self._use_executor(ExecutorLearner.load(folder / "executor"), str(folder))
        with content_of(folder / META, "a checkpoint"):
            self.worlds, manager = int(facts["worlds"]), facts["manager"]
            if manager is not None:
                name, env = str(manager["agent"]), dict(manager["env"])
                self.manager = name, AGENTS.known(name).load(folder / "manager"), env
                ManagerSeat(*self.manager[1:])
        read_weights(self.judge, folder / JUDGE)
        if (folder / COORDINATOR).is_file():
            self.coordinator = self._new_coordinator(0)
            read_weights(self.coordinator, folder / COORDINATOR)

    def _new_coordinator(self, seed: int) -> Coordinator:
        return new_coordinator(self.hyperparameters.coordinator, seed)

    def _new_judge(self, seed: int) -> Judge:
        with global_generators_kept():
            torch.manual_seed(seed)
            return Judge(self.hyperparameters.learning.hidden)


def _facts(path: Path) -> dict[str, Any]:
    facts = read_json(path)
    if facts.get("schema") != SCHEMA:
        raise InputError(f"{path} has the schema {facts.get('schema')!r}; {SCHEMA!r} is needed")
    return facts


def _load(own: torch.nn.Module, other: torch.nn.Module, problem: str) -> None:
    try:
        own.load_state_dict(other.state_dict())
    except RuntimeError as error:  # other shapes
        raise InputError(problem) from error


def _seeds(seed: int, purpose: int, n: int) -> list[int]:
    """Seeds of worlds; none of two purposes alike."""
    state = np.random.SeedSequence(seed, spawn_key=(purpose,)).generate_state(n, np.uint64)
    return [int(number) % 2**62 for number in state]


def _seed(seed: int, purpose: int) -> int:
    return _seeds(seed, purpose, 1)[0] % 2**31
