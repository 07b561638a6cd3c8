"""The negotiations of OneShot in compiled form: what an offer is about, and what an agreement changes.

The rules are those of all tracks, in scml_gym/simulator/compiled/: `run_pass`, `propose`, `answer` and the others are
explained there.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.rules import book_agreement, repair
from scml_gym.oneshot.view import MAX_PARTNERS, NOOP, OFFER, WAIT, FactoryView
from scml_gym.oneshot.worlds.compiled.layout import World
from scml_gym.simulator.compiled.negotiations import compile_negotiations
from scml_gym.simulator.compiled.players import Track, compile_players


@jittable
def clear_partner(partner: np.void) -> None:
    """No offers and no agreement of an earlier negotiation."""
    partner["offer_quantity"] = partner["offer_price"] = partner["my_quantity"] = partner["my_price"] = 0
    partner["agreed_quantity"] = partner["agreed_price"] = partner["waits"] = 0


@jittable
def clear_actions(actions: np.ndarray) -> None:
    """Make all answers no-ops."""
    for k in range(MAX_PARTNERS):
        actions[k]["response"] = NOOP
        actions[k]["quantity"] = 0
        actions[k]["price"] = 0


@jittable
def _put_offer(negotiation: np.void, action: np.void) -> None:
    negotiation["offer_quantity"], negotiation["offer_price"] = action["quantity"], action["price"]


@jittable
def _show_offer(partner: np.void, negotiation: np.void) -> None:
    partner["offer_quantity"], partner["offer_price"] = negotiation["offer_quantity"], negotiation["offer_price"]


@jittable
def _show_answer(partner: np.void, action: np.void) -> None:
    if action["response"] == OFFER:
        partner["my_quantity"], partner["my_price"] = action["quantity"], action["price"]
    partner["waits"] = partner["waits"] + 1 if action["response"] == WAIT else 0


@jittable
def _book(view: FactoryView, k: int, negotiation: np.void) -> None:
    book_agreement(view, k, negotiation["offer_quantity"], negotiation["offer_price"])


@jittable
def _record(world: World, negotiation: np.void) -> None:
    contract = world["contracts"][world["n_contracts"]]
    contract["day"] = world["day"]
    contract["seller"], contract["buyer"] = negotiation["seller"], negotiation["buyer"]
    contract["quantity"], contract["price"] = negotiation["offer_quantity"], negotiation["offer_price"]
    world["n_contracts"] += 1


TRACK = Track(clear_partner, clear_actions, repair, _put_offer, _show_offer, _show_answer, _book, _record)
PLAYERS = compile_players(TRACK)
NEGOTIATIONS = compile_negotiations(TRACK, PLAYERS)

propose, answer = PLAYERS.propose, PLAYERS.answer
