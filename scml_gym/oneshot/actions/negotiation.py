"""The answers to one partner as indices of quantised ranges, so that what is learnt at one price range serves another.

"Q-learning for SCML OneShot, 2021", sections 2.1.3 and 2.2.c. All functions read a `FactoryView` and the index ``k`` of
a partner, ``0 <= k < MAX_PARTNERS``.
"""

from __future__ import annotations

import numpy as np

from scml_gym.core.arguments import whole_bins
from scml_gym.core.errors import InputError
from scml_gym.game.ranges import is_first, level, levels, quantise
from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.view import ACCEPT, END, NOOP, OFFER, ActionArray, FactoryView, new_actions


@jittable
def offer_index(view: FactoryView, quantity: int, price: int, quantity_bins: int, price_bins: int) -> int:
    """The bins of an offer in today's ranges as one index, quantity-major, from 0."""
    q = quantise(quantity, view["min_quantity"], view["max_quantity"], quantity_bins)
    return q * price_bins + quantise(price, view["min_price"], view["max_price"], price_bins)


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
def encode_choice(actions: ActionArray, view: FactoryView, k: int, quantity_bins: int, price_bins: int) -> int:
    """The valid choice that is nearest to the answer to partner ``k``: the inverse of `decode_choice`."""
    partner = view["partners"][k]
    if partner["my_turn"] == 0:
        return 0
    if actions[k]["response"] == ACCEPT and partner["offer_quantity"] > 0:
        return 1
    if actions[k]["response"] == OFFER:
        return 2 + offer_index(view, actions[k]["quantity"], actions[k]["price"], quantity_bins, price_bins)
    return 0


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


_partner_mask = compiled(partner_mask)
_offer_index = compiled(offer_index)


class PartnerActions:
    """The answers to one partner as indices: 0 ends (and is the no-op of an idle partner), 1 accepts, the rest offer.

    Offers are ordered by quantity, then price: index ``2 + quantity_bin * price_bins + price_bin``, so a high index is
    a high value. 10 quantities and 2 prices make 22 actions.

    Args:
        quantity_bins: Bins of the range of quantities.
        price_bins: Bins of the range of prices.

    Raises:
        InputError: if a number of bins is not from 1 to `MOST_BINS`.
    """

    def __init__(self, quantity_bins: int = 10, price_bins: int = 2):
        self.quantity_bins, self.price_bins = whole_bins(quantity_bins, price_bins)
        self.n = 2 + self.quantity_bins * self.price_bins

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
