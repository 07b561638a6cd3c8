"""Alternating offers between a seller and a buyer, one of whom opens: rounds and moves, WAIT, time-outs, acceptance.

A negotiation is a record, and whoever keeps it asks its two sides; what they answer moves the record on. What an offer
is about is the track's own: the record has fields for the standing one.

Source: negmas/sao/mechanism.py, ``__call__``; negmas/mechanisms.py, ``step`` (negmas 0.16.0).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.jit.compile import jittable

SELLER, BUYER = 0, 1
"""The sides of a negotiation."""

NOOP, END, ACCEPT, OFFER, WAIT, ASK = range(6)
"""What a side answers: nothing (not my turn), end the negotiation, take the standing offer, make an offer, or be asked
again later (no round passes); and inside a simulation: stop until the answer comes from outside."""


def negotiation_dtype(*offer: tuple[Any, ...]) -> np.dtype:
    """A negotiation; small, as a world has many.

    Args:
        offer: The fields of its standing offer, ``offer_quantity`` among them, which is 0 where there is none.
    """
    between = [
        ("seller", np.int16),  # index of the factory that sells
        ("buyer", np.int16),
        ("consumer", np.int16),  # which of the seller's partners the buyer is
        ("supplier", np.int16),  # which of the buyer's partners the seller is
        ("opener", np.int16),  # SELLER or BUYER: who makes the first offer
    ]
    stands = [
        ("turn", np.int16),  # SELLER or BUYER: whose move is next
        ("waits", np.int16),  # WAIT answers in a row
        ("running", np.int16),
        ("step", np.int32),  # rounds that have passed, or moves in "moves" timing
    ]
    return np.dtype([*offer, *between, *stands], align=True)


GOES_ON, PASSED, AGREED, ENDED = range(4)
"""What an answer makes of a negotiation: the other side moves in the same pass; the pass is over; an agreement on the
standing offer; an end without agreement."""


@jittable
def open_negotiation(negotiation: np.void, running: int) -> None:
    """A negotiation starts, or cannot take place where it is not ``running``."""
    negotiation["running"] = running
    negotiation["step"] = negotiation["waits"] = 0
    negotiation["offer_quantity"] = 0
    negotiation["turn"] = negotiation["opener"]


@jittable
def take_answer(negotiation: np.void, response: int, by_moves: bool, most_waits: int) -> int:
    """Move a negotiation on by the answer of the side whose turn it is; an offer stands there already.

    Args:
        negotiation: A record of a `negotiation_dtype`.
        response: ``END``, ``ACCEPT``, ``OFFER`` or ``WAIT``.
        by_moves: Whether a pass is a move; else it is a round, both sides' moves.
        most_waits: After more answers ``WAIT`` in a row, a negotiation ends.

    Returns:
        ``GOES_ON``, ``PASSED``, ``AGREED`` or ``ENDED``.
    """
    if response == WAIT:  # the order is frozen: the same side is asked again in the next pass
        negotiation["waits"] += 1
        return ENDED if negotiation["waits"] > most_waits else PASSED
    negotiation["waits"] = 0
    if response == ACCEPT:
        return AGREED
    if response != OFFER:
        return ENDED
    side = negotiation["turn"]
    negotiation["turn"] = SELLER + BUYER - side
    if by_moves or side != negotiation["opener"]:
        negotiation["step"] += 1
        return PASSED
    return GOES_ON
