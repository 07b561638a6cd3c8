"""One partner at a time: states and actions of a single negotiation as indices, and which negotiations ended.

The per-partner form of a decision, shared by the bilateral environments, the per-opponent learners and their
deployment. States and actions are indices in quantised ranges, not values, so that a table learned at one price range
serves another ("Q-learning for SCML OneShot, 2021", sections 2.1.2, 2.1.3 and 2.2.c).

All functions read an `AgentView` and a partner slot ``k``, ``0 <= k < MAX_PARTNERS``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from scml_gym.errors import InputError
from scml_gym.partner_tracker import NegotiationEnd, PartnerTracker
from scml_gym.quantised import levels, quantise
from scml_gym.view import ACCEPT, END, NOOP, OFFER, AgentView

__all__ = ["NegotiationEnd", "PartnerActions", "PartnerState", "PartnerStates", "PartnerTracker", "levels", "quantise"]

StateKind = Literal["needs", "offer", "full"]


class PartnerState(NamedTuple):
    """A state taken apart; bins count from 1, and 0 stands for none (for needs: nothing is needed)."""

    needs: int
    time: int
    my_quantity: int
    my_price: int
    their_quantity: int
    their_price: int


class PartnerStates:
    """The paper's states of one negotiation as one index, 0 to ``n - 1``.

    Args:
        kind: ``"needs"``: what is still needed; ``"offer"``: needs and the partner's last offer; ``"full"``: needs, my
            last offer and the partner's.
        quantity_bins: Bins of the range of quantities.
        price_bins: Bins of the range of prices.
        needs_bins: Bins of the positive needs, 1 to the factory's lines; index 0 is no need at all.
        time_bins: Bins of the negotiation's relative time; 1 leaves time out, as the paper does.

    Attributes:
        accept: Index of the terminal state ACCEPT (the partner has agreed).
        end: Index of the terminal state END (it ended without agreement, or there is no such partner).
        n: Number of states, terminal ones included.

    Raises:
        InputError: if the kind is unknown or a number of bins is below 1.
    """

    def __init__(
        self,
        kind: str = "full",
        quantity_bins: int = 10,
        price_bins: int = 2,
        needs_bins: int = 10,
        time_bins: int = 1,
    ):
        if kind not in ("needs", "offer", "full"):
            raise InputError(f"kind={kind!r}; valid: 'needs', 'offer', 'full'")
        _check_bins(quantity_bins=quantity_bins, price_bins=price_bins, needs_bins=needs_bins, time_bins=time_bins)
        self.kind = kind
        self.quantity_bins, self.price_bins = quantity_bins, price_bins
        self.needs_bins, self.time_bins = needs_bins, time_bins
        self._offers = 1 + quantity_bins * price_bins
        mine, theirs = (self._offers if kind == "full" else 1), (self._offers if kind != "needs" else 1)
        self.shape = (needs_bins + 1, time_bins, mine, theirs)
        self.accept = int(np.prod(self.shape))
        self.end = self.accept + 1
        self.n = self.accept + 2

    def index(self, view: AgentView, k: int, needs: int | None = None) -> int:
        """The state of the negotiation with partner ``k``.

        Args:
            view: What the factory sees.
            k: Partner slot.
            needs: Instead of the view's; a joint decision gives what its earlier answers leave to be traded.
        """
        partner = view["partners"][k]
        if not partner["running"]:
            return self.accept if partner["agreed_quantity"] > 0 else self.end
        needs = int(view["needs"]) if needs is None else needs
        need = 0 if needs <= 0 else 1 + quantise(needs, 1, max(1, int(view["lines"])), self.needs_bins)
        time = min(self.time_bins - 1, int(float(partner["relative_time"]) * self.time_bins))
        mine = theirs = 0
        if self.kind != "needs":
            theirs = self._offer(view, int(partner["offer_quantity"]), int(partner["offer_price"]))
        if self.kind == "full":
            mine = self._offer(view, int(partner["my_quantity"]), int(partner["my_price"]))
        _, times, own, other = self.shape
        return ((need * times + time) * own + mine) * other + theirs

    def decode(self, index: int) -> PartnerState | None:
        """The bins that an index stands for; None for the terminal states.

        Raises:
            InputError: if there is no such index.
        """
        if not 0 <= index < self.n:
            raise InputError(f"state {index}; valid: 0 to {self.n - 1}")
        if index >= self.accept:
            return None
        index, theirs = divmod(index, self.shape[3])
        index, mine = divmod(index, self.shape[2])
        need, time = divmod(index, self.time_bins)
        return PartnerState(need, time, *self._bins(mine), *self._bins(theirs))

    def _offer(self, view: AgentView, quantity: int, price: int) -> int:
        if quantity <= 0:
            return 0
        q = quantise(quantity, int(view["min_quantity"]), int(view["max_quantity"]), self.quantity_bins)
        p = quantise(price, int(view["min_price"]), int(view["max_price"]), self.price_bins)
        return 1 + q * self.price_bins + p

    def _bins(self, offer: int) -> tuple[int, int]:
        if offer == 0:
            return 0, 0
        quantity, price = divmod(offer - 1, self.price_bins)
        return quantity + 1, price + 1


class PartnerActions:
    """The answers to one partner as indices: 0 ends (and is the no-op of an idle partner), 1 accepts, the rest offer.

    Offers are ordered by quantity, then price: index ``2 + quantity_bin * price_bins + price_bin``, so a high index is
    a high value. 10 quantities and 2 prices make 22 actions.

    Args:
        quantity_bins: Bins of the range of quantities.
        price_bins: Bins of the range of prices.

    Raises:
        InputError: if a number of bins is below 1.
    """

    def __init__(self, quantity_bins: int = 10, price_bins: int = 2):
        _check_bins(quantity_bins=quantity_bins, price_bins=price_bins)
        self.quantity_bins, self.price_bins = quantity_bins, price_bins
        self.n = 2 + quantity_bins * price_bins

    def decode(self, index: int, view: AgentView, k: int) -> tuple[int, int, int]:
        """(response, quantity, price) of an action in today's ranges; quantity and price are 0 for no offer.

        Raises:
            InputError: if there is no such index.
        """
        if not 0 <= index < self.n:
            raise InputError(f"action {index}; valid: 0 to {self.n - 1}")
        if index == 0:
            return (END if view["partners"][k]["my_turn"] else NOOP), 0, 0
        if index == 1:
            return ACCEPT, 0, 0
        q, p = divmod(index - 2, self.price_bins)
        return OFFER, self.quantities(view)[q], self.prices(view)[p]

    def encode(self, view: AgentView, response: int, quantity: int = 0, price: int = 0) -> int:
        """The action nearest to an answer; the inverse of ``decode`` on its values."""
        if response == ACCEPT:
            return 1
        if response != OFFER:
            return 0
        q = quantise(quantity, int(view["min_quantity"]), int(view["max_quantity"]), self.quantity_bins)
        p = quantise(price, int(view["min_price"]), int(view["max_price"]), self.price_bins)
        return 2 + q * self.price_bins + p

    def quantities(self, view: AgentView) -> tuple[int, ...]:
        """The quantity of each bin, in items, within today's range."""
        return levels(int(view["min_quantity"]), int(view["max_quantity"]), self.quantity_bins)

    def prices(self, view: AgentView) -> tuple[int, ...]:
        """The price of each bin, in money per item, within today's range."""
        return levels(int(view["min_price"]), int(view["max_price"]), self.price_bins)

    def mask(self, view: AgentView, k: int) -> np.ndarray:
        """Which actions are valid, bool, shape ``(n,)``.

        A partner whose turn to be answered it is not takes only index 0; ACCEPT needs a standing offer; of bins that
        stand for the same value the lowest is valid.
        """
        mask = np.zeros(self.n, dtype=np.bool_)
        mask[0] = True
        partner = view["partners"][k]
        if partner["my_turn"]:
            mask[1] = partner["offer_quantity"] > 0
            mask[2:] = _offer_mask(self.quantities(view), self.prices(view))
        return mask


@lru_cache(maxsize=4096)
def _offer_mask(quantities: tuple[int, ...], prices: tuple[int, ...]) -> np.ndarray:
    first = [[v not in values[:i] for i, v in enumerate(values)] for values in (quantities, prices)]
    mask = np.outer(*map(np.array, first)).ravel()
    mask.setflags(write=False)
    return mask


def _check_bins(**bins: int) -> None:
    for name, value in bins.items():
        if value < 1:
            raise InputError(f"{name}={value!r}; valid: 1 or more")
