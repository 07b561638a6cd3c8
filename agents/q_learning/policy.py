"""A factory played by Q-tables in any world: one negotiation process for each opponent, learning on while it plays."""

from __future__ import annotations

import numpy as np

from scml_gym.agents.q_learning.decision import decide
from scml_gym.agents.q_learning.learning import learn_day
from scml_gym.agents.q_learning.memory import Learner, new_masks, new_memories
from scml_gym.agents.q_learning.tables import TableChoice
from scml_gym.jit.compile import compiled
from scml_gym.jit.random import counter_draws
from scml_gym.oneshot.view import ActionArray, FactoryView, new_actions

_decide, _learn_day = compiled(decide), compiled(learn_day)


class QPolicy:
    """A `scml_gym.game.world.FactoryPolicy`: an epsilon-greedy Q-learner in each negotiation.

    Args:
        rules: ``RULES_DTYPE``.
        tables: What it plays with; learning changes them.
        seed: Of exploring and of ties; with factory, day and decision it determines all draws.

    Attributes:
        learner: Its rules, tables and memory, new ones in each world.
    """

    synchronous = True
    learner: Learner

    def __init__(self, rules: np.void, tables: TableChoice, seed: int):
        self._rules, self._tables, self._seed = rules, tables, seed

    def begin(self, view: FactoryView) -> None:
        """A world starts: tables to play with, and no memory."""
        n = int(view["n_partners"])
        tables, of_partner = self._tables(int(view["level"]), n)
        memory = new_memories(1)[0]
        memory["table"][:n] = of_partner
        masks = new_masks(1, tables.values.shape[2])[0]
        self.learner = Learner(self._rules, tables.values, tables.visits, memory, masks)

    def act(self, view: FactoryView) -> ActionArray:
        """Learn from what has happened since the last decision, and answer every partner that waits."""
        actions = new_actions()
        draws = counter_draws(self._seed, int(view["factory"]), int(view["day"]), int(view["decision"]))
        _decide(view, self.learner, draws, actions)
        return actions

    def end_day(self, view: FactoryView) -> None:
        """Learn from the day's last negotiations."""
        _learn_day(view, self.learner)
