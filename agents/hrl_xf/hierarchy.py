"""The hierarchy plays: goals of the manager, the monitor's situation, the coordinator's alpha, the executor's answers.

Several factories are decided for together, each in its world; a player is one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from scml_gym.agents.hrl_xf.alphas import ALPHAS
from scml_gym.agents.hrl_xf.coordinator import Coordinator, sets_of
from scml_gym.agents.hrl_xf.executing import Asked, narrowing
from scml_gym.agents.hrl_xf.learner import ExecutorLearner
from scml_gym.agents.hrl_xf.managing import ManagerSeat
from scml_gym.agents.hrl_xf.monitor import Situation, monitor
from scml_gym.agents.hrl_xf.observing import ALPHA
from scml_gym.standard.view import ActionArray, StandardView, new_actions


class Exploring(NamedTuple):
    """How answers, and what alpha is the tangent of, are drawn.

    Attributes:
        generator: Draws.
        noise: Standard deviation around what the coordinator says, where that learns.
    """

    generator: torch.Generator
    noise: float


class Decided(NamedTuple):
    """What was decided for a factory.

    Attributes:
        asked: What it was asked, with alpha told.
        situation: What the coordinator saw.
        raw: What alpha is the hyperbolic tangent of where it was drawn, float32 ``(n,)``; else 0.
        chosen: Choices of the executor, a row each.
        answers: Of the factory.
        changed: Which negotiations' answers the shield has changed, bool ``(n,)``.
    """

    asked: Asked
    situation: Situation
    raw: np.ndarray
    chosen: np.ndarray
    answers: ActionArray
    changed: np.ndarray


@dataclass(frozen=True)
class Hierarchy:
    """The parts of an agent; none of them changes while it plays.

    Attributes:
        executor: L3, which has the shield, L1, by its environment.
        manager: L2: a learner of goals by day, and its ``env`` section; None for no goals.
        way: To alpha, L4; a name in `scml_gym.agents.hrl_xf.alphas.ALPHAS`.
        coordinator: L4's network; None where the way needs none.
    """

    executor: ExecutorLearner
    manager: tuple[Any, dict[str, Any]] | None
    way: str
    coordinator: Coordinator | None

    def seat(self) -> Seat:
        """In one factory of one world."""
        return Seat(self)

    def decide(
        self, seats: Sequence[Seat], views: Sequence[StandardView], exploring: Exploring | None = None
    ) -> list[Decided]:
        """Decide for factories whose decisions are due, each with a negotiation that asks for an answer.

        Args:
            seats: Of this hierarchy.
            views: What each factory sees.
            exploring: How to draw; None for the likeliest answers.
        """
        asked = [seat.ask(view) for seat, view in zip(seats, views, strict=True)]
        situations = [
            monitor(view, one.shown, one.rows, seat.goals) for view, one, seat in zip(views, asked, seats, strict=True)
        ]
        alphas, raw = self._alphas(situations, exploring)
        cuts = np.cumsum([len(one.rows) for one in asked])[:-1]
        for one, part in zip(asked, np.split(alphas, cuts), strict=True):
            one.rows[:, ALPHA] = part
        chosen, after = self.executor.continued(
            np.concatenate([one.rows for one in asked]),
            [memory for one in asked for memory in one.memories],
            np.concatenate([one.masks for one in asked]),
            narrowing(np.concatenate([one.safe for one in asked])),
            None if exploring is None else exploring.generator,
        )
        decided, start = [], 0
        for one, seat, view, situation, part in zip(asked, seats, views, situations, np.split(raw, cuts), strict=True):
            own = slice(start, start + len(one.rows))
            answers, changed = seat.executing.answer(view, one.shown.due, chosen[own], after[own])
            rows = np.stack(chosen[own])
            decided.append(Decided(one, situation, part, rows, answers, changed[one.shown.due]))
            start = own.stop
        return decided

    @torch.no_grad()
    def _alphas(self, situations: Sequence[Situation], exploring: Exploring | None) -> tuple[np.ndarray, np.ndarray]:
        way = ALPHAS.get(self.way)
        if exploring is None or not way.learns or self.coordinator is None:
            alphas = way.alphas(situations, self.coordinator)
            return alphas, np.zeros_like(alphas)
        means = self.coordinator(sets_of(situations))
        raw = means + exploring.noise * torch.randn(means.shape, generator=exploring.generator)
        return torch.tanh(raw).numpy(), raw.numpy()


class Seat:
    """A hierarchy in one factory of one world, as a `scml_gym.game.world.FactoryPolicy`.

    Attributes:
        executing: The executor there.
        goals: Of the day, ``(2, BOOK_DAYS)``; None where there is no manager.
    """

    synchronous = True

    def __init__(self, hierarchy: Hierarchy):
        self._hierarchy = hierarchy
        self.executing = hierarchy.executor.executor()
        self._manager = None if hierarchy.manager is None else ManagerSeat(*hierarchy.manager)
        self.goals: np.ndarray | None = None
        self._day = -1

    def begin(self, view: StandardView) -> None:
        """A world starts: nothing is remembered."""
        self.executing.begin(view)
        self._day, self.goals = -1, None
        if self._manager is not None:
            self._manager.begin(view)

    def act(self, view: StandardView) -> ActionArray:
        """The factory's answers."""
        if not view["partners"]["my_turn"].any():
            return new_actions()
        return self._hierarchy.decide([self], [view])[0].answers

    def ask(self, view: StandardView) -> Asked:
        """What is to be decided; the goals are set at the first decision of a day."""
        if self._manager is not None and self._day != view["day"]:
            self._day, self.goals = int(view["day"]), self._manager.goals(view)
        return self.executing.ask(view, self.goals)

    def end_day(self, view: StandardView) -> None:
        """The day's negotiations are over."""
        self.executing.end_day(view)
        if self._manager is not None:
            self._manager.end_day(view)
