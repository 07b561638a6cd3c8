"""Joint actions: spaces, masks and decoding to the action array."""

from __future__ import annotations

import functools
import math

import numpy as np
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.game.codecs import ActionCodec
from scml_gym.game.inverses import Inverse
from scml_gym.game.kernels import ActionFunctions, ActionKernel, remember_nothing
from scml_gym.game.ranges import in_range, position, unit
from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.actions.negotiation import PartnerActions, decode_choice, encode_choice, partner_mask
from scml_gym.oneshot.view import ACCEPT, END, MAX_PARTNERS, NOOP, OFFER, ActionArray, FactoryView, new_actions


@jittable
def choice_mask(view: FactoryView, quantity_bins: int, price_bins: int, out: np.ndarray) -> None:
    """The valid choices, partner after partner, bool, shape ``(MAX_PARTNERS * (2 + quantity_bins * price_bins),)``."""
    n = 2 + quantity_bins * price_bins
    for k in range(MAX_PARTNERS):
        partner_mask(view, k, quantity_bins, price_bins, out[k * n : (k + 1) * n])


@jittable
def decode_choices(
    choices: np.ndarray, view: FactoryView, quantity_bins: int, price_bins: int, actions: ActionArray
) -> int:
    """The action array of one choice a partner, int64, shape ``(MAX_PARTNERS,)``, written into ``actions``.

    Returns:
        The first partner whose choice is outside the space, else -1.
    """
    for k in range(MAX_PARTNERS):
        if not decode_choice(choices[k], view, k, quantity_bins, price_bins, actions):
            return k
    return -1


@jittable
def encode_continuous(actions: ActionArray, view: FactoryView, out: np.ndarray) -> None:
    """The numbers in [-1, 1], partner after partner, that mean an action array: the inverse of `decode_continuous`."""
    for k in range(MAX_PARTNERS):
        response, number = actions[k]["response"], out[3 * k : 3 * k + 3]
        number[:] = 0.0
        if response == OFFER:
            number[1] = position(actions[k]["quantity"], view["min_quantity"], view["max_quantity"])
            number[2] = position(actions[k]["price"], view["min_price"], view["max_price"])
        else:
            number[0] = 1.0 if response == ACCEPT else -1.0


@jittable
def decode_continuous(action: np.ndarray, view: FactoryView, actions: ActionArray) -> int:
    """The action array of numbers in [-1, 1], float64, shape ``(MAX_PARTNERS, 3)``, written into ``actions``; see
    `ContinuousActions`.

    Returns:
        The first partner with a number that is not finite, else -1.
    """
    for k in range(MAX_PARTNERS):
        for i in range(3):
            if not math.isfinite(action[k, i]):
                return k
    for k in range(MAX_PARTNERS):
        my_turn = view["partners"][k]["my_turn"] != 0
        response = unit(action[k, 0])
        actions[k]["response"] = END if my_turn else NOOP
        actions[k]["quantity"] = 0
        actions[k]["price"] = 0
        if not my_turn or response < 1 / 3:
            continue
        if response > 2 / 3 and view["partners"][k]["offer_quantity"] != 0:
            actions[k]["response"] = ACCEPT
            continue
        actions[k]["response"] = OFFER
        actions[k]["quantity"] = in_range(action[k, 1], view["min_quantity"], view["max_quantity"])
        actions[k]["price"] = in_range(action[k, 2], view["min_price"], view["max_price"])
    return -1


_choice_mask = compiled(choice_mask)
_decode_choices = compiled(decode_choices)
_decode_continuous = compiled(decode_continuous)


class ChoiceActions:
    """One choice a partner: end (no-op where idle), accept, or one of the offers; ``MultiDiscrete([22] * 8)``.

    Args:
        partner: The choices of one partner; by default 10 quantities and 2 prices.
    """

    def __init__(self, partner: PartnerActions | None = None):
        self.partner = partner or PartnerActions()
        self.space: spaces.Space = spaces.MultiDiscrete([self.partner.n] * MAX_PARTNERS)

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

    def end_day(self, view: FactoryView) -> None:
        """Nothing is kept."""

    def decode(self, action: np.ndarray, view: FactoryView) -> ActionArray:
        """The action array of the choices, int, shape ``(MAX_PARTNERS,)``.

        Raises:
            InputError: if the shape is another one or a choice is outside the space.
        """
        if action.shape != (MAX_PARTNERS,) or action.dtype.kind not in "iu":
            raise InputError(f"action of shape {action.shape}, {action.dtype}; valid: integers of ({MAX_PARTNERS},)")
        actions = new_actions()
        choices = np.ascontiguousarray(action, dtype=np.int64)
        wrong = _decode_choices(choices, view, self.partner.quantity_bins, self.partner.price_bins, actions)
        if wrong >= 0:
            raise InputError(f"action {choices[wrong]} for partner {wrong}; valid: 0 to {self.partner.n - 1}")
        return actions

    def mask(self, view: FactoryView) -> np.ndarray:
        """The valid choices, partner after partner."""
        mask = np.empty(MAX_PARTNERS * self.partner.n, dtype=np.bool_)
        _choice_mask(view, self.partner.quantity_bins, self.partner.price_bins, mask)
        return mask


class ContinuousActions:
    """Response, quantity and price of each partner as numbers in [-1, 1]; ``Box(-1, 1, (8, 3))``, float32.

    The response ends below -1/3 and accepts above 1/3, else offers; quantity and price are mapped linearly to today's
    ranges and rounded. Where it is not my turn a no-op is meant, and an offer where there is none to accept.
    """

    space: spaces.Space = spaces.Box(-1.0, 1.0, (MAX_PARTNERS, 3), dtype=np.float32)

    def __init__(self) -> None:
        self._choices = ChoiceActions()

    @property
    def kernel(self) -> ActionKernel:
        """As compiled code takes it."""
        mask = self._choices.kernel.functions.mask
        return ActionKernel(ActionFunctions(_decode_numbers, mask, remember_nothing), np.float64, 0)

    @property
    def inverse(self) -> Inverse:
        """See `scml_gym.game.inverses.Invertible`."""
        return encode_continuous

    def reset(self) -> None:
        """Nothing is kept."""

    def end_day(self, view: FactoryView) -> None:
        """Nothing is kept."""

    def decode(self, action: np.ndarray, view: FactoryView) -> ActionArray:
        """The action array of the numbers, shape ``(MAX_PARTNERS, 3)``; values outside [-1, 1] are clipped.

        Raises:
            InputError: if the shape is another one or a number is not finite.
        """
        actions = new_actions()
        if action.shape != (MAX_PARTNERS, 3):
            raise InputError(f"action of shape {action.shape}; valid: ({MAX_PARTNERS}, 3)")
        numbers = np.ascontiguousarray(action, dtype=np.float64)
        wrong = _decode_continuous(numbers, view, actions)
        if wrong >= 0:
            raise InputError(f"action {numbers[wrong].tolist()} for partner {wrong}; valid: finite numbers")
        return actions

    def mask(self, view: FactoryView) -> np.ndarray:
        """The valid choices of the discrete form, for information: every continuous action is valid."""
        return self._choices.mask(view)


@functools.cache
def choices_kernel(quantity_bins: int, price_bins: int) -> ActionKernel:
    """`ChoiceActions` as compiled code takes it."""

    @jittable
    def decode(action: np.ndarray, view: FactoryView, memory: np.ndarray, actions: ActionArray) -> int:
        return decode_choices(action, view, quantity_bins, price_bins, actions)

    @jittable
    def mask(view: FactoryView, out: np.ndarray) -> None:
        choice_mask(view, quantity_bins, price_bins, out)

    return ActionKernel(ActionFunctions(decode, mask, remember_nothing), np.int64, 0)


@functools.cache
def choices_inverse(quantity_bins: int, price_bins: int) -> Inverse:
    """The inverse of `ChoiceActions` as compiled code takes it."""

    @jittable
    def encode(actions: ActionArray, view: FactoryView, out: np.ndarray) -> None:
        for k in range(MAX_PARTNERS):
            out[k] = encode_choice(actions, view, k, quantity_bins, price_bins)

    return encode


@jittable
def _decode_numbers(action: np.ndarray, view: FactoryView, memory: np.ndarray, actions: ActionArray) -> int:
    return decode_continuous(action, view, actions)


ACTIONS = Registry("action codec")
ACTIONS.register("choice", ChoiceActions)
ACTIONS.register("continuous", ContinuousActions)
ACTIONS.register("planner", "scml_gym.oneshot.actions.planner:PlannerActions")
ACTIONS.register("planner-fine", "scml_gym.oneshot.actions.fine_planner:fine_planner")

ASKED_ACTIONS = Registry("action codec of timing='negotiations'")
"""Action codecs where negotiations are answered one by one."""
ASKED_ACTIONS.register("choice", "scml_gym.oneshot.actions.asked:AskedActions")
ASKED_ACTIONS.register("choice-offer-first", "scml_gym.oneshot.actions.asked:offer_first")


def make_codec(action: str = "choice", timing: str = "rounds") -> ActionCodec:
    """The action codec of that name, as registered for that timing.

    Raises:
        InputError: if there is none.
    """
    registry = ASKED_ACTIONS if timing == "negotiations" else ACTIONS
    return registry.get(action, "action")()
