"""Which negotiations of a factory ended since it was last asked, and what they are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.rewards.negotiation import NegotiationReward
from scml_gym.oneshot.rules import needs_of
from scml_gym.oneshot.view import MAX_PARTNERS, FactoryView

TRACKER_DTYPE = np.dtype(
    [
        ("day", np.int64),  # that is followed; -1 before the first
        ("agreed", np.int64),  # items agreed in the negotiations that were reported
        ("won", np.int64),  # reported negotiations that ended with an agreement
        ("open", np.int64, (MAX_PARTNERS,)),  # negotiations of the day that were not reported yet
    ],
    align=True,
)

END_DTYPE = np.dtype([(name, np.int64) for name in ("partner", "quantity", "price", "needs", "won")], align=True)
"""The end of one negotiation; see `NegotiationEnd`."""


@jittable
def begin_tracked_day(view: FactoryView, tracker: np.void) -> None:
    """A new day's negotiations, from its first view; ``tracker`` is a record of ``TRACKER_DTYPE``."""
    tracker["day"] = view["day"]
    tracker["agreed"] = 0
    tracker["won"] = 0
    for k in range(MAX_PARTNERS):
        partner = view["partners"][k]
        tracker["open"][k] = 1 if partner["running"] > 0 or partner["agreed_quantity"] > 0 else 0


@jittable
def left_to_trade(view: FactoryView, agreed: int) -> int:
    """What a factory still needs after so many items were agreed."""
    return needs_of(view["lines"], view["exogenous_quantity"], agreed)


@jittable
def collect_ends(view: FactoryView, day_over: bool, tracker: np.void, ends: np.ndarray) -> int:
    """The negotiations that ended and were not reported before; a view of another day begins that day first.

    Args:
        view: What the factory sees.
        day_over: Whether the running ones count as ended too.
        tracker: ``TRACKER_DTYPE``, brought up to date.
        ends: ``END_DTYPE``, shape ``(MAX_PARTNERS,)``: is written, in the order that `PartnerTracker` tells.

    Returns:
        How many.
    """
    if view["day"] != tracker["day"]:
        begin_tracked_day(view, tracker)
    n = 0
    for agreed in (True, False):
        for k in range(MAX_PARTNERS):
            partner = view["partners"][k]
            over = day_over or partner["running"] == 0
            if tracker["open"][k] == 0 or not over or (partner["agreed_quantity"] > 0) != agreed:
                continue
            tracker["open"][k] = 0
            if agreed:
                tracker["won"] += 1
                tracker["agreed"] += partner["agreed_quantity"]
            ends[n]["partner"] = k
            ends[n]["quantity"] = partner["agreed_quantity"]
            ends[n]["price"] = partner["agreed_price"] if agreed else 0
            ends[n]["needs"] = left_to_trade(view, tracker["agreed"])
            ends[n]["won"] = tracker["won"]
            n += 1
    return n


_begin_tracked_day = compiled(begin_tracked_day)
_collect_ends = compiled(collect_ends)


@dataclass(frozen=True)
class NegotiationEnd:
    """The end of one negotiation.

    Attributes:
        partner: Feature.
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
        self._tracker = np.zeros(1, dtype=TRACKER_DTYPE)[0]
        self._tracker["day"] = -1
        self._ends = np.zeros(MAX_PARTNERS, dtype=END_DTYPE)

    @property
    def day(self) -> int:
        """The day that is followed; -1 before the first."""
        return int(self._tracker["day"])

    @property
    def won(self) -> int:
        """Negotiations of the day that were reported with an agreement."""
        return int(self._tracker["won"])

    def begin_day(self, view: FactoryView) -> None:
        """A new day's negotiations, from its first view."""
        _begin_tracked_day(view, self._tracker)

    def update(self, view: FactoryView) -> list[NegotiationEnd]:
        """The negotiations that ended since the last view; a view of another day begins that day first."""
        return self._collect(view, False)

    def end_day(self, view: FactoryView) -> list[NegotiationEnd]:
        """The rest of the day's negotiations, all over by now."""
        return self._collect(view, True)

    def _collect(self, view: FactoryView, day_over: bool) -> list[NegotiationEnd]:
        n = _collect_ends(view, day_over, self._tracker, self._ends)
        ends = []
        for k, quantity, price, needs, won in self._ends[:n].tolist():
            if quantity:
                reward = self.reward.accepted(view, quantity, price, needs, won)
            else:
                reward = self.reward.ended(view, k, needs)
            ends.append(NegotiationEnd(k, quantity, price, needs, won, reward))
        return ends
