"""The learner ``executor``: L3, a Decision Transformer whose episodes are negotiations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from gymnasium import spaces

from scml_gym.agents.decision_transformer.learner import DecisionTransformerLearner
from scml_gym.agents.decision_transformer.network import Narrow
from scml_gym.agents.decision_transformer.playing import Memory, beginning, decide
from scml_gym.agents.decision_transformer.sequences import Sequences, split
from scml_gym.agents.hrl_xf.eagerness import eagerness
from scml_gym.agents.hrl_xf.executing import ORDER, Executing
from scml_gym.agents.hrl_xf.hyperparameters import ExecutorHyperparameters
from scml_gym.agents.hrl_xf.negotiations import Negotiations, read, write
from scml_gym.agents.hrl_xf.observing import ALPHA, PROMISED, SPACE, hide_goals
from scml_gym.agents.hrl_xf.recording import Line, record
from scml_gym.core.config import ConfigError, arguments_of
from scml_gym.core.errors import InputError
from scml_gym.core.provenance import commit
from scml_gym.experiments.make_parallel import make_parallel
from scml_gym.game.world import FactoryPolicy

if TYPE_CHECKING:
    from scml_gym.experiments.run_folder import Run

ENVIRONMENT = "standard_negotiations_v0"
FILE = "negotiations.parquet"
"""In a run folder: what was recorded for it."""


class ExecutorLearner(DecisionTransformerLearner):
    """Learns how experts negotiate, by goals and without, and executes goals in every negotiation of a factory.

    Attributes:
        choices: What actions mean.
        shield: The bound behind which it plays; None for none.
    """

    hyperparameters_class = ExecutorHyperparameters
    schema = "scml-gym-executor-2"
    order = ORDER

    def __init__(self, hyperparameters: ExecutorHyperparameters, env: Mapping[str, Any]):
        if env.get("id") != ENVIRONMENT:
            raise ConfigError(("env", "id"), f"{env.get('id')!r}; valid: {ENVIRONMENT}")
        super().__init__(hyperparameters, env)

    def _find_spaces(self) -> tuple[spaces.Space, spaces.Space]:
        made: Any = make_parallel(self.env)
        self.choices, self.shield, self._stock = made.choices, made.config.shield, made.config.stock
        made.close()
        return SPACE, self.choices.space

    def _episodes(self, run: Run) -> Sequences:
        settings = self.hyperparameters
        path = run.path / FILE if settings.data is None else settings.data
        if settings.data is None and not (run.path / FILE).is_file():
            self._record(run)
        with arguments_of("agent", ("data",), "data"):
            table = read(path)
            if table.sizes != self.choices.sizes:
                raise InputError(f"{path} has actions of {table.sizes}, this environment of {self.choices.sizes}")
        sequences = episodes_of(table, *self.rows(table), *self._hidden(table))
        if settings.alpha.dropped < 1.0:
            learnt, _ = split(sequences, settings.held_out)
            known = np.arange(int(sequences.ends[learnt[-1]]))
            sequences.observations[:, ALPHA], _ = eagerness(table, known, settings.alpha, run.config["seed"])
        return sequences

    def rows(self, table: Negotiations) -> tuple[np.ndarray, np.ndarray]:
        """Actions and masks of negotiations in the order in which numbers are decided."""
        return self.rows_of(table.actions, table.masks)

    def rows_of(self, actions: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Actions ``(n, 4)`` and masks ``(n, options)`` in the order in which numbers are decided."""
        return self._done.rows(actions), self._done.masks(masks)

    def _record(self, run: Run) -> None:
        settings = self.hyperparameters.record
        lines = [
            Line(settings.real, settings.real_worlds, False),
            Line(settings.compiled, settings.compiled_worlds, True),
        ]
        worlds = settings.real_worlds + settings.compiled_worlds
        with run.progress(worlds, "worlds") as bar:
            table = record(
                [line for line in lines if line.worlds],
                settings.days,
                settings.levels,
                settings.factories,
                self._stock,
                settings.seed,
                self.choices,
                bar.update,
            )
        write(table, run.path / FILE, {"record": settings.model_dump(), "stock": self._stock, "commit": commit()})

    def _hidden(self, table: Negotiations) -> tuple[np.ndarray, np.ndarray]:
        """Of each negotiation, whether its goals, those of a factory's day together, and its return are hidden."""
        _, day = np.unique(table.identity[:, [0, 2, 3]], axis=0, return_inverse=True)
        draws, share = np.random.default_rng(self.hyperparameters.record.seed), self.hyperparameters.hidden
        return (draws.random(int(day.max()) + 1) < share)[day.ravel()], draws.random(len(table.starts)) < share

    def continued(
        self,
        rows: np.ndarray,
        memories: list[Memory | None],
        masks: np.ndarray,
        narrow: Narrow | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[list[Any], list[Memory]]:
        """Decide in several negotiations at once.

        Args:
            rows: What each is shown, float32 ``(n, SIZE)``; told the return that is played for where there is one.
            memories: What each gave before; None at its first decision.
            masks: Valid options, bool ``(n, options)``, number after number of an action.
            narrow: See `scml_gym.agents.decision_transformer.network.Narrow`; choices are in the order of `ORDER`.
            generator: Draws; None for the likeliest choices.

        Returns:
            Actions, int64 ``(4,)`` each, and memories.

        Raises:
            InputError: if it is not trained.
        """
        network, target = self._trained(), self.hyperparameters.target_return
        rows = self._seen.rows(rows, len(rows)).copy()
        rows[:, PROMISED] = target is not None
        begun = [beginning(network, rows.shape[1], self._done.width) if m is None else m for m in memories]
        if target is None:  # the mean is what an unknown return looks like
            begun = [memory.promised(float(network.scale[0])) for memory in begun]
        valid = self._done.masks(masks)
        picked, after = decide(network, self.hyperparameters.context, begun, rows, valid, generator, narrow)
        return [self._done.action(row) for row in picked], after

    def remembering(self, memories: Sequence[Memory], actions: np.ndarray) -> list[Memory]:
        """The memories after other actions, int64 ``(n, 4)``, were done than those that `continued` gave."""
        changed = []
        for memory, row in zip(memories, self._done.rows(actions), strict=True):
            done = memory.actions.copy()
            done[-1:] = row  # a context of one decision remembers none
            changed.append(dataclasses.replace(memory, actions=done))
        return changed

    def executor(self) -> Executing:
        """A `scml_gym.game.daily.Executor` of goals by side and days from today, for one factory of one world."""
        self._trained()
        return Executing(self, self.choices, self.shield)

    def policy(self, seed: int) -> FactoryPolicy:
        """A player without a manager: nobody tells it goals."""
        return self.executor()


def episodes_of(
    table: Negotiations, actions: np.ndarray, masks: np.ndarray, goals: np.ndarray, returns: np.ndarray
) -> Sequences:
    """Negotiations to be learnt from, grouped by world.

    Args:
        table: All of them.
        actions: In the order in which numbers are decided.
        masks: Likewise.
        goals: Of each negotiation, whether they are hidden, bool ``(m,)``.
        returns: Likewise.
    """
    lengths = np.diff(np.append(table.starts, len(table.rewards)))
    rows, hidden = table.observations.copy(), np.repeat(goals, lengths)
    rows[hidden] = hide_goals(rows[hidden])
    promised = ~np.repeat(returns, lengths)
    rows[:, PROMISED] = promised
    groups = np.cumsum(np.diff(table.worlds, prepend=table.worlds[0]) != 0)
    return Sequences(rows, actions, masks, table.rewards, table.starts, groups, promised)
