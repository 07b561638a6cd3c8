"""Which answers to a view can be played, and how an answer that cannot is repaired: the same rules for every track.

A view has ``partners`` with ``my_turn`` and ``offer_quantity``; an array of answers has a ``response`` for each. What
an offer must keep to is the track's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.core.errors import InputError
from scml_gym.jit.compile import jittable
from scml_gym.simulator.compiled.alternating_offers import ACCEPT, END, NOOP, OFFER, WAIT

RESPONSE_NAMES = ("noop", "end", "accept", "offer", "wait")


class AnswerRules(NamedTuple):
    """The rules of a track.

    Attributes:
        is_valid: ``(view, actions, k) -> bool``: whether the answer to partner ``k`` can be played.
        repair: ``(view, actions) -> int``: makes all answers playable, in place; returns how many were not.
    """

    is_valid: Callable[..., bool]
    repair: Callable[..., int]


@jittable
def never_waits(view: Any, k: int) -> bool:
    """The ``may_wait`` of a track in which nobody waits."""
    return False


def answer_rules(
    fits: Callable[..., bool], clear_offer: Callable[..., None], may_wait: Callable[..., bool] = never_waits
) -> AnswerRules:
    """The rules of a track.

    Where it is not the factory's turn only a no-op is valid; where it is, a no-op counts as ending (index 0 of the
    discrete actions is both). An acceptance needs a standing offer; an offer must fit. An invalid answer becomes a
    no-op where it is not the factory's turn, else it ends the negotiation, as an invalid offer does in the real
    protocol (negmas/sao/mechanism.py).

    Args:
        fits: ``(view, actions, k) -> bool``: whether the offer to partner ``k`` lies in the ranges of its negotiation.
        clear_offer: ``(actions, k)``: sets the numbers of the offer to 0.
        may_wait: ``(view, k) -> bool``: whether the factory, whose turn it is, may let partner ``k`` wait.
    """

    @jittable
    def is_valid(view: Any, actions: np.ndarray, k: int) -> bool:
        response = actions[k]["response"]
        if view["partners"][k]["my_turn"] == 0:
            return response == NOOP
        if response == ACCEPT:
            return view["partners"][k]["offer_quantity"] > 0
        if response == OFFER:
            return fits(view, actions, k)
        if response == WAIT:
            return may_wait(view, k)
        return response in (NOOP, END)

    @jittable
    def repair(view: Any, actions: np.ndarray) -> int:
        invalid = 0
        for k in range(len(actions)):
            my_turn, nothing = view["partners"][k]["my_turn"] != 0, actions[k]["response"] == NOOP
            if nothing and not my_turn:
                continue
            if not is_valid(view, actions, k):
                invalid += 1
            elif not nothing:
                continue
            actions[k]["response"] = END if my_turn else NOOP
            clear_offer(actions, k)
        return invalid

    return AnswerRules(is_valid, repair)


def _nobody_waits(view: Any, k: int) -> str:
    return "nobody waits in this track"


def refuse_invalid(
    rules: AnswerRules,
    view: Any,
    actions: np.ndarray,
    ranges: Callable[[Any, int], str],
    why_not_wait: Callable[[Any, int], str] = _nobody_waits,
) -> None:
    """Refuse answers that are not playable.

    Args:
        rules: Of the track.
        view: What the factory sees.
        actions: Its answers.
        ranges: ``(view, k) -> text``: what an offer to partner ``k`` must keep to.
        why_not_wait: ``(view, k) -> text``: why partner ``k`` cannot be let wait.

    Raises:
        InputError: naming the partner, the answer and what is valid.
    """
    for k, (response, *offer) in enumerate(actions.tolist()):
        if rules.is_valid(view, actions, k):
            continue
        if not view["partners"][k]["my_turn"]:
            valid = "it is not my turn, so only a no-op is"
        elif response == ACCEPT:
            valid = "there is no offer to accept"
        elif response == WAIT:
            valid = why_not_wait(view, k)
        else:
            valid = f"{ranges(view, k)} are"
        name = RESPONSE_NAMES[response] if 0 <= response < len(RESPONSE_NAMES) else str(response)
        raise InputError(f"invalid answer to partner {k}: {name} {tuple(offer)}; valid: {valid}")
