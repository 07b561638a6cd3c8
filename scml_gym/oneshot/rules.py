"""Rules of OneShot that more than one part asks for: which answers can be played, what is still needed.

Arithmetic on records, so that real simulations, compiled worlds, environments and rewards call the same functions.
"""

from __future__ import annotations

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import MAX_PARTNERS, ActionArray, FactoryView
from scml_gym.simulator.compiled.answers import answer_rules, refuse_invalid


@jittable
def _fits(view: FactoryView, actions: ActionArray, k: int) -> bool:
    """Whether an offer lies in today's ranges of quantities and prices."""
    quantity, price = actions[k]["quantity"], actions[k]["price"]
    fits = view["min_quantity"] <= quantity <= view["max_quantity"]
    return fits and view["min_price"] <= price <= view["max_price"]


@jittable
def _clear_offer(actions: ActionArray, k: int) -> None:
    actions[k]["quantity"] = 0
    actions[k]["price"] = 0


@jittable
def may_wait(view: FactoryView, k: int) -> bool:
    """Whether the factory may let partner ``k`` wait: it is asked in each negotiation by itself, and has not waited as
    often as it may."""
    return view["partners"][k]["waits"] < view["most_waits"]


NOBODY = -1
"""In place of a partner's index: none waits for an answer."""


@jittable
def asked_partner(view: FactoryView) -> int:
    """The partner that an answer is asked for, the first of several; ``NOBODY`` where none is."""
    for k in range(MAX_PARTNERS):
        if view["partners"][k]["my_turn"] != 0:
            return k
    return NOBODY


RULES = answer_rules(_fits, _clear_offer, may_wait)
is_valid, repair = RULES
"""Whether the answer to a partner can be played; makes an array of answers playable. See `answer_rules`."""


def _ranges(view: FactoryView, k: int) -> str:
    quantities = f"quantities {view['min_quantity']} to {view['max_quantity']}"
    return f"{quantities} and prices {view['min_price']} to {view['max_price']}"


def _why_not_wait(view: FactoryView, k: int) -> str:
    if view["most_waits"] == 0:
        return 'to wait is an answer only where negotiations are answered one by one (timing="negotiations")'
    return f"it has waited {view['most_waits']} times, as often as it may"


def validate(view: FactoryView, actions: ActionArray) -> None:
    """Refuse answers, shape ``(MAX_PARTNERS,)``, that are not playable; the same rules for every world.

    Raises:
        InputError: naming the partner, the answer and what is valid.
    """
    refuse_invalid(RULES, view, actions, _ranges, _why_not_wait)


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
