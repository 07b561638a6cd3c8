"""The negotiations of the Standard track in compiled form: what an offer is about, and what an agreement changes.

The rules are those of all tracks, in scml_gym/simulator/compiled/: `propose`, `answer` and the others are explained
there.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.simulator.compiled.alternating_offers import BUYER, SELLER
from scml_gym.simulator.compiled.negotiations import add_negotiation, compile_negotiations, forget_negotiations
from scml_gym.simulator.compiled.players import Track, compile_players
from scml_gym.standard.rules import book_agreement, opens_negotiations, repair
from scml_gym.standard.view import MAX_PARTNERS, MAX_PER_LEVEL, NOOP, OFFER, StandardView
from scml_gym.standard.worlds.compiled.futures import add_future
from scml_gym.standard.worlds.compiled.layout import World


@jittable
def clear_partner(partner: np.void) -> None:
    """No offers and no agreement of an earlier negotiation."""
    partner["offer_quantity"] = partner["offer_day"] = partner["offer_price"] = 0
    partner["my_quantity"] = partner["my_day"] = partner["my_price"] = 0
    partner["agreed_quantity"] = partner["agreed_day"] = partner["agreed_price"] = 0


@jittable
def clear_actions(actions: np.ndarray) -> None:
    """Make all answers no-ops."""
    for k in range(MAX_PARTNERS):
        actions[k]["response"] = NOOP
        actions[k]["quantity"] = 0
        actions[k]["day"] = 0
        actions[k]["price"] = 0


@jittable
def _put_offer(negotiation: np.void, action: np.void) -> None:
    negotiation["offer_quantity"], negotiation["offer_price"] = action["quantity"], action["price"]
    negotiation["offer_day"] = action["day"]


@jittable
def _show_offer(partner: np.void, negotiation: np.void) -> None:
    partner["offer_quantity"], partner["offer_price"] = negotiation["offer_quantity"], negotiation["offer_price"]
    partner["offer_day"] = negotiation["offer_day"]


@jittable
def _show_answer(partner: np.void, action: np.void) -> None:
    if action["response"] == OFFER:
        partner["my_quantity"], partner["my_day"] = action["quantity"], action["day"]
        partner["my_price"] = action["price"]


@jittable
def _book(view: StandardView, k: int, negotiation: np.void) -> None:
    book_agreement(view, k, negotiation["offer_quantity"], negotiation["offer_day"], negotiation["offer_price"])


@jittable
def _record(world: World, negotiation: np.void) -> None:
    contract = world["contracts"][world["n_contracts"]]
    contract["delivery"] = negotiation["offer_day"]
    contract["seller"], contract["buyer"] = negotiation["seller"], negotiation["buyer"]
    contract["quantity"], contract["price"] = negotiation["offer_quantity"], negotiation["offer_price"]
    if contract["delivery"] > world["day"]:
        add_future(world, contract)
    world["n_contracts"] += 1
    world["n_concluded"] += 1


TRACK = Track(clear_partner, clear_actions, repair, _put_offer, _show_offer, _show_answer, _book, _record)
PLAYERS = compile_players(TRACK)
NEGOTIATIONS = compile_negotiations(TRACK, PLAYERS)

propose, answer = PLAYERS.propose, PLAYERS.answer


@jittable
def make_negotiations(world: World) -> None:
    """Who negotiates with whom, who speaks first, and in which order.

    Every second level from the last one down requests: each of its factories asks first its suppliers, then its
    consumers, and speaks first to all of them.

    Source: scml/oneshot/world.py, ``_make_negotiations`` and ``_request_negotiations`` (scml 0.8.4).
    """
    forget_negotiations(world)
    spec = world["spec"]
    for level in range(spec["n_levels"] - 1, -1, -1):
        if not opens_negotiations(level, spec["n_levels"]):
            continue
        for i in range(spec["sizes"][level]):
            if level > 0:
                for j in range(spec["sizes"][level - 1]):
                    _add_pair(world, level - 1, j, i, BUYER)
            if level < spec["n_levels"] - 1:
                for j in range(spec["sizes"][level + 1]):
                    _add_pair(world, level, i, j, SELLER)


@jittable
def _add_pair(world: World, level: int, i: int, j: int, opener: int) -> None:
    """The ``i``-th factory of a level sells to the ``j``-th of the next one."""
    seller, buyer = world["first_factory"][level] + i, world["first_factory"][level + 1] + j
    add_negotiation(world, seller, buyer, MAX_PER_LEVEL + j, i, opener)
