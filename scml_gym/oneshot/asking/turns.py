"""Whose turn it is where negotiations are answered one by one, whom a factory lets wait before it decides, and what it
answers."""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.asking.answers import LET_GO, LET_WAIT, fill_worths
from scml_gym.oneshot.asking.counts import count_pass, fill_pending, see_answers
from scml_gym.oneshot.asking.values import Prospects
from scml_gym.oneshot.rules import NOBODY, asked_partner
from scml_gym.oneshot.view import BUYER, SELLER, FactoryView


@jittable
def most_waits(view: FactoryView, patience: float) -> int:
    """How often in a row a partner is let wait: less often than a synchronous one has negotiations, or it would be
    asked before the offers are in."""
    return min(int(patience), view["most_waits"], max(view["n_competitors"], 1))


@jittable
def see_partners(view: FactoryView, prospects: Prospects) -> bool:
    """Whose next move is mine, and what they offer; whether one of the others has still to move.

    The view marks who is to be answered now. It is my turn also with those that I let wait, and with those that a buyer
    has not opened with yet.
    """
    missing = False
    for k in range(view["n_partners"]):
        partner = view["partners"][k]
        mine = partner["my_turn"] != 0 or partner["waits"] > 0
        unopened = view["level"] == BUYER and partner["my_quantity"] == 0 and partner["offer_quantity"] == 0
        if partner["running"] == 0:
            continue
        if mine or unopened:
            prospects.available[k] = 1
            prospects.quantities[k], prospects.prices[k] = partner["offer_quantity"], partner["offer_price"]
        else:
            missing = True
    return missing


@jittable
def must_wait(view: FactoryView, k: int, missing: bool, opening: float, most: int) -> bool:
    """Whether the factory waits before it decides at all: for the others to move first."""
    partner = view["partners"][k]
    if partner["waits"] >= most:
        return False
    if partner["offer_quantity"] == 0:
        return partner["waits"] < opening
    return missing


@jittable
def see_due(view: FactoryView, parameters: np.void, prospects: Prospects) -> None:
    """Whose answers are due before an offer has its own: a seller's offers are answered in the next pass at the
    earliest, and some partners cannot be let wait until then."""
    most = most_waits(view, parameters["patience"])
    for k in range(view["n_partners"]):
        prospects.due[k] = 1 if view["level"] == SELLER and view["partners"][k]["waits"] >= most else 0


@jittable
def choose_answer(
    view: FactoryView,
    parameters: np.void,
    needs: int,
    prospects: Prospects,
    k: int,
    missing: bool,
    worths: np.ndarray,
) -> int:
    """The answer to partner ``k``, whose turn it is.

    Args:
        view: Of the factory.
        parameters: A record of ``PARAMETERS_DTYPE``.
        needs: Items still to be traded.
        prospects: Of its partners.
        k: The partner.
        missing: Whether a partner has still to move.
        worths: As of `fill_worths`; -inf where nothing had to be weighed.

    Returns:
        Where the answer stands, see `scml_gym.oneshot.asking.answers`.
    """
    most, partner = most_waits(view, parameters["patience"]), view["partners"][k]
    worths[:] = -np.inf
    if needs <= 0:
        return LET_GO
    if must_wait(view, k, missing, parameters["opening"], most):
        return LET_WAIT
    later = parameters["later"] * (1.0 - partner["relative_time"])
    return fill_worths(view, needs, prospects, k, later, partner["waits"] < most, worths)


@jittable
def look_around(view: FactoryView, counts: np.void, prospects: Prospects) -> bool:
    """Count what became of earlier offers, and fill the prospects but for the chances of new ones; whether a partner
    has still to move.

    Args:
        view: Of the factory.
        counts: One of ``COUNTS_DTYPE``, changed in place.
        prospects: Of nobody yet; changed in place.
    """
    asked = asked_partner(view)
    if asked != NOBODY:
        count_pass(counts, asked)
    see_answers(view, counts, False)
    fill_pending(view, counts, prospects)
    return see_partners(view, prospects)
