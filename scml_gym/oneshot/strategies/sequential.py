"""A strategy that asks partner after partner, and waits: what simultaneous first offers lose, it learns before it asks.

A synchronous factory makes all its first offers at once. This one is asked in each negotiation by itself, and lets its
partners wait: as a *buyer* for a pass, so that all others go first; a synchronous seller then holds every offer but
this one and answers it at once, so each next offer is made in the knowledge of what the last one brought. As a *seller*
it waits until the buyers' offers are in, which are options then: it asks one buyer after another for more, where that
gains in expectation, and takes the best of the rest when nothing is under way. Which answer brings most is computed by
`scml_gym.oneshot.asking`; how likely an offer is accepted is counted
(`scml_gym.oneshot.strategies.acceptance_counts`).
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.once import compiled_once
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.oneshot.asking import Prospects, answer_asked, best_price, new_prospects
from scml_gym.oneshot.strategies.acceptance_counts import (
    COUNTS_SIZE,
    count_pass,
    counts_of,
    fill_chances,
    fill_pending,
    note_offer,
    see_answers,
)
from scml_gym.oneshot.strategies.base import Strategy
from scml_gym.oneshot.view import ACCEPT, BUYER, END, OFFER, SELLER, WAIT, ActionArray, FactoryView

PARAMETERS = {
    "opening": 1.0,  # passes that a buyer waits before its first offers
    "patience": 4.0,  # WAIT answers in a row at most
    "later": 0.0,  # the chance that an item left open early in the day is still traded; it falls to 0 with time
    "prior": 10.0,  # offers that the chances to begin with count for
    "pooled": 4.0,  # offers that what all partners did counts for beside what one did
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)
N_PARAMETERS = len(PARAMETERS)


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
def write(actions: ActionArray, k: int, response: int, quantity: int, price: int) -> None:
    """Write an answer to partner ``k``."""
    actions[k]["response"], actions[k]["quantity"], actions[k]["price"] = response, quantity, price


@jittable
def look_around(view: FactoryView, counts: np.void, prospects: Prospects) -> bool:
    """Count what became of earlier offers, and fill the prospects but for the chances of new ones; whether a partner
    has still to move.

    Args:
        view: Of the factory.
        counts: One of ``COUNTS_DTYPE``, changed in place.
        prospects: Of nobody yet; changed in place.
    """
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0:
            count_pass(counts, k)
            break
    see_answers(view, counts, False)
    fill_pending(view, counts, prospects)
    return see_partners(view, prospects)


@jittable
def answer_partners(
    view: FactoryView,
    parameters: np.void,
    counts: np.void,
    prospects: Prospects,
    missing: bool,
    actions: ActionArray,
) -> None:
    """Answer the partners whose turn it is, one after the other where there are several.

    Args:
        view: Of the factory.
        parameters: A record of ``PARAMETERS_DTYPE``.
        counts: One of ``COUNTS_DTYPE``, changed in place.
        prospects: Of its partners; changed in place.
        missing: Whether a partner has still to move.
        actions: Come as no-ops.
    """
    most, needs = most_waits(view, parameters["patience"]), view["needs"]
    if view["level"] == SELLER:  # its offers are answered in the next pass at the earliest
        for k in range(view["n_partners"]):
            prospects.due[k] = 1 if view["partners"][k]["waits"] >= most else 0
    for k in range(view["n_partners"]):
        partner, action = view["partners"][k], actions[k]
        if partner["my_turn"] == 0:
            continue
        counts["last_asked"] = k
        if needs <= 0:
            write(actions, k, END, 0, 0)
        elif must_wait(view, k, missing, parameters["opening"], most):
            write(actions, k, WAIT, 0, 0)
        else:
            later = parameters["later"] * (1.0 - partner["relative_time"])
            response, quantity, price = answer_asked(view, needs, prospects, k, later, partner["waits"] < most)
            write(actions, k, response, quantity, price)
        if action["response"] == WAIT:
            continue
        prospects.available[k] = 0
        if action["response"] == ACCEPT:
            needs -= partner["offer_quantity"]
        elif action["response"] == OFFER:
            chance = prospects.chances[k, action["quantity"], best_price(view, action["price"])]
            note_offer(view, counts, k, action["quantity"], action["price"], chance)
            prospects.pending[k], prospects.late[k] = action["quantity"], chance


@compiled_once
def play(view: FactoryView, state: np.ndarray, params: np.ndarray, actions: ActionArray) -> None:
    """See `Strategy.decide`."""
    parameters, counts, prospects = record_of(params, PARAMETERS_DTYPE, 0), counts_of(state), new_prospects()
    missing = look_around(view, counts, prospects)
    for k in range(view["n_partners"]):
        if prospects.available[k] != 0:
            fill_chances(view, counts, k, (parameters["prior"], parameters["pooled"]), prospects.chances[k])
    answer_partners(view, parameters, counts, prospects, missing, actions)


@compiled_once
def remember(view: FactoryView, state: np.ndarray) -> None:
    """See `Strategy.learn`."""
    see_answers(view, counts_of(state), True)


def decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Wait, take the offer, ask, or end: what brings most in expectation."""
    play(view, state, params, actions)


def learn(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
    """Count what became of the last offers."""
    remember(view, state)


SEQUENTIAL = Strategy(
    "sequential",
    decide,
    PARAMETERS,
    state_size=COUNTS_SIZE,
    synchronous=False,
    summary="asks partner after partner, waits for the others, decides by dynamic programming",
    learn=learn,
    n_draws=0,
)
