"""A strategy that asks partner after partner, and waits: what simultaneous first offers lose, it learns before it asks.

A synchronous factory makes all its first offers at once. This one is asked in each negotiation by itself, and lets its
partners wait: as a *buyer* for a pass, so that all others go first; a synchronous seller then holds every offer but
this one and answers it at once, so each next offer is made in the knowledge of what the last one brought. As a *seller*
it waits until the buyers' offers are in, which are options then: it asks one buyer after another for more, where that
gains in expectation, and takes the best of the rest when nothing is under way. Which answer brings most is computed by
`scml_gym.oneshot.asking`; how likely an offer is accepted is counted
(`scml_gym.oneshot.asking.counts`).
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.once import compiled_once
from scml_gym.jit.parameters import record_of
from scml_gym.oneshot.asking.answers import N_ANSWERS, answer_at
from scml_gym.oneshot.asking.counts import COUNTS_SIZE, counts_of, fill_all_chances, note_offer, see_answers
from scml_gym.oneshot.asking.parameters import PARAMETERS, PARAMETERS_DTYPE
from scml_gym.oneshot.asking.turns import choose_answer, look_around, see_due
from scml_gym.oneshot.asking.values import Prospects, best_price, new_prospects
from scml_gym.oneshot.strategies.base import Strategy
from scml_gym.oneshot.view import ACCEPT, OFFER, WAIT, ActionArray, FactoryView


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
    needs, worths = view["needs"], np.empty(N_ANSWERS)
    see_due(view, parameters, prospects)
    for k in range(view["n_partners"]):
        partner, action = view["partners"][k], actions[k]
        if partner["my_turn"] == 0:
            continue
        counts["last_asked"] = k + 1
        place = choose_answer(view, parameters, needs, prospects, k, missing, worths)
        action["response"], action["quantity"], action["price"] = answer_at(view, place)
        if action["response"] == WAIT:
            continue
        prospects.available[k] = 0
        if action["response"] == ACCEPT:
            needs -= partner["offer_quantity"]
        elif action["response"] == OFFER:
            at, time = best_price(view, action["price"]), 1 if partner["step"] > 0 else 0
            chance = prospects.chances[k, action["quantity"], at]
            note_offer(counts, k, action["quantity"], at, time, chance)
            prospects.pending[k], prospects.late[k] = action["quantity"], chance


@compiled_once
def play(view: FactoryView, state: np.ndarray, params: np.ndarray, actions: ActionArray) -> None:
    """See `Strategy.decide`."""
    parameters, counts, prospects = record_of(params, PARAMETERS_DTYPE, 0), counts_of(state), new_prospects()
    missing = look_around(view, counts, prospects)
    fill_all_chances(view, counts, parameters, prospects)
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
