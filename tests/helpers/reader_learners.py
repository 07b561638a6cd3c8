"""Files of learners as their readers find them: networks, models, recorded decisions; each made in a folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.helpers.reader_files import loaded_by


def policy_file(game: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from tests.helpers.networks import FORMS, random_policy

        random_policy(game, FORMS[game][-1]).save(folder / "policy.npz")
        return folder / "policy.npz"

    return make


def policy_of(game: str) -> Callable[[Path], object]:
    def read(file: Path) -> object:
        from scml_gym.game.policy_files import PolicyFile
        from scml_gym.games import GAMES

        return PolicyFile.load(file, GAMES.get(game).load("networks"))

    return read


def loaded_run(path: str) -> Callable[[Path], object]:
    """What is loaded from the folder of a file."""
    read = loaded_by(path)
    return lambda file: read(file.parent)


def clone_file(folder: Path) -> Path:
    from scml_gym.oneshot.clones.files import CLONES

    shutil.copy(CLONES / "2025" / "CostAverseAgent.npz", folder / "clone.npz")
    return folder / "clone.npz"


def clones_run(folder: Path) -> Path:
    """A checkpoint of the learner of clones."""
    from scml_gym.agents.clones.learner import GAME, META, CloneLearner
    from scml_gym.core.config import load_experiment

    config = load_experiment("clone", ["agent.agents=[best-subset]"]).config
    learner = CloneLearner.build(config["agent"], {"id": GAME})
    learner.save(folder)
    return folder / META


def decisions_file(folder: Path) -> Path:
    from scml_gym.agents.clones.recording import record_world
    from scml_gym.oneshot.players import player_maker
    from scml_gym.oneshot.worlds.compiled.generation import compiled_spec
    from scml_gym.oneshot.worlds.compiled.world import CompiledWorld

    names = ["best-subset"] * 4
    world = CompiledWorld(compiled_spec(1, 2, 2), [player_maker(name)(1) for name in names])
    record_world(world, names).save(folder / "world.npz")
    return folder / "world.npz"


def sequence_learner(file: str) -> Callable[[Path], Path]:
    """A run folder of an untrained Decision Transformer."""

    def make(folder: Path) -> Path:
        from scml_gym.agents import AGENTS
        from scml_gym.core.config import load_experiment
        from scml_gym.experiments.run_folder import Run

        config = load_experiment("decision_transformer", ["agent.width=8", "agent.layers=1"]).config
        env = {key: value for key, value in config["env"].items() if key != "name"}
        agent = AGENTS.get("decision-transformer").build(config["agent"], env)
        agent.network = agent._new_network(0)
        run = Run.create(folder / "run", config, "test")
        run.checkpoint(1, agent.save)
        os.environ["SCML_GYM_TRUST"] = ""
        return run.path / "checkpoints" / "000000000001" / file

    return make


def hierarchy(file: str) -> Callable[[Path], Path]:
    """A run folder of an agent with all its parts, untrained."""

    def make(folder: Path) -> Path:
        from scml_gym.agents import AGENTS
        from scml_gym.core.config import load_experiment
        from scml_gym.experiments.run_folder import Run
        from tests.helpers.negotiations import SMALL_AGENT

        config = load_experiment("hrl_xf", SMALL_AGENT).config
        env = {key: value for key, value in config["env"].items() if key != "name"}
        agent = AGENTS.get("hrl-xf").build(config["agent"], env)
        executor = load_experiment("executor", ["agent.width=8", "agent.layers=1", "agent.attention_heads=2"]).config
        agent.executor = AGENTS.get("executor").build(executor["agent"], env)
        agent.executor.network = agent.executor._new_network(0)
        agent.coordinator = agent._new_coordinator(0)
        run = Run.create(folder / "run", config, "test")
        run.checkpoint(1, agent.save)
        os.environ["SCML_GYM_TRUST"] = ""
        return run.path / "checkpoints" / "000000000001" / file

    return make


def negotiations_file(folder: Path) -> Path:
    from scml_gym.agents.hrl_xf.negotiations import Negotiations, write
    from scml_gym.agents.hrl_xf.observing import SIZE

    seen, actions, masks = np.ones((4, SIZE), np.float32), np.zeros((4, 4), np.int64), np.ones((4, 28), np.bool_)
    identity = np.array([[0, 0, 0, 0, 0], [1, 1, 2, 0, 9]])
    parts = seen, actions, masks, np.zeros(4, np.float32), np.array([0, 3]), identity
    write(Negotiations(*parts, ("a", "b"), (3, 10, 11, 4)), folder / "n.parquet", {"by": "a test"})
    return folder / "n.parquet"


def read_negotiations(file: Path) -> object:
    from scml_gym.agents.hrl_xf.negotiations import read

    return read(file)


def dnb(file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scml_gym.agents.dnb.models import AcceptanceModel, model_kind

        kind = model_kind("base-rate")
        hyperparameters = kind.hyperparameters(mean=0.25)
        weights = {name: np.full(shape, 0.3, kind.dtype) for name, shape in kind.shapes(hyperparameters).items()}
        AcceptanceModel.pack("base-rate", hyperparameters, weights, 3.0).save(folder)
        return folder / file

    return make


def read_model(file: Path) -> object:
    from scml_gym.agents.dnb.models import AcceptanceModel

    return AcceptanceModel.load(file.parent)
