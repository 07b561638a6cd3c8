"""Players in compiled form: when a factory is asked, what it is shown, and what becomes of its answers.

As the adapters of scml's simulation (scml_gym/simulator/adapters.py); when a synchronous player waits is in
scml_gym/simulator/compiled/synchronous.py. A player that is decided from outside stops the world (``ASK``): when its
answers have been given, the same negotiation asks again and finds them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from scml_gym.game.calls import call_decide, call_learn
from scml_gym.jit.compile import jittable
from scml_gym.jit.random import draws_key, fill_part
from scml_gym.simulator.compiled.alternating_offers import ASK, NOOP, OFFER, SELLER, WAIT
from scml_gym.simulator.compiled.layout import ASYNCHRONOUS, EXTERNAL
from scml_gym.simulator.compiled.synchronous import give_answer, keep_answer, must_wait


class Track(NamedTuple):
    """What differs between the tracks: what an offer is about, and where it is shown. All functions are jittable.

    Attributes:
        clear_partner: ``(partner)``: the view's record of a partner shows nothing of an earlier negotiation.
        clear_actions: ``(actions)``: all answers are no-ops.
        repair: ``(view, actions) -> int``: makes answers playable, in place; how many were not.
        put_offer: ``(negotiation, action)``: an answer's offer is the standing one.
        show_offer: ``(partner, negotiation)``: the standing offer, which there is, in the view of who answers it.
        show_answer: ``(partner, action)``: an answer, no no-op, in the view of who gave it.
        book: ``(view, k, negotiation)``: the agreement on the standing offer in the view of each side, whose partner
            ``k`` it is with.
        record: ``(world, negotiation)``: the agreement as a contract of the world.
    """

    clear_partner: Callable[..., None]
    clear_actions: Callable[..., None]
    repair: Callable[..., int]
    put_offer: Callable[..., None]
    show_offer: Callable[..., None]
    show_answer: Callable[..., None]
    book: Callable[..., None]
    record: Callable[..., None]


class Players(NamedTuple):
    """How the players of a track are asked; see `compile_players`.

    Attributes:
        next_answer: ``(world, negotiation) -> int``: the response of the factory whose move is next; if it offers, its
            offer stands there now.
        show_turn: ``(world, factory, k, negotiation)``: shows a partner's standing offer, which is to be answered.
        propose: ``(world, factory)``: puts what the factory's strategy would answer into the world's array of actions.
        answer: ``(world, factory)``: checks the answers in the world's array of actions, shows them in the factory's
            view, and keeps them until its negotiations ask for them.
    """

    next_answer: Callable[..., int]
    show_turn: Callable[..., None]
    propose: Callable[..., None]
    answer: Callable[..., None]


@jittable
def let_players_learn(world: np.void) -> None:
    """A day's negotiations are over: no answer is asked for, and strategies learn from how each one ended."""
    views = world["views"]
    for factory in range(world["n_factories"]):
        player, view = world["players"][factory], views[factory]
        for k in range(player["most_partners"]):
            view["partners"][k]["my_turn"] = 0
        call_learn(player, views.ctypes.data + factory * views.itemsize, player["state"])


def compile_players(track: Track) -> Players:
    """How the players of a track are asked, as jittable functions."""
    clear_actions, repair, put_offer = track.clear_actions, track.repair, track.put_offer
    show_offer, show_answer = track.show_offer, track.show_answer

    @jittable
    def show_turn(world: np.void, factory: int, k: int, negotiation: np.void) -> None:
        view = world["views"][factory]
        partner = view["partners"][k]
        if negotiation["offer_quantity"] > 0:
            show_offer(partner, negotiation)
        partner["step"] = negotiation["step"]
        partner["relative_time"] = (negotiation["step"] + 1) / (view["n_rounds"] + 1)
        partner["my_turn"] = 1

    @jittable
    def show_due(world: np.void, factory: int, first: bool) -> None:
        """Show a synchronous player what it decides on: all running negotiations where it makes its ``first`` offers,
        else those whose offers are in."""
        view, player = world["views"][factory], world["players"][factory]
        for k in range(player["most_partners"]):
            if (view["partners"][k]["running"] if first else player["offer_in"][k]) != 0:
                show_turn(world, factory, k, world["negotiations"][player["negotiation_with"][k]])

    @jittable
    def propose(world: np.void, factory: int) -> None:
        view, player = world["views"][factory], world["players"][factory]
        if player["n_draws"] > 0:
            key = draws_key(player["seed"], view["factory"], view["day"], view["decision"])
            fill_part(key, 0, player["n_draws"], world["draws"])
        ask(world, factory)

    @jittable
    def propose_to(world: np.void, factory: int, k: int) -> None:
        """`propose` where only partner ``k`` is to be answered."""
        view, player, n_answers = world["views"][factory], world["players"][factory], len(world["actions"])
        if player["n_draws"] > 0:
            key = draws_key(player["seed"], view["factory"], view["day"], view["decision"])
            of_partners = player["partner_draws"] * n_answers
            for i in range(k, of_partners, n_answers):
                fill_part(key, i, i + 1, world["draws"])
            fill_part(key, of_partners, player["n_draws"], world["draws"])
        ask(world, factory)

    @jittable
    def ask(world: np.void, factory: int) -> None:
        """Have a factory's strategy decide; its draws are made."""
        views, player, actions = world["views"], world["players"][factory], world["actions"]
        clear_actions(actions)
        address = views.ctypes.data + factory * views.itemsize
        call_decide(player, address, player["state"], world["draws"].ctypes.data, actions.ctypes.data)

    @jittable
    def check(world: np.void, factory: int) -> None:
        """Make the answers in the world's array of actions playable, and count them as a decision."""
        view, player = world["views"][factory], world["players"][factory]
        player["invalid"] += repair(view, world["actions"])
        player["decisions"] += 1
        view["decision"] += 1

    @jittable
    def decide_one(world: np.void, factory: int, k: int, negotiation: np.void) -> int:
        """The answer of an asynchronous factory in one negotiation, given at once."""
        show_turn(world, factory, k, negotiation)
        propose_to(world, factory, k)
        check(world, factory)
        partner, action = world["views"][factory]["partners"][k], world["actions"][k]
        partner["my_turn"] = 0
        show_answer(partner, action)
        if action["response"] == OFFER:
            put_offer(negotiation, action)
        return action["response"]

    @jittable
    def answer(world: np.void, factory: int) -> None:
        check(world, factory)
        view, player, actions = world["views"][factory], world["players"][factory], world["actions"]
        world["pending"][factory] = 0
        for k in range(player["most_partners"]):
            partner = view["partners"][k]
            keep_answer(player, k, actions[k])
            if actions[k]["response"] != NOOP:
                show_answer(partner, actions[k])
            partner["my_turn"] = 0

    @jittable
    def next_answer(world: np.void, negotiation: np.void) -> int:
        sells = negotiation["turn"] == SELLER
        factory: Any = np.int64(negotiation["seller"] if sells else negotiation["buyer"])
        k: Any = np.int64(negotiation["consumer"] if sells else negotiation["supplier"])
        player = world["players"][factory]
        if player["kind"] == ASYNCHRONOUS:
            return decide_one(world, factory, k, negotiation)
        if player["answers"][k]["response"] == NOOP:
            if player["kind"] == EXTERNAL and world["one_by_one"] != 0:
                show_turn(world, factory, k, negotiation)
            elif negotiation["offer_quantity"] > 0 and must_wait(player, k):
                return WAIT
            else:
                show_due(world, factory, negotiation["offer_quantity"] == 0)
            if player["kind"] == EXTERNAL:
                world["pending"][factory] = 1
                return ASK
            propose(world, factory)
            answer(world, factory)
        response = give_answer(player, k)
        if response == OFFER:
            put_offer(negotiation, player["answers"][k])
        return response

    return Players(next_answer, show_turn, propose, answer)
