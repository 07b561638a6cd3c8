"""D-NB as a learner of this project: makes a dataset, fits an acceptance model, reports, saves, loads, plays."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from scml_gym.agents.dnb.calibration import losses
from scml_gym.agents.dnb.dataset import read_dataset, split
from scml_gym.agents.dnb.decision_log import DecisionLog
from scml_gym.agents.dnb.fitting import fit_model, fit_strength
from scml_gym.agents.dnb.folds import Fold, fold_worlds
from scml_gym.agents.dnb.generation import check_source, generate_dataset
from scml_gym.agents.dnb.hyperparameters import DNBHyperparameters
from scml_gym.agents.dnb.models import AcceptanceModel, Kernel, model_kind
from scml_gym.agents.dnb.replay import posterior_means
from scml_gym.agents.dnb.report import make_report
from scml_gym.agents.dnb.rules import Rules
from scml_gym.agents.dnb.scores import Estimates
from scml_gym.agents.dnb.sequential import sequential_player, sequential_strategy
from scml_gym.agents.dnb.strategy import dnb_player, dnb_strategy
from scml_gym.core.calls import Array, Call, Given, call
from scml_gym.core.config import ConfigError, validate
from scml_gym.core.data_files import content_of, read_json
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.experiments.run_info import current_hyperparameters
from scml_gym.game.world import FactoryPolicy
from scml_gym.jit.random import N_DRAWS
from scml_gym.oneshot.strategies.base import Strategy, StrategyPolicy
from scml_gym.oneshot.view import new_actions
from scml_gym.policies.run_folders import load_agent

if TYPE_CHECKING:
    from scml_gym.experiments.run_folder import Run

GAME = "scml_gym/OneShotConcurrent-v0"
"""The environment of the game that is learnt."""

SCHEMA = "scml-gym-dnb-1"
META = "dnb.json"


class Planner(NamedTuple):
    """How D-NB plans.

    Attributes:
        player: ``(model, rules, seed)``: a factory played by it.
        strategy: ``(kernel)``: the strategy of all players with such a model.
    """

    player: Callable[[AcceptanceModel, Rules, int], StrategyPolicy]
    strategy: Callable[[Kernel], Strategy]


PLANNERS = {
    "allocate": Planner(dnb_player, dnb_strategy),
    "sequential": Planner(sequential_player, sequential_strategy),
}
"""By the hyperparameter ``planner``."""


@dataclass(frozen=True)
class DNBPolicyFile:
    """What plays: a model of acceptance, the rules of planner and calibration, and the planner's name in `PLANNERS`."""

    model: AcceptanceModel
    rules: Rules
    planner: str

    def player(self, seed: int) -> StrategyPolicy:
        """A player of a factory in a world with that seed; it plays in both worlds."""
        return PLANNERS[self.planner].player(self.model, self.rules, seed)


class DNB:
    """An `scml_gym.agents.base.Agent`: a heuristic planner with a learnt and calibrated model of acceptance.

    Source: "Design and Implementation of Hierarchical Reinforcement Learning Agent for Complex Dynamic Supply Chain
    Management", chapters 3 to 5.

    Args:
        hyperparameters: The complete ``agent`` section.
        env: The ``env`` section: ``id`` of the game alone, as the worlds to learn from are ``agent.data``.
        model: Of acceptance; None before training.
    """

    def __init__(
        self, hyperparameters: DNBHyperparameters, env: Mapping[str, Any], model: AcceptanceModel | None = None
    ):
        self.hyperparameters = hyperparameters
        self.env = dict(env)
        self.model = model

    @classmethod
    def build(cls, config: Mapping[str, Any], env: Mapping[str, Any]) -> Self:
        """A new, untrained learner.

        Raises:
            InputError: if a key is unknown or missing, or a value wrong.
        """
        hyperparameters = validate(DNBHyperparameters, config, "agent")
        for name in hyperparameters.models:
            hyperparameters.hyperparameters_of(name)  # refuse bad ones now
        for key in env:
            if key != "id":
                told = "unknown key; D-NB learns from the worlds of agent.data, env has an id only"
                raise ConfigError(("env", key), told)
        if env.get("id") != GAME:
            raise ConfigError(("env", "id"), f"{env.get('id')!r}; valid: {GAME}")
        check_source(hyperparameters.data)
        return cls(hyperparameters, env)

    def train(self, run: Run) -> None:
        """Make the dataset (what is there of it is kept), fit the model unless there is a checkpoint, and report.

        Raises:
            InputError: if the dataset in the run folder is another one, or cannot be learnt from.
        """
        data, seed = self.hyperparameters.data, int(run.config["seed"])
        with run.progress(data.worlds, "worlds") as bar:
            generate_dataset(data, seed, run.path / "dataset", self.hyperparameters.workers, bar.update)
        dataset = read_dataset(run.path / "dataset")
        divided = split(dataset.table, data.held_out, data.test_worlds, seed)
        tests = {"families": dataset.take(divided.families), "worlds": dataset.take(divided.worlds)}
        fold = fold_worlds(dataset.take(divided.train), self.hyperparameters.validation, seed)
        worlds, opponents = dataset.table["world"].nunique(), dataset.table["responder_family"].nunique()
        n = len(dataset)
        del dataset  # large
        checkpoint = run.latest_checkpoint()
        if checkpoint is None:
            self.model = self._fit(self.hyperparameters.model, fold, run, seed)
            run.log(len(fold.train), **self._row(self.model, fold))
            run.checkpoint(len(fold.train), self.save)
        else:
            self.model = self._resumed(type(self).load(checkpoint), run)
        names = [name for name in self.hyperparameters.references if name != self.hyperparameters.model]
        models = {name: self._fit(name, fold, run, seed) for name in names} | {self.hyperparameters.model: self.model}
        base = float(fold.train.accepted.mean())
        held_out = ", ".join(f"`{name}`" for name in data.held_out) or "none"
        about = [
            f"{n:,} offers with an explicit answer, of {worlds} worlds ({data.source}), {opponents} kinds of opponents",
            f"{len(fold.train):,} to learn from, {len(fold.validation):,} of other worlds to choose by",
            f"opponents that are not in training: {held_out}",
            *(f"strength of `{name}`: {model.strength:g}" for name, model in models.items()),
        ]
        judged = [Estimates.of(part, test, base, models) for part, test in tests.items() if len(test)]
        for name, content in make_report(judged, about).items():
            replace_file(run.path / name, content)

    def _resumed(self, kept: Self, run: Run) -> AcceptanceModel:
        """The model of a checkpoint, which has to be what would be fitted now; other ways to play are saved with it.

        Raises:
            InputError: if it was fitted by other hyperparameters.
        """
        fitted_by = ("model", "models", "strength", "strengths", "validation", "data")
        changed = [key for key in fitted_by if getattr(kept.hyperparameters, key) != getattr(self.hyperparameters, key)]
        if changed:
            raise InputError(
                f"{run.path / 'config.yaml'}: agent.{changed[0]} is not what {run.latest_checkpoint()} was fitted by: "
                "put it back, or start another run"
            )
        self.model = kept.playable()
        plays_by = ("rules", "planner", "decision_log")
        if any(getattr(kept.hyperparameters, key) != getattr(self.hyperparameters, key) for key in plays_by):
            run.checkpoint(run.step, self.save)
        return self.model

    def _fit(self, name: str, fold: Fold, run: Run, seed: int) -> AcceptanceModel:
        """A fitted model; equal for equal names, whether it is kept or compared with."""
        hyperparameters, rng = (
            self.hyperparameters.hyperparameters_of(name),
            np.random.default_rng([seed, *name.encode()]),
        )
        with run.progress(model_kind(name).steps(hyperparameters), f"fitting {name}") as bar:
            model = fit_model(name, hyperparameters, fold, self.hyperparameters.strength, rng, bar)
        if self.hyperparameters.strengths:
            model = fit_strength(model, fold.validation, self.hyperparameters.strengths)
        return model

    def _row(self, model: AcceptanceModel, fold: Fold) -> dict[str, float]:
        """Of the learning curve; ``accepted`` is the base rate."""
        validation = fold.validation
        mean = model.mean(validation.samples)
        posterior = posterior_means(validation, mean, model.strength)
        return {
            "accepted": float(fold.train.accepted.mean()),
            "validation_log_loss": float(losses(mean, validation.accepted).mean()),
            "validation_log_loss_bou": float(losses(posterior, validation.accepted).mean()),
            "strength": model.strength,
        }

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """The answers to all partners.

        Args:
            observation: A view (`scml_gym.oneshot.view.VIEW_DTYPE`).
            state: Of the strategy, float64, as this returned it; None at the beginning of a world.
            mask: Ignored: what cannot be played is not planned.
            deterministic: Ignored: nothing is drawn.
        """
        player = self.policy_file().player(0)
        strategy, actions = player.strategy, new_actions()
        state = np.zeros(strategy.state_size) if state is None else np.array(state, dtype=np.float64)
        strategy.decide(observation, state, player.parameters, np.zeros(N_DRAWS), actions)
        return actions, state

    def policy(self, seed: int) -> FactoryPolicy:
        """A player for one factory of one world, with a decision log where the hyperparameters name a folder for it.

        Raises:
            InputError: if nothing has been learnt yet.
        """
        player, folder = self.policy_file().player(seed), self.hyperparameters.decision_log
        return player if folder is None else DecisionLog(player, Path(folder))

    def policy_file(self) -> DNBPolicyFile:
        """What plays, as data; see `scml_gym.policies.run_folders.policy_file_maker`.

        Raises:
            InputError: if nothing has been learnt yet.
        """
        return DNBPolicyFile(self.playable(), self.hyperparameters.rules, self.hyperparameters.planner)

    def exported(self) -> Call:
        """See `scml_gym.agents.base.Exports.exported`; without a decision log.

        Raises:
            InputError: if nothing has been learnt yet, or its kind of model cannot be exported.
        """
        model, plans = self.playable(), PLANNERS[self.hyperparameters.planner].strategy
        kernel = model_kind(model.name).exported
        if kernel is None:
            raise InputError(f"cannot be exported: the acceptance model {model.name!r} has no code without a compiler")
        strategy = call(f"{plans.__module__}:{plans.__qualname__}", kernel(model.hyperparameters))
        numbers = Array("numbers", self.policy_file().player(0).parameters)
        return call("scml_gym.oneshot.strategies.base:StrategyPolicy", strategy, Given("seed"), numbers)

    def playable(self) -> AcceptanceModel:
        """The fitted model.

        Raises:
            InputError: if there is none.
        """
        if self.model is None:
            raise InputError("D-NB has no acceptance model yet: train it first")
        return self.model

    def save(self, folder: Path) -> None:
        """Write the model (`AcceptanceModel.save`) and ``dnb.json``: hyperparameters and environment."""
        self.playable().save(Path(folder))
        meta = {"schema": SCHEMA, "settings": self.hyperparameters.model_dump(mode="json"), "env": self.env}
        replace_file(Path(folder) / META, json.dumps(meta, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InputError: if the folder is missing or corrupt, of another schema or shape, or its model not that of its
                hyperparameters.
        """
        path = Path(folder) / META
        meta = read_json(path)
        with content_of(path, "the checkpoint of D-NB"):
            schema, hyperparameters, env = meta["schema"], meta["settings"], dict(meta["env"])
        if schema != SCHEMA:
            raise InputError(f"{path} has the schema {schema!r}; {SCHEMA!r} is needed")
        try:
            if isinstance(hyperparameters, dict):
                hyperparameters = current_hyperparameters(hyperparameters)
            checked = validate(DNBHyperparameters, hyperparameters)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        model = AcceptanceModel.load(Path(folder))
        if model.name != checked.model or model.hyperparameters != checked.hyperparameters_of(checked.model):
            raise InputError(
                f"{folder} holds a model {model.name!r} ({model.hyperparameters}), but by {META} it is "
                f"{checked.model!r} ({checked.models[checked.model]})"
            )
        PLANNERS[checked.planner].strategy(model.kernel)  # compiled once by a process that forks players
        return cls(checked, env, model)


def load_dnb(run: str | os.PathLike[str]) -> DNB:
    """The D-NB that a run folder holds.

    Raises:
        InputError: if the folder is missing or corrupt, has no checkpoint yet, or another learner.
    """
    agent = load_agent(run)
    if not isinstance(agent, DNB):
        raise InputError(f"{run} is no run of D-NB")
    return agent
