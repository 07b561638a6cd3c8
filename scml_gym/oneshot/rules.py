"""Rules of OneShot that more than one part asks for: which answers can be played, what is still needed, the score.

Arithmetic on records, so that real simulations, compiled worlds, environments and rewards call the same functions.
"""

from __future__ import annotations

from typing import Any

from scml_gym.core.errors import InputError
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import ACCEPT, END, MAX_PARTNERS, NOOP, OFFER, ActionArray, FactoryView

RESPONSE_NAMES = ("noop", "end", "accept", "offer")


@jittable
def is_valid(view: FactoryView, actions: ActionArray, k: int) -> bool:
    """Whether the answer to partner ``k`` can be played; see `validate`."""
    response = actions[k]["response"]
    if view["partners"][k]["my_turn"] == 0:
        return response == NOOP
    if response == ACCEPT:
        return view["partners"][k]["offer_quantity"] > 0
    if response == OFFER:
        quantity, price = actions[k]["quantity"], actions[k]["price"]
        fits = view["min_quantity"] <= quantity <= view["max_quantity"]
        return fits and view["min_price"] <= price <= view["max_price"]
    return response in (NOOP, END)


@jittable
def repair(view: FactoryView, actions: ActionArray) -> int:
    """Make an action array playable, in place; returns the number of invalid answers; see `validate`."""
    invalid = 0
    for k in range(MAX_PARTNERS):
        my_turn = view["partners"][k]["my_turn"] != 0
        if not is_valid(view, actions, k):
            invalid += 1
        elif not (my_turn and actions[k]["response"] == NOOP):
            continue
        actions[k]["response"] = END if my_turn else NOOP
        actions[k]["quantity"] = 0
        actions[k]["price"] = 0
    return invalid


def validate(view: FactoryView, actions: ActionArray) -> None:
    """Refuse answers that are not playable; the same rules for every world.

    Where it is not the factory's turn only a no-op is valid; where it is, a no-op counts as ending (index 0 of the
    discrete actions is both). An acceptance needs a standing offer; an offer must lie in the quantity and price
    ranges. `repair` makes an invalid answer a no-op where it is not the factory's turn, else it ends the negotiation,
    as an invalid offer does in the real protocol (negmas/sao/mechanism.py).

    Args:
        view: What the factory sees.
        actions: Shape ``(MAX_PARTNERS,)``.

    Raises:
        InputError: naming the partner, the answer and what is valid.
    """
    for k, (response, quantity, price) in enumerate(actions.tolist()):
        if is_valid(view, actions, k):
            continue
        if not view["partners"][k]["my_turn"]:
            valid = "it is not my turn, so only a no-op is"
        elif response == ACCEPT:
            valid = "there is no offer to accept"
        else:
            quantities = f"quantities {view['min_quantity']} to {view['max_quantity']}"
            valid = f"{quantities} and prices {view['min_price']} to {view['max_price']} are"
        name = RESPONSE_NAMES[response] if 0 <= response < len(RESPONSE_NAMES) else str(response)
        raise InputError(f"invalid answer to partner {k}: {name} ({quantity}, {price}); valid: {valid}")


@jittable
def needs_of(lines: int, exogenous_quantity: int, agreed_quantity: int) -> int:
    """Items that a factory still has to trade today: its exogenous contract, up to what it can produce, without what
    is agreed; negative where too much is.

    Source: scml/oneshot/awi.py, ``needed_sales`` and ``needed_supplies``.
    """
    return min(lines, exogenous_quantity - agreed_quantity)


@jittable
def book_agreement(view: FactoryView, k: int, quantity: int, price: int) -> None:
    """Write an agreement with partner ``k`` into the view of a factory, and what it still needs then."""
    partner = view["partners"][k]
    partner["agreed_quantity"] = quantity
    partner["agreed_price"] = price
    view["agreed_quantity"] += quantity
    view["needs"] = needs_of(view["lines"], view["exogenous_quantity"], view["agreed_quantity"])


@jittable
def score_of(initial_balance: Any, profit: Any) -> Any:
    """A factory's score: its balance as a multiple of the initial one; arrays are taken too.

    Source: scml/oneshot/world.py, ``SCMLBaseWorld.scores``.
    """
    return (initial_balance + profit) / initial_balance
