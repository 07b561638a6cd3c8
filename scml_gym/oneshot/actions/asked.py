"""The answer to the one partner that is asked about now: END, ACCEPT, an offer, or WAIT."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from scml_gym.core.errors import InputError
from scml_gym.game.inverses import Inverse
from scml_gym.game.kernels import ActionFunctions, ActionKernel, remember_nothing
from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.actions.negotiation import PartnerActions, decode_choice, encode_choice, partner_mask
from scml_gym.oneshot.rules import NOBODY, asked_partner, may_wait
from scml_gym.oneshot.view import WAIT, ActionArray, FactoryView, new_actions


@jittable
def may_wait_after_offers(view: FactoryView, k: int) -> bool:
    """Whether partner ``k`` may be let wait where no factory waits before either of them has made an offer."""
    partner = view["partners"][k]
    return may_wait(view, k) and (partner["offer_quantity"] > 0 or partner["my_quantity"] > 0)


@jittable
def decode_asked(choice: Any, view: FactoryView, quantity_bins: int, price_bins: int, actions: ActionArray) -> int:
    """The action array of a choice, written into ``actions``; -1, or 0 where there is no such choice."""
    k = asked_partner(view)
    if choice == 2 + quantity_bins * price_bins:
        if k != NOBODY:
            actions[k]["response"] = WAIT
        return -1
    return -1 if decode_choice(choice, view, max(k, 0), quantity_bins, price_bins, actions) else 0


_decode_asked, _compiled = compiled(decode_asked), functools.cache(compiled)


class AskedActions:
    """The answer to the partner whose turn it is to be answered, where negotiations are answered one by one:
    ``Discrete(23)``.

    0 ends the negotiation, 1 accepts the standing offer, 2 to 21 offer as in
    `scml_gym.oneshot.actions.negotiation.PartnerActions`, and the last one waits.

    Args:
        partner: The choices beside the last one; by default 10 quantities and 2 prices.
        waits: ``(view, k) -> bool``, jittable: whether partner ``k`` may be let wait; by default as the rules say.
    """

    def __init__(self, partner: PartnerActions | None = None, waits: Callable[[FactoryView, int], bool] = may_wait):
        self.partner, self.waits = partner or PartnerActions(), waits
        self.n = self.partner.n + 1
        self.space: spaces.Space = spaces.Discrete(self.n)

    @property
    def kernel(self) -> ActionKernel:
        """As compiled code takes it."""
        return asked_kernel(self.partner.quantity_bins, self.partner.price_bins, self.waits)

    @property
    def inverse(self) -> Inverse:
        """See `scml_gym.game.inverses.Invertible`."""
        return asked_inverse(self.partner.quantity_bins, self.partner.price_bins, self.waits)

    def reset(self) -> None:
        """Nothing is kept."""

    def end_day(self, view: FactoryView) -> None:
        """Nothing is kept."""

    def decode(self, action: np.ndarray, view: FactoryView) -> ActionArray:
        """The action array of a choice, an integer.

        Raises:
            InputError: if it is none, or outside the space.
        """
        choice, actions = np.asarray(action), new_actions()
        if choice.size != 1 or choice.dtype.kind not in "iu":
            raise InputError(f"action of shape {choice.shape}, {choice.dtype}; valid: an integer, 0 to {self.n - 1}")
        wrong = _decode_asked(int(choice.item()), view, self.partner.quantity_bins, self.partner.price_bins, actions)
        if wrong >= 0:
            raise InputError(f"action {choice.item()}; valid: 0 to {self.n - 1}")
        return actions

    def mask(self, view: FactoryView) -> np.ndarray:
        """The valid choices, bool, shape ``(23,)``: as of `PartnerActions.mask`, and to wait until the limit is
        reached. Where nobody asks, only choice 0 is valid, which then does nothing."""
        mask = np.empty(self.n, dtype=np.bool_)
        _compiled(self.kernel.functions.mask)(view, mask)
        return mask


@functools.cache
def asked_kernel(quantity_bins: int, price_bins: int, waits: Callable[[FactoryView, int], bool]) -> ActionKernel:
    """`AskedActions` as compiled code takes it."""
    last = 2 + quantity_bins * price_bins

    @jittable
    def decode(action: np.ndarray, view: FactoryView, memory: np.ndarray, actions: ActionArray) -> int:
        return decode_asked(action[()], view, quantity_bins, price_bins, actions)

    @jittable
    def mask(view: FactoryView, out: np.ndarray) -> None:
        k = asked_partner(view)
        partner_mask(view, max(k, 0), quantity_bins, price_bins, out[:last])
        out[last] = k != NOBODY and waits(view, k)

    return ActionKernel(ActionFunctions(decode, mask, remember_nothing), np.int64, 0)


@functools.cache
def asked_inverse(quantity_bins: int, price_bins: int, waits: Callable[[FactoryView, int], bool]) -> Inverse:
    """The inverse of `AskedActions` as compiled code takes it."""

    @jittable
    def encode(actions: ActionArray, view: FactoryView, out: np.ndarray) -> None:
        k = max(asked_partner(view), 0)
        if actions[k]["response"] == WAIT and waits(view, k):
            out[0] = 2 + quantity_bins * price_bins
        else:
            out[0] = encode_choice(actions, view, k, quantity_bins, price_bins)

    return encode


def offer_first() -> AskedActions:
    """`AskedActions` without the wait before anyone has made an offer."""
    return AskedActions(waits=may_wait_after_offers)
