"""Which negotiations of a factory ended since it was last asked, and what they are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scml_gym.rewards_negotiation import NegotiationReward
from scml_gym.view import AgentView


@dataclass(frozen=True)
class NegotiationEnd:
    """The end of one negotiation.

    Attributes:
        partner: Slot.
        quantity: Agreed, in items; 0 without agreement.
        price: Agreed, in money per item; 0 without agreement.
        needs: What was left to be traded after it.
        won: Negotiations of the day that had ended with an agreement by then, this one included.
        reward: See `NegotiationReward`.
    """

    partner: int
    quantity: int
    price: int
    needs: int
    won: int
    reward: float

    @property
    def agreed(self) -> bool:
        """Whether it moved to ACCEPT, not to END."""
        return self.quantity > 0


class PartnerTracker:
    """Follows the successive views of one factory and tells the negotiations that ended in between.

    Every negotiation of a day is reported exactly once: by the ``update`` of the first decision after its end, or by
    ``end_day``. Agreements that came between two views are taken in the order of partners, each with the needs it left;
    then the negotiations that ended without one. A negotiation that ended without agreement before the day's first view
    is not reported: the factory had no part in it.

    Args:
        reward: What an end is worth.

    Example:
        >>> tracker = PartnerTracker(NegotiationReward())
        >>> # tracker.begin_day(view); for each decision: tracker.update(view); tracker.end_day(view)
    """

    def __init__(self, reward: NegotiationReward):
        self.reward = reward
        self.day = -1
        self._open = np.zeros(0, dtype=np.bool_)
        self._agreed = self.won = 0

    def begin_day(self, view: AgentView) -> None:
        """A new day's negotiations, from its first view."""
        partners = view["partners"]
        self.day = int(view["day"])
        self._open = (partners["running"] > 0) | (partners["agreed_quantity"] > 0)
        self._agreed = self.won = 0

    def update(self, view: AgentView) -> list[NegotiationEnd]:
        """The negotiations that ended since the last view; a view of another day begins that day first."""
        if view["day"] != self.day:
            self.begin_day(view)
        return self._collect(view, view["partners"]["running"] == 0)

    def end_day(self, view: AgentView) -> list[NegotiationEnd]:
        """The rest of the day's negotiations, all over by now."""
        if view["day"] != self.day:
            self.begin_day(view)
        return self._collect(view, np.ones(len(self._open), dtype=np.bool_))

    def _collect(self, view: AgentView, over: np.ndarray) -> list[NegotiationEnd]:
        ended = np.flatnonzero(self._open & over).tolist()
        if not ended:
            return []
        self._open[ended] = False
        quantities, prices = view["partners"]["agreed_quantity"].tolist(), view["partners"]["agreed_price"].tolist()
        ends = []
        for k in (k for k in ended if quantities[k]):
            self.won += 1
            self._agreed += quantities[k]
            needs = self._left(view)
            reward = self.reward.accepted(view, quantities[k], prices[k], needs, self.won)
            ends.append(NegotiationEnd(k, quantities[k], prices[k], needs, self.won, reward))
        needs = self._left(view)
        for k in (k for k in ended if not quantities[k]):
            ends.append(NegotiationEnd(k, 0, 0, needs, self.won, self.reward.ended(view, k, needs)))
        return ends

    def _left(self, view: AgentView) -> int:
        return min(int(view["lines"]), int(view["exogenous_quantity"]) - self._agreed)
