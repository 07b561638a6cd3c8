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
from scml_gym.agents.hrl_xf.planned import Plan, follow
from scml_gym.standard.actions.choice import N_HEADS
from scml_gym.standard.view import ActionArray, StandardView, new_actions


class Exploring(NamedTuple):
    """How answers, and what alpha is the tangent of, are drawn.

    Attributes:
        generator: Draws.
        noise: Standard deviation around what the coordinator says, where that learns.
        led: Share of the worlds in which the plan is followed in place of the executor.
        drawn: Share of the alphas that are drawn from all of the range instead.
    """

    generator: torch.Generator
    noise: float
    led: float = 0.0
    drawn: float = 0.0


class Decided(NamedTuple):
    """What was decided for a factory.

    Attributes:
        asked: What it was asked, with alpha told.
        situation: What the coordinator saw.
        raw: What alpha is the hyperbolic tangent of where it was drawn, float32 ``(n,)``; else 0.
        chosen: Choices of the executor, a row each.
        planned: Those that follow the plan, likewise; zeros where there is no manager.
        answers: Of the factory.
        changed: Which negotiations' answers the shield has changed, bool ``(n,)``.
    """

    asked: Asked
    situation: Situation
    raw: np.ndarray
    chosen: np.ndarray
    planned: np.ndarray
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

    def seat(self, led: bool = False) -> Seat:
        """In one factory of one world; see `Seat`."""
        return Seat(self, led)

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
            monitor(view, one.shown, one.rows, None if seat.plan is None else seat.plan.goals)
            for view, one, seat in zip(views, asked, seats, strict=True)
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
            rows, memories = np.stack(chosen[own]), after[own]
            planned = seat.planned(view, one)
            if seat.led:
                rows, memories = planned, self.executor.remembering(memories, planned)
            answers, changed = seat.executing.answer(view, one.shown.due, list(rows), memories)
            decided.append(Decided(one, situation, part, rows, planned, answers, changed[one.shown.due]))
            start = own.stop
        return decided

    @torch.no_grad()
    def _alphas(self, situations: Sequence[Situation], exploring: Exploring | None) -> tuple[np.ndarray, np.ndarray]:
        way = ALPHAS.get(self.way)
        if exploring is not None and exploring.drawn:
            n, draws = sum(len(one.negotiations) for one in situations), exploring.generator
            alphas = (2.0 * torch.rand(n, generator=draws) - 1.0) * (torch.rand(n, generator=draws) < exploring.drawn)
            return alphas.numpy(), np.zeros(n, np.float32)
        if exploring is None or not way.learns or self.coordinator is None:
            alphas = way.alphas(situations, self.coordinator)
            return alphas, np.zeros_like(alphas)
        means = self.coordinator(sets_of(situations))
        raw = means + exploring.noise * torch.randn(means.shape, generator=exploring.generator)
        return torch.tanh(raw).numpy(), raw.numpy()


class Seat:
    """A hierarchy in one factory of one world, as a `scml_gym.game.world.FactoryPolicy`.

    Args:
        hierarchy: Decides.
        led: Whether its plan is followed in place of its executor; needs a manager.

    Attributes:
        executing: The executor there.
        plan: Of the last decision; None where there is no manager.
    """

    synchronous = True

    def __init__(self, hierarchy: Hierarchy, led: bool = False):
        self._hierarchy, self.led = hierarchy, led
        self.executing = hierarchy.executor.executor()
        manager, shield = hierarchy.manager, hierarchy.executor.shield
        self._manager = None if manager is None else ManagerSeat(*manager, shield)
        self.plan: Plan | None = None

    def begin(self, view: StandardView) -> None:
        """A world starts: nothing is remembered."""
        self.executing.begin(view)
        self.plan = None
        if self._manager is not None:
            self._manager.begin(view)

    def act(self, view: StandardView) -> ActionArray:
        """The factory's answers."""
        if not view["partners"]["my_turn"].any():
            return new_actions()
        return self._hierarchy.decide([self], [view])[0].answers

    def ask(self, view: StandardView) -> Asked:
        """What is to be decided."""
        if self._manager is None:
            return self.executing.ask(view, None)
        self.plan = self._manager.plan(view)
        return self.executing.ask(view, self.plan.goals, self.plan.answers)

    def planned(self, view: StandardView, asked: Asked) -> np.ndarray:
        """The choices that follow the plan, at the alphas that are told, int64 ``(n, 4)``; zeros without a manager."""
        if self.plan is None:
            return np.zeros((len(asked.rows), N_HEADS), np.int64)
        due, alphas = asked.shown.due, asked.rows[:, ALPHA]
        return follow(self.plan, view, due, alphas, asked.masks, asked.safe, self._hierarchy.executor.choices)

    def end_day(self, view: StandardView) -> None:
        """The day's negotiations are over."""
        self.executing.end_day(view)
        if self._manager is not None:
            self._manager.end_day(view)
