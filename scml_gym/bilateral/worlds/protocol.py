"""What the worlds of bilateral negotiations share: what they are made of, and how they are played."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from scml_gym.bilateral.negotiators.base import Table, TableStrategy
from scml_gym.bilateral.view import ACCEPT, END, VIEW_DTYPE, BilateralView
from scml_gym.core.errors import InputError


@dataclass(frozen=True)
class Bidder:
    """A strategy of the table kind with its parameters.

    Attributes:
        strategy: What is played.
        parameters: Replacements for the strategy's defaults.
    """

    strategy: TableStrategy
    parameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Negotiation:
    """A bilateral negotiation, but for its seed.

    Attributes:
        scenario: The issues and both sides' preferences, a `scml_gym.bilateral.scenarios.Scenario`.
        profile: Which of its profiles is the learner's; the opponent has the other one.
        tables: Of the learner and of the opponent.
        rounds: Of one move of each side.
        opponent_first: Whether the opponent opens each round.
        opponent: Who plays the other side: a `Bidder`, or, in the negmas world, a class of negmas negotiators.
        bids: What prepares the learner's bids, or None where the learner makes its own.
    """

    scenario: Any
    profile: int
    tables: tuple[Table, Table]
    rounds: int
    opponent_first: bool
    opponent: Any
    bids: Bidder | None = None

    def new_view(self) -> BilateralView:
        """A view of the learner's side, not yet opened."""
        view = np.zeros(1, dtype=VIEW_DTYPE)[0]
        view["n_outcomes"] = len(self.tables[0].utilities)
        view["n_steps"], view["opponent_first"] = self.rounds, self.opponent_first
        return view


class BilateralWorld(Protocol):
    """A negotiation that pauses where the learner must answer.

    Attributes:
        backend: ``reference`` or ``compiled``: which of the two worlds it is.
        view: What the learner's side sees: a live record, whose ``running`` says whether an answer is due.
    """

    backend: str
    view: BilateralView

    def start(self, seed: int) -> None:
        """Begin anew with draws from that seed (from 0 to 2**63 - 1) and run to the learner's first turn."""
        ...

    def answer(self, response: int) -> None:
        """Give the learner's response, ``ACCEPT``, ``END`` or an outcome to offer, and run to its next turn or the end.

        To accept without a standing offer ends the negotiation, as it does in negmas.
        """
        ...

    def close(self) -> None:
        """Give up a running negotiation."""
        ...


def check_response(view: BilateralView, response: int) -> None:
    """Refuse a response to a negotiation that has ended, or one that is no response.

    Raises:
        InputError: see above.
    """
    if not view["running"]:
        raise InputError("the negotiation has ended: start a new one")
    if response not in (ACCEPT, END) and not 0 <= response < view["n_outcomes"]:
        raise InputError(f"response {response}; valid: ACCEPT, END, or an outcome from 0 to {view['n_outcomes'] - 1}")
