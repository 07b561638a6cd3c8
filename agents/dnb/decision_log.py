"""What D-NB thought at each decision, as a tidy table; off unless it is asked for (thesis, section 5.3.3)."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pandas as pd

from scml_gym.agents.dnb.records import MEMORY_DTYPE
from scml_gym.core.files import replace_file
from scml_gym.oneshot.strategies.base import StrategyPolicy
from scml_gym.oneshot.view import ACCEPT, OFFER, ActionArray, FactoryView
from scml_gym.simulator.recording.log import tell

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


class DecisionLog:
    """A `scml_gym.game.world.FactoryPolicy` that plays as D-NB does and writes down why, in a recorded world there too.

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
        memory = self._player.state.view(MEMORY_DTYPE)[0]
        decision = [before[name] for name in ("day", "decision", "level", "needs", "agreed_quantity")]
        thoughts = {name: float(memory[name]) for name in ("expected", "conservative", "budget", "offered", "score")}
        tell(view, **thoughts)
        decision += thoughts.values()
        for k in np.flatnonzero(before["partners"]["my_turn"]).tolist():
            partner, known, action = before["partners"][k], memory["partners"][k], actions[k]
            made = action["response"] == OFFER
            chances = (known["mean"], known["bound"]) if made else (np.nan, np.nan)
            if made:
                tell(view, partner=k, mean=known["mean"], bound=known["bound"])
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
