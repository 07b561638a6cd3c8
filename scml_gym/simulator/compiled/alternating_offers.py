"""Alternating offers between a seller and a buyer, who opens: rounds and moves, WAIT, time-outs, acceptance.

A negotiation is a record, and whoever keeps it asks its two sides; what they answer moves the record on.

Source: negmas/sao/mechanism.py, ``__call__``; negmas/mechanisms.py, ``step`` (negmas 0.16.0).
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable

SELLER, BUYER = 0, 1
"""The sides of a negotiation. The buyer makes the first offer."""

NOOP, END, ACCEPT, OFFER, WAIT, ASK = range(6)
"""What a side answers: nothing (not my turn), end the negotiation, take the standing offer, make an offer; and inside a
simulation: wait for other negotiations (no round passes), or stop until the answer comes from outside."""

NEGOTIATION_DTYPE = np.dtype(
    [
        ("running", np.int64),
        ("step", np.int64),  # rounds that have passed, or moves in "moves" timing
        ("turn", np.int64),  # SELLER or BUYER: whose move is next
        ("offer_quantity", np.int64),  # the standing offer; 0 where there is none
        ("offer_price", np.int64),
        ("waits", np.int64),  # WAIT answers in a row
    ],
    align=True,
)

GOES_ON, PASSED, AGREED, ENDED = range(4)
"""What an answer makes of a negotiation: the other side moves in the same pass; the pass is over; an agreement on the
standing offer; an end without agreement."""


@jittable
def open_negotiation(negotiation: np.void, running: int) -> None:
    """A negotiation starts, or cannot take place where it is not ``running``."""
    negotiation["running"] = running
    negotiation["step"] = negotiation["offer_quantity"] = negotiation["offer_price"] = 0
    negotiation["waits"] = 0
    negotiation["turn"] = BUYER


@jittable
def put_offer(negotiation: np.void, quantity: int, price: int) -> None:
    """Make an offer the standing one."""
    negotiation["offer_quantity"] = quantity
    negotiation["offer_price"] = price


@jittable
def take_answer(negotiation: np.void, response: int, by_moves: bool, most_waits: int) -> int:
    """Move a negotiation on by the answer of the side whose turn it is; an offer stands there already.

    Args:
        negotiation: A record of ``NEGOTIATION_DTYPE``.
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
    if by_moves or side == SELLER:
        negotiation["step"] += 1
        return PASSED
    return GOES_ON
