"""Seats in compiled form: when a factory is asked, what it is shown, and what becomes of its answers.

As scml_gym/simulator/adapters.py and negmas' ``SAOSyncController`` (negmas/sao/controllers.py, negmas 0.16.0): a
synchronous factory waits until the offers of all its running negotiations are in, or until it has waited as often as
it has running negotiations; then it answers all offers that are in. Answers are kept until their negotiation asks for
them; a new decision replaces all that were not given yet.
"""

from __future__ import annotations

import numpy as np

from scml_gym.game.calls import call_decide
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import fill_draws
from scml_gym.oneshot.actions.factory import repair
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, NOOP, OFFER, VIEW_DTYPE
from scml_gym.oneshot.worlds.compiled.layout import ASYNCHRONOUS, EXTERNAL, World

ASK, WAIT = 10, 11
"""What `next_answer` gives besides the responses: an external factory must decide first; nothing yet."""

_VIEW_SIZE = VIEW_DTYPE.itemsize


@jittable
def next_answer(world: World, buyer: int, seller: int, side: int) -> int:
    """The response of the factory whose move is next in a negotiation; if it offers, its offer stands there now."""
    if side == BUYER:
        factory, k = world["spec"]["n_sellers"] + buyer, seller
    else:
        factory, k = seller, buyer
    seat = world["seats"][factory]
    if seat["kind"] == ASYNCHRONOUS:
        return decide_one(world, factory, k, world["negotiations"][buyer][seller])
    if seat["answer"][k] == NOOP:
        n_partners = world["views"][factory]["n_partners"]
        if world["negotiations"][buyer][seller]["offer_quantity"] == 0:
            for j in range(n_partners):
                if world["views"][factory]["partners"][j]["running"] != 0:
                    show_offer(world, factory, j, negotiation_of(world, factory, j))
        else:
            seat["n_in"] += 1 - seat["offer_in"][k]
            seat["offer_in"][k] = 1
            if seat["n_in"] < seat["running"] and seat["waits"][k] < seat["running"]:
                seat["waits"][k] += 1
                return WAIT
            for j in range(n_partners):
                if seat["offer_in"][j] != 0:
                    show_offer(world, factory, j, negotiation_of(world, factory, j))
        if seat["kind"] == EXTERNAL:
            world["pending"][factory] = 1
            return ASK
        propose(world, factory)
        answer(world, factory)
    response = seat["answer"][k]
    seat["answer"][k] = NOOP
    if response == OFFER:
        put_offer(world["negotiations"][buyer][seller], seat["answer_quantity"][k], seat["answer_price"][k])
    return response


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
    view, seat, actions = world["views"][factory], world["seats"][factory], world["actions"]
    for k in range(MAX_PARTNERS):
        actions[k]["response"] = NOOP
        actions[k]["quantity"] = 0
        actions[k]["price"] = 0
    if seat["n_draws"] > 0:
        fill_draws(seat["seed"], view["factory"], view["day"], view["decision"], seat["n_draws"], world["draws"])
    view_address = world["views"].ctypes.data + factory * _VIEW_SIZE
    call_decide(seat, view_address, seat["state"], world["draws"].ctypes.data, actions.ctypes.data)


@jittable
def put_offer(negotiation: np.void, quantity: int, price: int) -> None:
    """Make an offer the standing one."""
    negotiation["offer_quantity"] = quantity
    negotiation["offer_price"] = price


@jittable
def decide_one(world: World, factory: int, k: int, negotiation: np.void) -> int:
    """The answer of an asynchronous factory in one negotiation, given at once."""
    view, seat, actions = world["views"][factory], world["seats"][factory], world["actions"]
    show_offer(world, factory, k, negotiation)
    propose(world, factory)
    seat["invalid"] += repair(view, actions)
    seat["decisions"] += 1
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
    view, seat, actions = world["views"][factory], world["seats"][factory], world["actions"]
    seat["invalid"] += repair(view, actions)
    seat["decisions"] += 1
    view["decision"] += 1
    world["pending"][factory] = 0
    seat["n_in"] = 0
    for k in range(view["n_partners"]):
        partner = view["partners"][k]
        seat["answer"][k] = actions[k]["response"]
        seat["answer_quantity"][k] = actions[k]["quantity"]
        seat["answer_price"][k] = actions[k]["price"]
        seat["offer_in"][k] = 0
        seat["waits"][k] = 0
        if actions[k]["response"] == OFFER:
            partner["my_quantity"] = actions[k]["quantity"]
            partner["my_price"] = actions[k]["price"]
        partner["my_turn"] = 0
