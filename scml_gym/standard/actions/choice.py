"""Choices: for each partner a response, a quantity, a delivery day and a price, each with a number of its own.

The quantity, the day and the price of a response that is no offer mean nothing. A combination that cannot be played (an
acceptance where no offer stands, an offer for a day after the last one, any response where it is not the factory's
turn) is repaired by one rule, `scml_gym.standard.rules.repair`: it ends that negotiation, or is a no-op where it is not
the factory's turn; and it is counted. Whatever fits the masks can be played.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.core.arguments import whole_bins
from scml_gym.core.errors import InputError
from scml_gym.game.inverses import Inverse
from scml_gym.game.kernels import ActionFunctions, ActionKernel, remember_nothing
from scml_gym.game.ranges import is_first, level, quantise
from scml_gym.jit.compile import compiled, jittable
from scml_gym.standard.rules import prices_with
from scml_gym.standard.view import (
    ACCEPT,
    BOOK_DAYS,
    END,
    MAX_PARTNERS,
    NOOP,
    OFFER,
    ActionArray,
    StandardView,
    is_consumer,
    new_actions,
)

HEADS = ("response", "quantity", "day", "price")
"""The numbers of a choice."""

N_HEADS = len(HEADS)

RESPONSES = (END, ACCEPT, OFFER)
"""What the first number stands for; ``END`` is a no-op where it is not the factory's turn."""


@jittable
def most_items(view: StandardView) -> int:
    """The largest quantity that actions offer: what the lines can make in a day, within today's range."""
    return max(view["min_quantity"], min(view["max_quantity"], view["lines"]))


@jittable
def decode_choice(
    choice: np.ndarray, view: StandardView, k: int, quantity_bins: int, price_bins: int, actions: ActionArray
) -> bool:
    """Write the answer to partner ``k`` that a choice, int64 ``(4,)``, stands for; False if it is outside the space."""
    inside = 0 <= choice[0] < 3 and 0 <= choice[1] < quantity_bins
    if not (inside and 0 <= choice[2] < BOOK_DAYS and 0 <= choice[3] < price_bins):
        return False
    my_turn = view["partners"][k]["my_turn"] != 0
    actions[k]["response"] = (END if my_turn else NOOP) if choice[0] == 0 else (ACCEPT if choice[0] == 1 else OFFER)
    actions[k]["quantity"] = actions[k]["day"] = actions[k]["price"] = 0
    if choice[0] == 2:
        low, high = prices_with(view, k)
        actions[k]["quantity"] = level(view["min_quantity"], most_items(view), quantity_bins, choice[1])
        actions[k]["day"] = view["day"] + choice[2]
        actions[k]["price"] = level(low, high, price_bins, choice[3])
    return True


@jittable
def decode_choices(
    choices: np.ndarray, view: StandardView, quantity_bins: int, price_bins: int, actions: ActionArray
) -> int:
    """The action array of choices, int64 ``(4 * MAX_PARTNERS,)``, partner after partner, written into ``actions``.

    Returns:
        The first partner whose choice is outside the space, else -1.
    """
    for k in range(MAX_PARTNERS):
        if not decode_choice(choices[k * N_HEADS : (k + 1) * N_HEADS], view, k, quantity_bins, price_bins, actions):
            return k
    return -1


@jittable
def encode_choice(
    actions: ActionArray, view: StandardView, k: int, quantity_bins: int, price_bins: int, out: np.ndarray
) -> None:
    """Write the valid choice, int64 ``(4,)``, that is nearest to the answer to partner ``k``: the inverse of
    `decode_choice`."""
    out[:] = 0
    partner, response = view["partners"][k], actions[k]["response"]
    if partner["my_turn"] == 0:
        return
    if response == ACCEPT and partner["offer_quantity"] > 0:
        out[0] = 1
    elif response == OFFER:
        low, high = prices_with(view, k)
        last = min(view["last_day"] - view["day"], BOOK_DAYS - 1)
        out[0] = 2
        out[1] = quantise(actions[k]["quantity"], view["min_quantity"], most_items(view), quantity_bins)
        out[2] = max(min(actions[k]["day"] - view["day"], last), 0)
        out[3] = quantise(actions[k]["price"], low, high, price_bins)


@jittable
def partner_mask(view: StandardView, k: int, quantity_bins: int, price_bins: int, out: np.ndarray) -> None:
    """Which numbers of each head are valid for partner ``k``, bool ``(3 + quantity_bins + 11 + price_bins,)``; see
    `PartnerChoices.mask`."""
    my_turn = view["partners"][k]["my_turn"] != 0
    low, high = prices_with(view, k)
    out[0] = True
    out[1] = my_turn and view["partners"][k]["offer_quantity"] > 0
    out[2] = my_turn
    day, price = 3 + quantity_bins, 3 + quantity_bins + BOOK_DAYS
    for b in range(quantity_bins):
        out[3 + b] = b == 0 or (my_turn and is_first(view["min_quantity"], most_items(view), quantity_bins, b))
    for ahead in range(BOOK_DAYS):
        out[day + ahead] = ahead == 0 or (my_turn and view["day"] + ahead <= view["last_day"])
    for b in range(price_bins):
        out[price + b] = b == 0 or (my_turn and is_first(low, high, price_bins, b))


@jittable
def choice_mask(view: StandardView, quantity_bins: int, price_bins: int, out: np.ndarray) -> None:
    """The valid numbers, partner after partner, head after head."""
    n = 3 + quantity_bins + BOOK_DAYS + price_bins
    for k in range(MAX_PARTNERS):
        partner_mask(view, k, quantity_bins, price_bins, out[k * n : (k + 1) * n])


@jittable
def narrow_partner(
    view: StandardView, k: int, accepts: bool, limits: np.ndarray, quantity_bins: int, out: np.ndarray
) -> None:
    """Take what is not safe out of a partner's mask; ``limits``, int64 ``(BOOK_DAYS,)``, are those of its side."""
    if view["partners"][k]["my_turn"] == 0:
        return
    day, most = 3 + quantity_bins, 0
    for ahead in range(BOOK_DAYS):
        if limits[ahead] < view["min_quantity"]:
            out[day + ahead] = False
        elif out[day + ahead]:
            most = max(most, limits[ahead])
    out[1] = out[1] and accepts
    if most == 0:
        out[2], out[day] = False, True
    for b in range(1, quantity_bins):
        out[3 + b] = out[3 + b] and level(view["min_quantity"], most_items(view), quantity_bins, b) <= most


@functools.cache
def choices_narrowing(quantity_bins: int, price_bins: int) -> Any:
    """What takes choices that are not safe out of a mask; see `scml_gym.standard.actions.safe.Narrow`."""
    n = 3 + quantity_bins + BOOK_DAYS + price_bins

    @jittable
    def narrow(view: StandardView, accepts: np.ndarray, limits: np.ndarray, out: np.ndarray) -> None:
        for k in range(MAX_PARTNERS):
            first = BOOK_DAYS if is_consumer(k) else 0
            part, most = out[k * n : (k + 1) * n], limits[first : first + BOOK_DAYS]
            narrow_partner(view, k, accepts[k] != 0, most, quantity_bins, part)

    return narrow


_decode_choice = compiled(decode_choice)
_decode_choices = compiled(decode_choices)
_partner_mask = compiled(partner_mask)
_choice_mask = compiled(choice_mask)


class PartnerChoices:
    """The answers to one partner: ``MultiDiscrete([3, 10, 11, 4])``.

    The response: 0 ends the negotiation (and is the no-op of an idle partner), 1 accepts, 2 offers. The quantity: bins
    from 1 to the lines, so that with 10 bins and 10 lines each is an item more. The delivery day: days from today. The
    price: bins of today's range.

    Args:
        quantity_bins: Bins of quantities.
        price_bins: Bins of prices.

    Raises:
        InputError: if a number of bins is below 1.
    """

    def __init__(self, quantity_bins: int = 10, price_bins: int = 4):
        self.quantity_bins, self.price_bins = whole_bins(quantity_bins, price_bins)
        self.sizes = (len(RESPONSES), self.quantity_bins, BOOK_DAYS, self.price_bins)
        self.space = spaces.MultiDiscrete(list(self.sizes))

    def decode(self, choice: np.ndarray, view: StandardView, k: int, actions: ActionArray) -> None:
        """Write the answer to partner ``k`` that a choice, int, shape ``(4,)``, stands for; not yet validated.

        Raises:
            InputError: if the shape is another one or a number is outside the space.
        """
        numbers = _whole_numbers(choice, (N_HEADS,))
        if not _decode_choice(numbers, view, k, self.quantity_bins, self.price_bins, actions):
            raise self.refusal(numbers, k)

    def encode(self, actions: ActionArray, view: StandardView, k: int) -> np.ndarray:
        """The valid choice, int64, shape ``(4,)``, that is nearest to the answer to partner ``k``."""
        choice = np.zeros(N_HEADS, dtype=np.int64)
        encode_choice(actions, view, k, self.quantity_bins, self.price_bins, choice)
        return choice

    def refusal(self, choice: np.ndarray, k: int) -> InputError:
        """What is wrong with a choice that is outside the space."""
        for head, number, size in zip(HEADS, choice.tolist(), self.sizes, strict=True):
            if not 0 <= number < size:
                return InputError(f"action {number} for the {head} to partner {k}; valid: 0 to {size - 1}")
        raise AssertionError("every number is inside the space")

    def mask(self, view: StandardView, k: int) -> np.ndarray:
        """Which numbers are valid, head after head, bool, shape ``(28,)``.

        A partner whose turn to be answered it is not takes only zeros; to accept needs a standing offer; days are at
        most the last delivery day; of bins that stand for the same value the lowest is valid.
        """
        mask = np.empty(sum(self.sizes), dtype=np.bool_)
        _partner_mask(view, k, self.quantity_bins, self.price_bins, mask)
        return mask


class ChoiceActions:
    """Four numbers for each of 16 partners, see `PartnerChoices`; ``MultiDiscrete([3, 10, 11, 4] * 16)``.

    Args:
        partner: The choices of one partner; by default 10 quantities and 4 prices.
    """

    def __init__(self, partner: PartnerChoices | None = None):
        self.partner = partner or PartnerChoices()
        self.space: spaces.Space = spaces.MultiDiscrete(list(self.partner.sizes) * MAX_PARTNERS)

    @property
    def narrow(self) -> Any:
        """See `scml_gym.standard.actions.safe.Narrow`."""
        return choices_narrowing(self.partner.quantity_bins, self.partner.price_bins)

    @property
    def kernel(self) -> ActionKernel:
        """As compiled code takes it."""
        return choices_kernel(self.partner.quantity_bins, self.partner.price_bins)

    @property
    def inverse(self) -> Inverse:
        """See `scml_gym.game.inverses.Invertible`."""
        return choices_inverse(self.partner.quantity_bins, self.partner.price_bins)

    def reset(self) -> None:
        """Nothing is kept."""

    def end_day(self, view: StandardView) -> None:
        """Nothing is kept."""

    def decode(self, action: np.ndarray, view: StandardView) -> ActionArray:
        """The action array of the choices, int, shape ``(64,)``; not yet validated.

        Raises:
            InputError: if the shape is another one or a number is outside the space.
        """
        actions, choices = new_actions(), _whole_numbers(action, (N_HEADS * MAX_PARTNERS,))
        wrong = _decode_choices(choices, view, self.partner.quantity_bins, self.partner.price_bins, actions)
        if wrong >= 0:
            raise self.partner.refusal(choices.reshape(MAX_PARTNERS, N_HEADS)[wrong], wrong)
        return actions

    def mask(self, view: StandardView) -> np.ndarray:
        """The valid numbers, partner after partner, head after head, bool, shape ``(448,)``."""
        mask = np.empty(MAX_PARTNERS * sum(self.partner.sizes), dtype=np.bool_)
        _choice_mask(view, self.partner.quantity_bins, self.partner.price_bins, mask)
        return mask


def _whole_numbers(action: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """An action as int64.

    Raises:
        InputError: if it has another shape or other numbers.
    """
    if action.shape != shape or action.dtype.kind not in "iu":
        raise InputError(f"action of shape {action.shape}, {action.dtype}; valid: integers of {shape}")
    return np.ascontiguousarray(action, dtype=np.int64)


@functools.cache
def choices_kernel(quantity_bins: int, price_bins: int) -> ActionKernel:
    """`ChoiceActions` as compiled code takes it."""

    @jittable
    def decode(action: np.ndarray, view: StandardView, memory: np.ndarray, actions: ActionArray) -> int:
        return decode_choices(action, view, quantity_bins, price_bins, actions)

    @jittable
    def mask(view: StandardView, out: np.ndarray) -> None:
        choice_mask(view, quantity_bins, price_bins, out)

    return ActionKernel(ActionFunctions(decode, mask, remember_nothing), np.int64, 0)


@functools.cache
def choices_inverse(quantity_bins: int, price_bins: int) -> Inverse:
    """The inverse of `ChoiceActions` as compiled code takes it."""

    @jittable
    def encode(actions: ActionArray, view: StandardView, out: np.ndarray) -> None:
        for k in range(MAX_PARTNERS):
            encode_choice(actions, view, k, quantity_bins, price_bins, out[k * N_HEADS : (k + 1) * N_HEADS])

    return encode
