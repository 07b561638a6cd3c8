"""Tabular Q-learning as a learner of this project: build, train, save, load, play."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scml_gym.agents.q_learning.curves import plot_opponents
from scml_gym.agents.q_learning.hyperparameters import QLearningHyperparameters
from scml_gym.agents.q_learning.memory import make_rules
from scml_gym.agents.q_learning.policy import QPolicy
from scml_gym.agents.q_learning.tables import Tables, initial_tables, load_tables, save_tables
from scml_gym.agents.q_learning.training import Trainer, Worlds, kind_weights
from scml_gym.core.calls import Array, Call, Given, call, made
from scml_gym.core.config import ConfigError, validate
from scml_gym.core.data_files import content_of
from scml_gym.core.errors import InputError
from scml_gym.core.files import replace_file
from scml_gym.oneshot.view import BUYER, SELLER

if TYPE_CHECKING:
    from scml_gym.experiments.run_folder import Run


class QLearning:
    """An `scml_gym.agents.base.Agent`: Q-tables for sellers and buyers, pre-trained in worlds, learning on in play.

    Source: "Q-learning for SCML OneShot, 2021".

    Args:
        hyperparameters: The complete ``agent`` section.
        env: The ``env`` section; see `scml_gym.agents.q_learning.training.Worlds`.
        tables: The seller's and the buyer's; initial ones where None.
        worlds_played: Worlds of training that are in the tables.
        negotiations: Negotiations of training that are in the tables.
        counts: What the next row of the learning curve counts so far (`Trainer.counts`); None for nothing.
    """

    def __init__(
        self,
        hyperparameters: QLearningHyperparameters,
        env: Mapping[str, Any],
        tables: Tables | None = None,
        worlds_played: int = 0,
        negotiations: int = 0,
        counts: Mapping[str, Any] | None = None,
    ):
        self.hyperparameters = hyperparameters
        self.env = dict(env)
        self.states, self.actions = hyperparameters.states.states(), hyperparameters.states.actions()
        self.tables = tables or initial_tables(self.states, self.actions, hyperparameters.initialisation)
        self.worlds_played = worlds_played
        self.negotiations = negotiations
        self.counts = counts
        self._rng = np.random.default_rng(0)

    @classmethod
    def build(cls, config: Mapping[str, Any], env: Mapping[str, Any]) -> Self:
        """A new, untrained learner.

        Raises:
            InputError: if a key is unknown or missing, or a value wrong.
        """
        hyperparameters = validate(QLearningHyperparameters, config, "agent")
        kind_weights(hyperparameters.training, len(Worlds(env).opponents))  # refuse bad ones now
        return cls(hyperparameters, env)

    def begin_from(self, checkpoint: Path) -> None:
        """See `scml_gym.agents.base.BeginsFrom`: the tables, with their visits.

        Raises:
            InputError: if they are of other states or actions.
        """
        other = type(self).load(checkpoint)
        if other.hyperparameters.states != self.hyperparameters.states:
            raise ConfigError(("agent", "states"), f"not the states and actions that {checkpoint} was trained with")
        self.tables = other.tables

    def train(self, run: Run) -> None:
        """Play the configured number of worlds; steps of the learning curve are negotiations.

        Checkpoints are made at rows of the learning curve, or wherever the user stops it; they hold the counts of the
        next row, so a resumed training repeats what an uninterrupted one does.
        """
        checkpoint = run.latest_checkpoint()
        if checkpoint is not None:
            self._take(type(self).load(checkpoint))
        training = self.hyperparameters.training
        trainer = Trainer(self.hyperparameters, Worlds(self.env), self.tables, int(run.config["seed"]))
        trainer.negotiations = self.negotiations
        if self.counts is not None:
            trainer.count_on(self.counts)
        note = ""
        with run.progress(training.worlds, "worlds") as bar, run.stops_at_checkpoints():
            for index in range(self.worlds_played, training.worlds):
                trainer.play(index)
                last = index + 1 == training.worlds
                at_row = last or (index + 1) % training.log_every == 0
                if at_row:
                    row = trainer.row(index)
                    run.log(trainer.negotiations, **row)
                    note = f"score {row.get('score/all', float('nan')):.3f}"
                bar.update(index + 1, note)
                if last or run.stop_requested or (at_row and run.checkpoint_due()):
                    self.worlds_played, self.negotiations = index + 1, trainer.negotiations
                    self.counts = trainer.counts()
                    run.checkpoint(self.negotiations, self.save)
        run.plot()
        title = f"{run.info['agent_name']}, seed {run.config['seed']}"
        replace_file(run.path / "opponents.png", plot_opponents(run.curve(), title))

    def predict(
        self, observation: Any, state: Any = None, mask: np.ndarray | None = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """The best action for a state index of `scml_gym.oneshot.observations.negotiation.PartnerStates`.

        Args:
            observation: State index, or the pair (level, state index); without a level, the table that has visited the
                state more often answers.
            state: Ignored: there is none.
            mask: Valid actions, bool, shape ``(actions,)``.
            deterministic: Else one of the actions is drawn with ``play.epsilon_end``.
        """
        pair = np.atleast_1d(np.asarray(observation, dtype=np.int64))
        index = int(pair[-1])
        visits = self.tables.visits[:, index].sum(axis=1)
        level = int(pair[0]) if len(pair) > 1 else (BUYER if visits[BUYER] > visits[SELLER] else SELLER)
        valid = np.ones(self.actions.n, dtype=np.bool_) if mask is None else np.asarray(mask, dtype=np.bool_)
        if not deterministic and self._rng.random() < self.hyperparameters.play.epsilon_end:
            return int(self._rng.choice(np.flatnonzero(valid))), None
        return int(np.argmax(np.where(valid, self.tables.values[level, index], -np.inf))), None

    def policy(self, seed: int) -> QPolicy:
        """A player for one factory of one world; it copies the tables and learns on in the copies, if so configured."""
        return made(self.exported(), seed=seed)

    def exported(self) -> Call:
        """See `scml_gym.agents.base.Exports.exported`."""
        play, tables = self.hyperparameters.play, self.tables
        if not play.pretrained:
            tables = initial_tables(self.states, self.actions, self.hyperparameters.initialisation)
        rate = play.rate if play.learn else 0.0
        rules = make_rules(self.hyperparameters, rate, 0.0, play.epsilon_start, play.epsilon_end)
        values, visits = Array("values", tables.values), Array("visits", tables.visits)
        choice = "copy_for_each" if play.per_opponent else "one_copy"
        return call(
            "scml_gym.agents.q_learning.policy:QPolicy",
            call("operator:getitem", Array("rules", np.array([rules])), 0),
            call(
                f"scml_gym.agents.q_learning.tables:{choice}",
                call("scml_gym.agents.q_learning.tables:Tables", values, visits),
            ),
            Given("seed"),
        )

    def save(self, folder: Path) -> None:
        """Write the tables and counters: ``tables.npz`` and ``q_learning.json``."""
        meta = {
            "settings": self.hyperparameters.model_dump(),
            "env": self.env,
            "worlds_played": self.worlds_played,
            "negotiations": self.negotiations,
            "counts": self.counts,
        }
        save_tables(Path(folder), self.tables, meta)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            InputError: if the folder is missing or corrupt, or of another schema or shape.
        """
        tables, meta = load_tables(Path(folder))
        with content_of(f"{folder}/q_learning.json", "a learner of Q-tables"):
            hyperparameters, env = validate(QLearningHyperparameters, meta["settings"]), dict(meta["env"])
            played = int(meta["worlds_played"]), int(meta["negotiations"])
            agent = cls(hyperparameters, env, tables, *played, meta.get("counts"))
        if tables.values.shape[1:] != (agent.states.n, agent.actions.n):
            raise InputError(f"{folder}: tables of {tables.values.shape[1:]}, not {(agent.states.n, agent.actions.n)}")
        return agent

    def _take(self, other: QLearning) -> None:
        if other.tables.values.shape != self.tables.values.shape:
            raise InputError("the checkpoint's tables are of another shape than the configured one")
        self.tables = other.tables
        self.worlds_played, self.negotiations, self.counts = other.worlds_played, other.negotiations, other.counts
