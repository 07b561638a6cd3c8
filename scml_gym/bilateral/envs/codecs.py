"""What the learner of a bilateral environment sees and answers: observations, actions and masks over its view.

The kernels are written once and run in Python and compiled.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from scml_gym.bilateral.negotiators.base import NO_OFFER, Table, count_at_least, relative_time
from scml_gym.bilateral.view import ACCEPT, END, BilateralView
from scml_gym.core.arguments import MOST_BINS, MOST_HISTORY, whole
from scml_gym.core.errors import InputError
from scml_gym.core.registry import Registry
from scml_gym.jit.compile import jittable

NO_CHOICE = -9
"""What ``decode`` gives for a number outside the action space."""


class CodecKernel(NamedTuple):
    """A codec as compiled code takes it.

    Attributes:
        decode: ``(action, n_choices, view, table) -> int``: the response, or ``NO_CHOICE``.
        observe: ``(view, offer_history, out)``: writes the observation and moves the offer history on.
        mask: ``(view, out)``: which actions are valid.
    """

    decode: Callable[[int, int, BilateralView, Table], int]
    observe: Callable[[BilateralView, np.ndarray, np.ndarray], None]
    mask: Callable[[BilateralView, np.ndarray], None]


@dataclass(frozen=True)
class BilateralCodec:
    """An interface to the learner's side.

    Attributes:
        kernel: Its functions.
        n_choices: Actions.
        size: Numbers of an observation, float32 in [0, 1].
        history: Earlier turns that it shows, of two numbers each.
    """

    kernel: CodecKernel
    n_choices: int
    size: int
    history: int = 0

    @property
    def action_space(self) -> spaces.Discrete:
        """Of a single environment."""
        return spaces.Discrete(self.n_choices)

    @property
    def observation_space(self) -> spaces.Box:
        """Of a single environment."""
        return spaces.Box(0.0, 1.0, (self.size,), np.float32)

    def decode(self, action: Any, view: BilateralView, table: Table) -> int:
        """The response that an action stands for.

        Raises:
            InputError: if it is outside the action space.
        """
        try:
            action = operator.index(action)
        except TypeError:
            raise InputError(f"action {action!r}; valid: {self.action_space}") from None
        response = self.kernel.decode(action, self.n_choices, view, table)
        if response == NO_CHOICE:
            raise InputError(f"action {action}; valid: {self.action_space}")
        return int(response)

    def observe(self, view: BilateralView, offer_history: np.ndarray) -> np.ndarray:
        """The observation, float32, shape ``(size,)``; the offer history is float32, shape ``(history, 2)``."""
        out = np.zeros(self.size, dtype=np.float32)
        self.kernel.observe(view, offer_history, out)
        return out

    def mask(self, view: BilateralView) -> np.ndarray:
        """The valid actions, bool, shape ``(n_choices,)``."""
        out = np.zeros(self.n_choices, dtype=np.bool_)
        self.kernel.mask(view, out)
        return out


@jittable
def decode_acceptance(action: int, n_choices: int, view: BilateralView, table: Table) -> int:
    """0: make the prepared bid; 1: accept."""
    if action == 0:
        return view["bid"]
    return ACCEPT if action == 1 else NO_CHOICE


@jittable
def observe_acceptance(view: BilateralView, offer_history: np.ndarray, out: np.ndarray) -> None:
    """Utility of the standing offer, and the time: equation (2)."""
    out[0] = view["offer_utility"]
    out[1] = relative_time(view["step"], view["n_steps"])


@jittable
def mask_acceptance(view: BilateralView, out: np.ndarray) -> None:
    """Nothing can be accepted before the first offer."""
    out[0] = True
    out[1] = view["offer"] != NO_OFFER


@jittable
def decode_outcome(action: int, n_choices: int, view: BilateralView, table: Table) -> int:
    """0: end; 1: accept; the rest offer an outcome each, by index; one that the scenario does not have ends."""
    if not 0 <= action < n_choices:
        return NO_CHOICE
    if action < 2:
        return END if action == 0 else ACCEPT
    return action - 2 if action - 2 < view["n_outcomes"] else END


@jittable
def decode_target(action: int, n_choices: int, view: BilateralView, table: Table) -> int:
    """0: end; 1: accept; the rest offer the outcome of lowest own utility at or above a target, from 0 to 1 evenly."""
    if not 0 <= action < n_choices:
        return NO_CHOICE
    if action < 2:
        return END if action == 0 else ACCEPT
    count = count_at_least(table, (action - 2) / (n_choices - 3))
    return table.order[max(count, 1) - 1]


@jittable
def observe_offers(view: BilateralView, offer_history: np.ndarray, out: np.ndarray) -> None:
    """Both sides' last offers, the time, and both sides' offers of earlier turns, the latest first."""
    out[0] = view["offer_utility"]
    out[1] = view["offer"] != NO_OFFER
    out[2] = view["my_utility"]
    out[3] = view["mine"] != NO_OFFER
    out[4] = relative_time(view["step"], view["n_steps"])
    for h in range(len(offer_history)):
        out[5 + 2 * h] = offer_history[h, 0]
        out[6 + 2 * h] = offer_history[h, 1]
    for h in range(len(offer_history) - 1, 0, -1):
        offer_history[h, 0] = offer_history[h - 1, 0]
        offer_history[h, 1] = offer_history[h - 1, 1]
    if len(offer_history) > 0:
        offer_history[0, 0] = out[0]
        offer_history[0, 1] = out[2]


@jittable
def mask_offers(view: BilateralView, out: np.ndarray) -> None:
    """Accepting needs a standing offer; offering an outcome, that the scenario has it."""
    end = 2 + view["n_outcomes"]
    for i in range(len(out)):
        out[i] = i < end
    out[1] = view["offer"] != NO_OFFER


@jittable
def mask_targets(view: BilateralView, out: np.ndarray) -> None:
    """Accepting needs a standing offer."""
    for i in range(len(out)):
        out[i] = True
    out[1] = view["offer"] != NO_OFFER


ACCEPTANCE = BilateralCodec(CodecKernel(decode_acceptance, observe_acceptance, mask_acceptance), 2, 2)
"""Offer (0) or Accept (1); see `scml_gym.bilateral.envs.acceptance`."""

ACTION_CODECS = Registry("action codec")
"""Name -> ``(most outcomes, targets) -> (CodecKernel, actions)`` of `scml_gym.bilateral.envs.offers`."""

ACTION_CODECS.register(
    "outcome", lambda outcomes, targets: (CodecKernel(decode_outcome, observe_offers, mask_offers), outcomes + 2)
)
ACTION_CODECS.register(
    "target", lambda outcomes, targets: (CodecKernel(decode_target, observe_offers, mask_targets), targets + 2)
)


def offers_codec(action: str, most_outcomes: int, targets: int, history: int) -> BilateralCodec:
    """The codec of a learner that makes its own offers; see `scml_gym.bilateral.envs.offers.BilateralEnv`.

    Raises:
        InputError: for an unknown action codec, fewer than two targets, or a history below 0.
    """
    targets, history = whole("targets", targets, 2, MOST_BINS), whole("history", history, 0, MOST_HISTORY)
    try:
        kernel, n_choices = ACTION_CODECS.get(action)(most_outcomes, targets)
    except InputError as error:
        raise InputError(f"action: {error}", "action") from None
    return BilateralCodec(kernel, n_choices, 5 + 2 * history, history)
