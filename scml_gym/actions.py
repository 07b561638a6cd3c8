"""Joint actions: spaces, masks and decoding to the action array; and the one validator of answers."""

from __future__ import annotations

import numpy as np

from scml_gym.errors import InputError
from scml_gym.view import ACCEPT, END, NOOP, OFFER, ActionArray, AgentView, new_actions

RESPONSE_NAMES = ("noop", "end", "accept", "offer")


def validate(view: AgentView, actions: ActionArray, strict: bool = False) -> int:
    """Make an action array playable, in place; the same rules for every world.

    Where it is not the factory's turn only a no-op is valid; where it is, a no-op counts as ending (index 0 of the
    discrete actions is both). An acceptance needs a standing offer; an offer must lie in the quantity and price
    ranges. An invalid answer becomes a no-op where it is not the factory's turn, else it ends the negotiation, as an
    invalid offer does in the real protocol (negmas/sao/mechanism.py).

    Args:
        view: What the factory sees.
        actions: Shape ``(MAX_PARTNERS,)``; changed in place.
        strict: Raise instead of mending.

    Returns:
        The number of invalid answers.

    Raises:
        InputError: in strict mode, naming the partner, the answer and what is valid.
    """
    invalid = 0
    low_q, high_q = view["min_quantity"], view["max_quantity"]
    low_p, high_p = view["min_price"], view["max_price"]
    turns, offered = view["partners"]["my_turn"], view["partners"]["offer_quantity"]
    for k, (response, quantity, price) in enumerate(actions.tolist()):
        if not turns[k]:
            if response == NOOP:
                continue
            valid = "it is not my turn, so only a no-op is"
        elif response == END:
            continue
        elif response == NOOP:
            actions[k] = (END, 0, 0)
            continue
        elif response == ACCEPT:
            if offered[k] > 0:
                continue
            valid = "there is no offer to accept"
        elif response == OFFER and low_q <= quantity <= high_q and low_p <= price <= high_p:
            continue
        else:
            valid = f"quantities {low_q} to {high_q} and prices {low_p} to {high_p} are"
        name = RESPONSE_NAMES[response] if 0 <= response < len(RESPONSE_NAMES) else str(response)
        if strict:
            raise InputError(f"invalid answer to partner {k}: {name} ({quantity}, {price}); valid: {valid}")
        invalid += 1
        actions[k] = (END if turns[k] else NOOP, 0, 0)
    return invalid


__all__ = ["validate", "new_actions", "RESPONSE_NAMES"]
