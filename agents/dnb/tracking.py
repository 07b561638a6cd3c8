"""What a factory remembers, brought up to date from the views that it is shown: in live play and in recorded worlds."""

from __future__ import annotations

from scml_gym.agents.dnb.events import (
    accept_offer,
    begin_negotiation,
    end_negotiation,
    hear_offer,
    make_offer,
    price_bin,
    respond,
)
from scml_gym.agents.dnb.records import Memory
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import ACCEPT, END, MAX_PARTNERS, OFFER, ActionArray, FactoryView

SILENT, TAKEN, COUNTERED, LEFT = 0, 1, 2, 3
"""What became of a pending offer: no answer yet, accepted, answered by a counter-offer, the negotiation is over."""


@jittable
def begin_day(view: FactoryView, memory: Memory) -> bool:
    """Begin the view's day where it is a new one; says whether it is."""
    if memory["day"] == view["day"] + 1:
        return False
    memory["day"] = view["day"] + 1
    for k in range(MAX_PARTNERS):
        begin_negotiation(memory["partners"][k])
    return True


@jittable
def answer_to(view: FactoryView, k: int, day_over: bool) -> int:
    """What became of the pending offer to partner ``k``."""
    partner = view["partners"][k]
    if partner["agreed_quantity"] > 0:
        return TAKEN
    if day_over or partner["running"] == 0:
        return LEFT
    if partner["my_turn"] != 0 and partner["offer_quantity"] > 0:
        return COUNTERED
    return SILENT


@jittable
def hear(view: FactoryView, memory: Memory) -> None:
    """The offers that are new to this decision; to be called after what became of pending offers is taken in."""
    for k in range(view["n_partners"]):
        partner = view["partners"][k]
        if partner["my_turn"] != 0 and partner["offer_quantity"] > 0:
            in_bin = price_bin(partner["offer_price"], view["min_price"], view["max_price"])
            hear_offer(memory["partners"][k], partner["offer_quantity"], in_bin, partner["relative_time"])


@jittable
def take_answer(memory: Memory, k: int, answer: int) -> None:
    """Take in what became of the pending offer to partner ``k``."""
    if answer in (TAKEN, COUNTERED):
        respond(memory["partners"][k], 1 if answer == TAKEN else 0)
    elif answer == LEFT:
        memory["partners"][k]["pending"] = 0


@jittable
def needs_of_offers(view: FactoryView, actions: ActionArray) -> int:
    """What is left to be traded by the offers of a decision: the needs without what it accepts."""
    needs = view["needs"]
    for k in range(view["n_partners"]):
        if actions[k]["response"] == ACCEPT:
            needs -= view["partners"][k]["offer_quantity"]
    return needs


@jittable
def note(view: FactoryView, actions: ActionArray, memory: Memory) -> None:
    """Remember what was answered; ``view`` is the one that was decided on."""
    low, high = view["min_price"], view["max_price"]
    for k in range(view["n_partners"]):
        partner, known = view["partners"][k], memory["partners"][k]
        if partner["my_turn"] == 0:
            continue
        time, response = partner["relative_time"], actions[k]["response"]
        if response == OFFER:
            make_offer(known, actions[k]["quantity"], price_bin(actions[k]["price"], low, high), time)
        elif response == ACCEPT:
            accept_offer(known, partner["offer_quantity"], price_bin(partner["offer_price"], low, high), time)
        elif response == END:
            end_negotiation(known, time)
