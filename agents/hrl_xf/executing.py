"""The executor plays: each negotiation is continued by itself, by the goals of the day, behind the shield."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch

from scml_gym.agents.decision_transformer.network import Narrow
from scml_gym.agents.decision_transformer.playing import Memory
from scml_gym.agents.hrl_xf.observing import ALPHA, Shown, observe, tell_goals, tell_parts
from scml_gym.game.ranges import level
from scml_gym.jit.compile import compiled, jittable
from scml_gym.standard.actions import ChoiceActions, PartnerChoices
from scml_gym.standard.actions.choice import most_items
from scml_gym.standard.safety.answers import restrict_answers
from scml_gym.standard.safety.bounds import BOUNDS, COVERED, named_bound
from scml_gym.standard.view import BOOK_DAYS, MAX_PARTNERS, MAX_PER_LEVEL, ActionArray, StandardView, new_actions

ORDER = (0, 2, 1, 3)
"""In which the numbers of a choice are decided: response, day, quantity, price."""

DAY, QUANTITY = 1, 2
"""Places of the day and of the quantity in that order."""

Decide = Callable[[np.ndarray, list[Memory | None], np.ndarray, Narrow | None], tuple[list[Any], list[Memory]]]
"""``(rows, memories, masks, narrow) -> (actions, memories)``, see
`scml_gym.agents.hrl_xf.learner.ExecutorLearner.continued`."""


class Continues(Protocol):
    """What decides for several negotiations at once."""

    @property
    def continued(self) -> Decide:
        """See `Decide`."""
        ...


@jittable
def write_quantities(view: StandardView, limits: np.ndarray, bins: int, out: np.ndarray) -> None:
    """Write which bins of quantities are safe for each day, bool ``(BOOK_DAYS, bins)``; the first one always is, as an
    offer for a day without any is masked."""
    for ahead in range(BOOK_DAYS):
        for b in range(bins):
            out[ahead, b] = b == 0 or level(view["min_quantity"], most_items(view), bins, b) <= limits[ahead]


_write_quantities = compiled(write_quantities)


class Asked(NamedTuple):
    """What a factory is asked, of the ``n`` negotiations that are due.

    Attributes:
        shown: What it is shown of them, without conditions.
        rows: The same with goals told, float32 ``(n, SIZE)``.
        memories: What each negotiation gave before; None at its first decision.
        masks: Valid options, bool ``(n, options)``.
        safe: Which quantities are safe for each day, bool ``(n, BOOK_DAYS, bins)``; all where there is no shield.
    """

    shown: Shown
    rows: np.ndarray
    memories: list[Memory | None]
    masks: np.ndarray
    safe: np.ndarray


def narrowing(safe: np.ndarray) -> Narrow:
    """Of quantities, to those that are safe for the day that is chosen; ``safe`` as of `Asked`, of all negotiations
    that are decided together."""
    of_each = torch.from_numpy(safe)

    def narrow(i: int, before: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return mask & of_each[torch.arange(len(mask)), before[:, DAY]] if i == QUANTITY else mask

    return narrow


class Executing:
    """A `scml_gym.game.daily.Executor` of goals by side and days from today; negotiations are remembered for a day.

    Args:
        learner: Decides.
        choices: What its actions mean.
        shield: A bound, behind which its answers are safe; None for none.

    Attributes:
        synchronous: All negotiations are answered together.
    """

    synchronous = True

    def __init__(self, learner: Continues, choices: PartnerChoices, shield: str | None):
        self._learner, self._choices, self._shield = learner, choices, shield
        self.bound = COVERED if shield is None else named_bound(shield)
        self._narrow, self._memories = compiled(ChoiceActions(choices).narrow), dict[int, Memory]()

    def begin(self, view: StandardView) -> None:
        """A world starts: nothing is remembered."""
        self._memories.clear()

    def end_day(self, view: StandardView) -> None:
        """The day's negotiations are over."""
        self._memories.clear()

    def act(self, view: StandardView, goals: np.ndarray | None = None, alpha: np.ndarray | None = None) -> ActionArray:
        """Answer every partner whose turn it is.

        Args:
            view: What the factory sees.
            goals: Items that shall be agreed on today, by side and days from today, ``(2, BOOK_DAYS)``, of which nobody
                says who is to do what; None where nobody sets any.
            alpha: How eager each negotiation is to be, -1 to 1, ``(MAX_PARTNERS,)``; None for 0.
        """
        asked = self.ask(view, goals)
        due = asked.shown.due
        if not len(due):
            return new_actions()
        if alpha is not None:
            asked.rows[:, ALPHA] = alpha[due]
        chosen, after = self._learner.continued(asked.rows, asked.memories, asked.masks, narrowing(asked.safe))
        return self.answer(view, due, chosen, after)[0]

    def ask(self, view: StandardView, goals: np.ndarray | None, plan: ActionArray | None = None) -> Asked:
        """What is to be decided.

        Args:
            view: What the factory sees.
            goals: See `act`.
            plan: Answers to all partners, of which each negotiation is told its own; None where there is no plan.
        """
        shown = observe(view, self.bound)
        rows, sides = shown.rows.copy(), shown.due // MAX_PER_LEVEL
        if goals is not None:
            wanted = np.asarray(goals, np.float64).reshape(2, BOOK_DAYS)
            tell_goals(rows, wanted[sides], shown.agreed[sides], int(view["lines"]))
        if plan is not None:
            tell_parts(rows, view, shown.due, plan)
        memories = [self._memories.get(k) for k in shown.due.tolist()]
        return Asked(shown, rows, memories, *self._masks(view, shown))

    def answer(
        self, view: StandardView, due: np.ndarray, chosen: Sequence[Any], after: Sequence[Memory]
    ) -> tuple[ActionArray, np.ndarray]:
        """The factory's answers, and which of them, by partner, the shield has changed, bool ``(MAX_PARTNERS,)``.

        Args:
            view: What the factory sees.
            due: The partners that were asked for.
            chosen: A choice for each of them.
            after: What each negotiation remembers.
        """
        actions = new_actions()
        for k, choice, memory in zip(due.tolist(), chosen, after, strict=True):
            self._choices.decode(choice, view, k, actions)
            self._memories[k] = memory
        if self._shield is None:
            return actions, np.zeros(MAX_PARTNERS, np.bool_)
        return actions, restrict_answers(view, actions, BOUNDS[self.bound], 1.0)

    def _masks(self, view: StandardView, shown: Shown) -> tuple[np.ndarray, np.ndarray]:
        """See `Asked`."""
        masks = np.zeros((MAX_PARTNERS, sum(self._choices.sizes)), np.bool_)
        for k in shown.due.tolist():
            masks[k] = self._choices.mask(view, k)
        safe = np.ones((2, BOOK_DAYS, self._choices.quantity_bins), np.bool_)
        if self._shield is not None:
            self._narrow(view, shown.accepts, shown.limits, masks.reshape(-1))
            for side in range(2):
                limits = shown.limits[side * BOOK_DAYS : (side + 1) * BOOK_DAYS]
                _write_quantities(view, limits, self._choices.quantity_bins, safe[side])
        return masks[shown.due], safe[shown.due // MAX_PER_LEVEL]
