"""Players in compiled form: when a factory is asked, what it is shown, and what becomes of its answers.

As the adapters of scml's simulation (scml_gym/simulator/adapters.py); when a synchronous player waits is in
scml_gym/simulator/compiled/synchronous.py. A player that is decided from outside stops the world (``ASK``): when its
answers have been given, the same negotiation asks again and finds them.
"""

from __future__ import annotations

import numpy as np

from scml_gym.game.calls import call_decide
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import fill_draws
from scml_gym.oneshot.rules import repair
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, NOOP, OFFER, VIEW_DTYPE
from scml_gym.oneshot.worlds.compiled.layout import ASYNCHRONOUS, EXTERNAL, World
from scml_gym.simulator.compiled.alternating_offers import ASK, WAIT, put_offer
from scml_gym.simulator.compiled.synchronous import give_answer, keep_answer, must_wait

_VIEW_SIZE = VIEW_DTYPE.itemsize


@jittable
def next_answer(world: World, buyer: int, seller: int, side: int) -> int:
    """The response of the factory whose move is next in a negotiation; if it offers, its offer stands there now."""
    if side == BUYER:
        factory, k = world["spec"]["n_sellers"] + buyer, seller
    else:
        factory, k = seller, buyer
    player, negotiation = world["players"][factory], world["negotiations"][buyer][seller]
    if player["kind"] == ASYNCHRONOUS:
        return decide_one(world, factory, k, negotiation)
    if player["answer"][k] == NOOP:
        if negotiation["offer_quantity"] > 0 and must_wait(player, k):
            return WAIT
        show_due(world, factory, negotiation["offer_quantity"] == 0)
        if player["kind"] == EXTERNAL:
            world["pending"][factory] = 1
            return ASK
        propose(world, factory)
        answer(world, factory)
    return give_answer(player, k, negotiation)


@jittable
def show_due(world: World, factory: int, first: bool) -> None:
    """Show a synchronous player what it decides on: all running negotiations where it makes its ``first`` offers, else
    those whose offers are in."""
    view, player = world["views"][factory], world["players"][factory]
    for k in range(view["n_partners"]):
        if (view["partners"][k]["running"] if first else player["offer_in"][k]) != 0:
            show_offer(world, factory, k, negotiation_of(world, factory, k))


@jittable
def negotiation_of(world: World, factory: int, k: int) -> np.void:
    """The negotiation of a factory with its partner ``k``."""
    n_sellers = world["spec"]["n_sellers"]
    if factory < n_sellers:
        return world["negotiations"][k][factory]
    return world["negotiations"][factory - n_sellers][k]


@jittable
def show_offer(world: World, factory: int, k: int, negotiation: np.void) -> None:
    """Write a partner's standing offer into the view, and that an answer is asked for."""
    view = world["views"][factory]
    partner = view["partners"][k]
    if negotiation["offer_quantity"] > 0:
        partner["offer_quantity"] = negotiation["offer_quantity"]
        partner["offer_price"] = negotiation["offer_price"]
    partner["step"] = negotiation["step"]
    partner["relative_time"] = (negotiation["step"] + 1) / (view["n_rounds"] + 1)
    partner["my_turn"] = 1


@jittable
def propose(world: World, factory: int) -> None:
    """Put what the factory's strategy would answer into the world's array of actions."""
    view, player, actions = world["views"][factory], world["players"][factory], world["actions"]
    for k in range(MAX_PARTNERS):
        actions[k]["response"] = NOOP
        actions[k]["quantity"] = 0
        actions[k]["price"] = 0
    if player["n_draws"] > 0:
        fill_draws(player["seed"], view["factory"], view["day"], view["decision"], player["n_draws"], world["draws"])
    view_address = world["views"].ctypes.data + factory * _VIEW_SIZE
    call_decide(player, view_address, player["state"], world["draws"].ctypes.data, actions.ctypes.data)


@jittable
def decide_one(world: World, factory: int, k: int, negotiation: np.void) -> int:
    """The answer of an asynchronous factory in one negotiation, given at once."""
    view, player, actions = world["views"][factory], world["players"][factory], world["actions"]
    show_offer(world, factory, k, negotiation)
    propose(world, factory)
    player["invalid"] += repair(view, actions)
    player["decisions"] += 1
    view["decision"] += 1
    partner = view["partners"][k]
    partner["my_turn"] = 0
    if actions[k]["response"] == OFFER:
        partner["my_quantity"], partner["my_price"] = actions[k]["quantity"], actions[k]["price"]
        put_offer(negotiation, actions[k]["quantity"], actions[k]["price"])
    return actions[k]["response"]


@jittable
def answer(world: World, factory: int) -> None:
    """Check the answers in the world's array of actions, show them in the factory's view, and keep them until its
    negotiations ask for them."""
    view, player, actions = world["views"][factory], world["players"][factory], world["actions"]
    player["invalid"] += repair(view, actions)
    player["decisions"] += 1
    view["decision"] += 1
    world["pending"][factory] = 0
    for k in range(view["n_partners"]):
        partner = view["partners"][k]
        keep_answer(player, k, actions[k]["response"], actions[k]["quantity"], actions[k]["price"])
        if actions[k]["response"] == OFFER:
            partner["my_quantity"] = actions[k]["quantity"]
            partner["my_price"] = actions[k]["price"]
        partner["my_turn"] = 0
