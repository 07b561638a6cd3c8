"""What happens in a negotiation, written into the memory of a partner, and read from it as a sample.

Live play, recorded worlds and logs all go through these functions, so that a model sees offline what it sees online.
"""

from __future__ import annotations

import numpy as np

from scml_gym.agents.dnb.records import (
    ACCEPTED,
    ENDED,
    MAX_EVENTS,
    ME,
    OFFERED,
    PARTNER,
    WINDOW,
    PartnerMemory,
    Sample,
)
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import FactoryView


@jittable
def price_bin(price: int, low: int, high: int) -> int:
    """1 for a price in the upper half of the range, else 0 (thesis, algorithm 5-3)."""
    return 1 if high > low and 2 * (price - low) > high - low else 0


@jittable
def begin_negotiation(partner: PartnerMemory) -> None:
    """A new day: no offers, no events."""
    partner["n_offers"] = 0
    partner["n_events"] = 0
    partner["pending"] = 0


@jittable
def add_event(
    partner: PartnerMemory, speaker: int, action: int, first: int, quantity: int, in_bin: int, time: float
) -> None:
    """Append an event; the oldest one goes where there is no room."""
    n, events = partner["n_events"], partner["events"]
    counter = 1 if action == OFFERED and n > 0 and events[n - 1]["speaker"] != speaker else 0
    if n == MAX_EVENTS:
        n -= 1
        for i in range(n):
            copy_event(events[i], events[i + 1])
    event = events[n]
    event["speaker"], event["action"], event["counter"], event["first"] = speaker, action, counter, first
    event["quantity"], event["price_bin"], event["time"] = quantity, in_bin, time
    partner["n_events"] = n + 1


@jittable
def copy_event(to: np.void, other: np.void) -> None:
    """Copy one event into another."""
    to["speaker"], to["action"], to["counter"] = other["speaker"], other["action"], other["counter"]
    to["first"], to["quantity"] = other["first"], other["quantity"]
    to["price_bin"], to["time"] = other["price_bin"], other["time"]


@jittable
def hear_offer(partner: PartnerMemory, quantity: int, in_bin: int, time: float) -> None:
    """The partner made an offer."""
    first = 1
    for i in range(partner["n_events"]):
        if partner["events"][i]["speaker"] == PARTNER:
            first = 0
    add_event(partner, PARTNER, OFFERED, first, quantity, in_bin, time)


@jittable
def make_offer(partner: PartnerMemory, quantity: int, in_bin: int, time: float) -> None:
    """I made an offer, which waits for its answer."""
    first = 1 if partner["n_offers"] == 0 else 0
    add_event(partner, ME, OFFERED, first, quantity, in_bin, time)
    partner["negotiations"] += first
    partner["n_offers"] += 1
    partner["pending"] = 1
    partner["quantity"], partner["price_bin"], partner["time"] = quantity, in_bin, time
    partner["mean"] = partner["bound"] = 0.0


@jittable
def accept_offer(partner: PartnerMemory, quantity: int, in_bin: int, time: float) -> None:
    """I accepted the partner's offer."""
    add_event(partner, ME, ACCEPTED, 0, quantity, in_bin, time)


@jittable
def end_negotiation(partner: PartnerMemory, time: float) -> None:
    """I ended the negotiation."""
    add_event(partner, ME, ENDED, 0, 0, 0, time)


@jittable
def respond(partner: PartnerMemory, accepted: int) -> None:
    """The partner answered my pending offer explicitly: accepted it (1) or made a counter-offer (0)."""
    n, responses = partner["n_responses"], partner["responses"]
    if n == WINDOW:
        n -= 1
        for i in range(n):
            to, other = responses[i], responses[i + 1]
            to["accepted"], to["quantity"] = other["accepted"], other["quantity"]
            to["price_bin"], to["first"] = other["price_bin"], other["first"]
    response = responses[n]
    response["accepted"], response["quantity"] = accepted, partner["quantity"]
    response["price_bin"], response["first"] = partner["price_bin"], 1 if partner["n_offers"] == 1 else 0
    partner["n_responses"] = n + 1
    partner["agreements"] += accepted
    partner["pending"] = 0


@jittable
def fill_context(view: FactoryView, needs: int, sample: Sample) -> None:
    """The part of a sample that is the same for all partners of a decision.

    Args:
        view: Of the one who offers.
        needs: What is left to be traded by offers.
        sample: Changed in place.
    """
    sample["needs"] = needs
    sample["level"], sample["lines"] = view["level"], view["lines"]
    sample["min_price"], sample["max_price"] = view["min_price"], view["max_price"]
    sample["input_price"], sample["output_price"] = view["input_price"], view["output_price"]
    sample["shortfall_penalty"], sample["disposal_cost"] = view["shortfall_penalty"], view["disposal_cost"]
    sample["exogenous_quantity"], sample["exogenous_price"] = view["exogenous_quantity"], view["exogenous_price"]
    sample["production_cost"] = view["production_cost"]
    sample["n_partners"], sample["n_competitors"] = view["n_partners"], view["n_competitors"]
    sample["total_supply"], sample["total_demand"] = view["total_supply"], view["total_demand"]
    sample["day"], sample["n_days"] = view["day"], view["n_days"]


@jittable
def fill_history(partner: PartnerMemory, time: float, sample: Sample) -> None:
    """The part of a sample that is remembered of a partner and its negotiation; changed in place.

    Entries beyond ``n_responses`` and ``n_events`` are left as they are: nothing may read them.
    """
    sample["time"] = time
    sample["negotiations"], sample["agreements"] = partner["negotiations"], partner["agreements"]
    if partner["n_offers"] > 0:
        sample["negotiations"] -= 1  # today's
    sample["n_responses"], sample["n_offers"] = partner["n_responses"], partner["n_offers"]
    sample["n_events"] = partner["n_events"]
    for i in range(partner["n_responses"]):
        to, response = sample["responses"][i], partner["responses"][i]
        to["accepted"], to["quantity"] = response["accepted"], response["quantity"]
        to["price_bin"], to["first"] = response["price_bin"], response["first"]
    for i in range(partner["n_events"]):
        copy_event(sample["events"][i], partner["events"][i])


@jittable
def fill_offer(quantity: int, price: int, sample: Sample) -> None:
    """The offer of a sample; changed in place."""
    sample["quantity"], sample["price"] = quantity, price
