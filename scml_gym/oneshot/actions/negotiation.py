"""One partner at a time: states and actions of a single negotiation as indices, and which negotiations ended.

The per-partner form of a decision, shared by the bilateral environments, the per-opponent learners and their
deployment. States and actions are indices in quantised ranges, not values, so that a table learned at one price range
serves another ("Q-learning for SCML OneShot, 2021", sections 2.1.2, 2.1.3 and 2.2.c).

All functions read an `FactoryView` and a partner slot ``k``, ``0 <= k < MAX_PARTNERS``.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.negotiation_ends import NegotiationEnd, PartnerTracker
from scml_gym.oneshot.quantised import is_first, level, levels, quantise
from scml_gym.oneshot.view import ACCEPT, END, NOOP, OFFER, ActionArray, FactoryView, new_actions

__all__ = ["NegotiationEnd", "PartnerActions", "PartnerState", "PartnerStates", "PartnerTracker", "levels", "quantise"]

StateKind = Literal["needs", "offer", "full"]


@jittable
def offer_index(view: FactoryView, quantity: int, price: int, quantity_bins: int, price_bins: int) -> int:
    """The bins of an offer in today's ranges as one index, quantity-major, from 0."""
    q = quantise(quantity, view["min_quantity"], view["max_quantity"], quantity_bins)
    return q * price_bins + quantise(price, view["min_price"], view["max_price"], price_bins)


@jittable
def state_index(
    view: FactoryView,
    k: int,
    needs: int,
    offers: int,
    quantity_bins: int,
    price_bins: int,
    needs_bins: int,
    time_bins: int,
) -> int:
    """The state of a running negotiation; see `PartnerStates`.

    Args:
        view: What the factory sees.
        k: Partner slot.
        needs: Items still to be traded.
        offers: Last offers that a state tells: 0 none, 1 the partner's, 2 mine too.
        quantity_bins: Of the range of quantities.
        price_bins: Of the range of prices.
        needs_bins: Of the positive needs.
        time_bins: Of relative time.
    """
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


@jittable
def decode_choice(
    choice: int, view: FactoryView, k: int, quantity_bins: int, price_bins: int, actions: ActionArray
) -> bool:
    """Write the answer to partner ``k`` that a choice stands for (see `PartnerActions`); False where there is none."""
    response, quantity, price = OFFER, 0, 0
    if choice < 0 or choice >= 2 + quantity_bins * price_bins:
        return False
    if choice == 0:
        response = END if view["partners"][k]["my_turn"] != 0 else NOOP
    elif choice == 1:
        response = ACCEPT
    else:
        q, p = (choice - 2) // price_bins, (choice - 2) % price_bins
        quantity = level(view["min_quantity"], view["max_quantity"], quantity_bins, q)
        price = level(view["min_price"], view["max_price"], price_bins, p)
    actions[k]["response"] = response
    actions[k]["quantity"] = quantity
    actions[k]["price"] = price
    return True


@jittable
def partner_mask(view: FactoryView, k: int, quantity_bins: int, price_bins: int, out: np.ndarray) -> None:
    """Which choices are valid for partner ``k``, bool, shape ``(2 + quantity_bins * price_bins,)``; see
    `PartnerActions.mask`."""
    partner = view["partners"][k]
    my_turn = partner["my_turn"] != 0
    out[0] = True
    out[1] = my_turn and partner["offer_quantity"] > 0
    for q in range(quantity_bins):
        new_quantity = my_turn and is_first(view["min_quantity"], view["max_quantity"], quantity_bins, q)
        for p in range(price_bins):
            new_price = is_first(view["min_price"], view["max_price"], price_bins, p)
            out[2 + q * price_bins + p] = new_quantity and new_price


_state_index = compiled(state_index)
_partner_mask = compiled(partner_mask)
_offer_index = compiled(offer_index)


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
            raise InputError(f"kind={kind!r}; valid: 'needs', 'offer', 'full'", "kind")
        _check_bins(quantity_bins=quantity_bins, price_bins=price_bins, needs_bins=needs_bins, time_bins=time_bins)
        self.kind = kind
        self.quantity_bins, self.price_bins = quantity_bins, price_bins
        self.needs_bins, self.time_bins = needs_bins, time_bins
        self._offers = 1 + quantity_bins * price_bins
        mine, theirs = (self._offers if kind == "full" else 1), (self._offers if kind != "needs" else 1)
        self.shape = (needs_bins + 1, time_bins, mine, theirs)
        self.accept = int(np.prod(self.shape))
        self.end = self.accept + 1
        offers = ("needs", "offer", "full").index(kind)
        self._how = (offers, quantity_bins, price_bins, needs_bins, time_bins)
        self.n = self.accept + 2

    def index(self, view: FactoryView, k: int, needs: int | None = None) -> int:
        """The state of the negotiation with partner ``k``.

        Args:
            view: What the factory sees.
            k: Partner slot.
            needs: Instead of the view's; a joint decision gives what its earlier answers leave to be traded.
        """
        partner = view["partners"][k]
        if not partner["running"]:
            return self.accept if partner["agreed_quantity"] > 0 else self.end
        return _state_index(view, k, int(view["needs"]) if needs is None else needs, *self._how)

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

    def decode(self, index: int, view: FactoryView, k: int) -> tuple[int, int, int]:
        """(response, quantity, price) of an action in today's ranges; quantity and price are 0 for no offer.

        Raises:
            InputError: if there is no such index.
        """
        actions = new_actions()
        if not decode_choice(index, view, k, self.quantity_bins, self.price_bins, actions):
            raise InputError(f"action {index}; valid: 0 to {self.n - 1}")
        return actions[k].item()

    def encode(self, view: FactoryView, response: int, quantity: int = 0, price: int = 0) -> int:
        """The action nearest to an answer; the inverse of ``decode`` on its values."""
        if response == ACCEPT:
            return 1
        if response != OFFER:
            return 0
        return 2 + _offer_index(view, quantity, price, self.quantity_bins, self.price_bins)

    def quantities(self, view: FactoryView) -> tuple[int, ...]:
        """The quantity of each bin, in items, within today's range."""
        return levels(int(view["min_quantity"]), int(view["max_quantity"]), self.quantity_bins)

    def prices(self, view: FactoryView) -> tuple[int, ...]:
        """The price of each bin, in money per item, within today's range."""
        return levels(int(view["min_price"]), int(view["max_price"]), self.price_bins)

    def mask(self, view: FactoryView, k: int) -> np.ndarray:
        """Which actions are valid, bool, shape ``(n,)``.

        A partner whose turn to be answered it is not takes only index 0; ACCEPT needs a standing offer; of bins that
        stand for the same value the lowest is valid.
        """
        mask = np.empty(self.n, dtype=np.bool_)
        _partner_mask(view, k, self.quantity_bins, self.price_bins, mask)
        return mask


def _check_bins(**bins: int) -> None:
    for name, value in bins.items():
        if value < 1:
            raise InputError(f"{name}={value!r}; valid: 1 or more", name)
