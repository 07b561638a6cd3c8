"""What D-NB thought at each decision (thesis, section 5.3.3): told in recorded worlds, and as a tidy table where one is
asked for."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pandas as pd

from scml_gym.agents.dnb.records import MEMORY_DTYPE, MEMORY_SIZE
from scml_gym.core.files import replace_file
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.view import ACCEPT, OFFER, ActionArray, FactoryView

NUMBERS = ("expected", "conservative", "budget", "offered", "score")
"""Columns that are numbers of D-NB's memory."""

RESPONSES = {ACCEPT: "accept", OFFER: "offer"}
"""All others end the negotiation."""

COLUMNS = {
    "day": "of the world, from 0",
    "decision": "of the day, from 0",
    "level": "0 for a seller, 1 for a buyer",
    "needs": "items still to be traded",
    "agreed": "items agreed today before this decision",
    "expected": "items that offers under way were expected to bring",
    "conservative": "the same at their lower confidence bounds",
    "budget": "items that may be under offer today; infinite for no limit",
    "offered": "items of this decision's offers",
    "score": "of the set of offers taken, in money",
    "partner": "index of the partner that this row is about",
    "heard_quantity": "its standing offer; 0 for none",
    "heard_price": "money an item",
    "response": "accept, offer or end",
    "quantity": "of my offer; 0 for none",
    "price": "money an item",
    "mean": "estimated chance that my offer is accepted",
    "bound": "the chance that was counted on",
}
"""The columns: one row for each partner that was answered."""


def thoughts(view: FactoryView, state: np.ndarray, actions: ActionArray) -> dict[int | None, dict[str, float]]:
    """What D-NB tells of a decision, see `scml_gym.game.strategy.Strategy.thoughts`: of the decision `NUMBERS` with the
    items still to be traded and those agreed today, and of each partner to whom it makes an offer the items that it
    asks for, the chance that they are accepted, and the chance that it counts on."""
    memory = state[:MEMORY_SIZE].view(MEMORY_DTYPE)[0]
    told: dict[int | None, dict[str, float]] = {
        None: {"needs": view["needs"], "agreed": view["agreed_quantity"]} | {name: memory[name] for name in NUMBERS}
    }
    for k in np.flatnonzero(actions["response"] == OFFER).tolist():
        known = memory["partners"][k]
        told[k] = {"asked": actions[k]["quantity"], "mean": known["mean"], "bound": known["bound"]}
    return told


class DecisionLog:
    """A `scml_gym.game.world.FactoryPolicy` that plays as D-NB does and writes down why.

    Args:
        player: D-NB.
        folder: Receives one CSV file, under a name of its own, when a world ends.
    """

    synchronous = True

    def __init__(self, player: StrategyPolicy, folder: Path):
        self._player, self._folder = player, folder
        self.rows: list[tuple[object, ...]] = []

    def begin(self, view: FactoryView) -> None:
        """A new world: an empty table."""
        self._player.begin(view)
        self.rows = []

    def act(self, view: FactoryView) -> ActionArray:
        """D-NB's answers; what led to them becomes rows of the table."""
        before = view.copy()
        actions = self._player.act(view)
        told = thoughts(before, self._player.state, actions)
        decision = [before[name] for name in ("day", "decision", "level", "needs", "agreed_quantity")]
        decision += [float(told[None][name]) for name in NUMBERS]
        for k in np.flatnonzero(before["partners"]["my_turn"]).tolist():
            partner, action = before["partners"][k], actions[k]
            chances = (told[k]["mean"], told[k]["bound"]) if k in told else (np.nan, np.nan)
            response = RESPONSES.get(int(action["response"]), "end")
            offers = (partner["offer_quantity"], partner["offer_price"], response, action["quantity"], action["price"])
            self.rows.append((*decision, k, *offers, *chances))
        return actions

    def end_day(self, view: FactoryView) -> None:
        """Let D-NB learn; after the last day the table is written."""
        self._player.end_day(view)
        if view["day"] == view["n_days"] - 1:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._folder / f"{uuid.uuid4().hex}.csv", self.table().to_csv(index=False))

    def table(self) -> pd.DataFrame:
        """The rows of this world so far; see `COLUMNS`."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS))
