"""The states of one negotiation as indices ("Q-learning for SCML OneShot, 2021", sections 2.1.2 and 2.2.c)."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from scml_gym.core.arguments import whole, whole_bins
from scml_gym.core.errors import InputError
from scml_gym.game.ranges import quantise
from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.actions.negotiation import offer_index
from scml_gym.oneshot.view import FactoryView

StateKind = Literal["needs", "offer", "full"]

BINS_DTYPE = np.dtype([(n, np.int64) for n in ("offers", "quantity_bins", "price_bins", "needs_bins", "time_bins")])
"""What a state tells: the last offers in it (0 none, 1 the partner's, 2 mine too), and the bins of the ranges of
quantities and prices, of the positive needs, and of relative time."""


@jittable
def state_index(view: FactoryView, k: int, needs: int, bins: np.void) -> int:
    """The state of a running negotiation; see `PartnerStates`.

    Args:
        view: What the factory sees.
        k: Index of the partner.
        needs: Items still to be traded.
        bins: A record with the fields of `BINS_DTYPE`.
    """
    offers, quantity_bins, price_bins = bins["offers"], bins["quantity_bins"], bins["price_bins"]
    needs_bins, time_bins = bins["needs_bins"], bins["time_bins"]
    partner = view["partners"][k]
    index = 0 if needs <= 0 else 1 + quantise(needs, 1, max(1, view["lines"]), needs_bins)
    index = index * time_bins + min(time_bins - 1, int(partner["relative_time"] * time_bins))
    n = 1 + quantity_bins * price_bins
    if offers > 1:
        index *= n
        if partner["my_quantity"] > 0:
            index += 1 + offer_index(view, partner["my_quantity"], partner["my_price"], quantity_bins, price_bins)
    if offers > 0:
        index *= n
        if partner["offer_quantity"] > 0:
            index += 1 + offer_index(view, partner["offer_quantity"], partner["offer_price"], quantity_bins, price_bins)
    return index


@compiled
def _state_index(view: FactoryView, k: int, needs: int, bins: np.ndarray) -> int:
    return state_index(view, k, needs, bins[0])


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
        bins: ``BINS_DTYPE``, shape ``(1,)``.

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
            raise InputError(f"kind={kind!r}; valid: 'needs', 'offer', 'full'", "kind")
        quantity_bins, price_bins = whole_bins(quantity_bins, price_bins)
        needs_bins, time_bins = whole("needs_bins", needs_bins), whole("time_bins", time_bins)
        self.kind = kind
        self.quantity_bins, self.price_bins = quantity_bins, price_bins
        self.needs_bins, self.time_bins = needs_bins, time_bins
        self._offers = 1 + quantity_bins * price_bins
        mine, theirs = (self._offers if kind == "full" else 1), (self._offers if kind != "needs" else 1)
        self.shape = (needs_bins + 1, time_bins, mine, theirs)
        self.accept = int(np.prod(self.shape))
        self.end = self.accept + 1
        offers = ("needs", "offer", "full").index(kind)
        self.bins = np.array([(offers, quantity_bins, price_bins, needs_bins, time_bins)], dtype=BINS_DTYPE)
        self.n = self.accept + 2

    def index(self, view: FactoryView, k: int, needs: int | None = None) -> int:
        """The state of the negotiation with partner ``k``.

        Args:
            view: What the factory sees.
            k: Index of the partner.
            needs: Instead of the view's; a joint decision gives what its earlier answers leave to be traded.
        """
        partner = view["partners"][k]
        if not partner["running"]:
            return self.accept if partner["agreed_quantity"] > 0 else self.end
        return _state_index(view, k, int(view["needs"]) if needs is None else needs, self.bins)

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

    def _bins(self, offer: int) -> tuple[int, int]:
        if offer == 0:
            return 0, 0
        quantity, price = divmod(offer - 1, self.price_bins)
        return quantity + 1, price + 1
