"""Response, quantity, delivery day and price of each partner as numbers in [-1, 1]."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.game.inverses import Inverse
from scml_gym.game.kernels import ActionFunctions, ActionKernel, remember_nothing
from scml_gym.game.ranges import in_range, position, unit
from scml_gym.jit.compile import compiled, jittable
from scml_gym.standard.actions.choice import HEADS, N_HEADS, ChoiceActions, most_items
from scml_gym.standard.rules import prices_with
from scml_gym.standard.view import ACCEPT, END, MAX_PARTNERS, NOOP, OFFER, ActionArray, StandardView, new_actions


@jittable
def decode_continuous(action: np.ndarray, view: StandardView, actions: ActionArray) -> int:
    """The action array of numbers in [-1, 1], float64, shape ``(MAX_PARTNERS, 4)``, written into ``actions``; see
    `ContinuousActions`.

    Returns:
        The first partner with a number that is not finite, else -1.
    """
    for k in range(MAX_PARTNERS):
        for i in range(N_HEADS):
            if not math.isfinite(action[k, i]):
                return k
    for k in range(MAX_PARTNERS):
        my_turn = view["partners"][k]["my_turn"] != 0
        response = unit(action[k, 0])
        actions[k]["response"] = END if my_turn else NOOP
        actions[k]["quantity"] = actions[k]["day"] = actions[k]["price"] = 0
        if not my_turn or response < 1 / 3:
            continue
        if response > 2 / 3 and view["partners"][k]["offer_quantity"] != 0:
            actions[k]["response"] = ACCEPT
            continue
        low, high = prices_with(view, k)
        actions[k]["response"] = OFFER
        actions[k]["quantity"] = in_range(action[k, 1], view["min_quantity"], most_items(view))
        actions[k]["day"] = in_range(action[k, 2], view["day"], view["last_day"])
        actions[k]["price"] = in_range(action[k, 3], low, high)
    return -1


@jittable
def encode_continuous(actions: ActionArray, view: StandardView, out: np.ndarray) -> None:
    """The numbers in [-1, 1], partner after partner, that mean an action array: the inverse of `decode_continuous`."""
    for k in range(MAX_PARTNERS):
        response, number = actions[k]["response"], out[N_HEADS * k : N_HEADS * (k + 1)]
        number[:] = 0.0
        if response == OFFER:
            low, high = prices_with(view, k)
            number[1] = position(actions[k]["quantity"], view["min_quantity"], most_items(view))
            number[2] = position(actions[k]["day"], view["day"], view["last_day"])
            number[3] = position(actions[k]["price"], low, high)
        else:
            number[0] = 1.0 if response == ACCEPT else -1.0


@jittable
def decode_numbers(action: np.ndarray, view: StandardView, memory: np.ndarray, actions: ActionArray) -> int:
    """`decode_continuous` for a codec without a memory."""
    return decode_continuous(action, view, actions)


_decode_continuous = compiled(decode_continuous)


class ContinuousActions:
    """Four numbers for each of 16 partners; ``Box(-1, 1, (16, 4))``, float32.

    The response ends below -1/3 and accepts above 1/3, else offers; the quantity from 1 to the lines, the day and the
    price are mapped linearly to what is valid today, and rounded. Where it is not my turn a no-op is meant, and an
    offer where there is none to accept. So every action is valid.
    """

    space: spaces.Space = spaces.Box(-1.0, 1.0, (MAX_PARTNERS, N_HEADS), dtype=np.float32)

    def __init__(self) -> None:
        self._choices = ChoiceActions()

    @property
    def narrow(self) -> Any:
        """See `scml_gym.standard.actions.safe.Narrow`."""
        return self._choices.narrow

    @property
    def kernel(self) -> ActionKernel:
        """As compiled code takes it."""
        mask = self._choices.kernel.functions.mask
        return ActionKernel(ActionFunctions(decode_numbers, mask, remember_nothing), np.float64, 0)

    @property
    def inverse(self) -> Inverse:
        """See `scml_gym.game.inverses.Invertible`."""
        return encode_continuous

    def reset(self) -> None:
        """Nothing is kept."""

    def end_day(self, view: StandardView) -> None:
        """Nothing is kept."""

    def decode(self, action: np.ndarray, view: StandardView) -> ActionArray:
        """The action array of the numbers, shape ``(16, 4)``; values outside [-1, 1] are clipped.

        Raises:
            InputError: if the shape is another one or a number is not finite.
        """
        actions = new_actions()
        if action.shape != (MAX_PARTNERS, N_HEADS):
            raise InputError(f"action of shape {action.shape}; valid: ({MAX_PARTNERS}, {N_HEADS})")
        numbers = np.ascontiguousarray(action, dtype=np.float64)
        wrong = _decode_continuous(numbers, view, actions)
        if wrong >= 0:
            named = dict(zip(HEADS, numbers[wrong].tolist(), strict=True))
            raise InputError(f"action {named} for partner {wrong}; valid: finite numbers")
        return actions

    def mask(self, view: StandardView) -> np.ndarray:
        """The valid choices of the discrete form, for information: every continuous action is valid."""
        return self._choices.mask(view)
