"""The negotiations of a day in compiled form, one set of rules for all tracks: passes, time-outs, agreements.

A world's negotiations are a list in order of their making, each between a seller and a buyer, one of whom opens. All
that run are stepped once a pass in that order (negmas/situated/world.py, ``_step_negotiations``; negmas 0.16.0), and an
agreement is seen by both factories at once. The protocol of one negotiation is in
scml_gym/simulator/compiled/alternating_offers.py, who is asked in scml_gym/simulator/compiled/players.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.simulator.compiled.alternating_offers import (
    AGREED,
    ASK,
    BUYER,
    ENDED,
    GOES_ON,
    SELLER,
    open_negotiation,
    take_answer,
)
from scml_gym.simulator.compiled.layout import EXTERNAL, NO_NEGOTIATION
from scml_gym.simulator.compiled.players import Players, Track
from scml_gym.simulator.compiled.synchronous import close_one, open_all, open_one


@jittable
def forget_negotiations(world: np.void) -> None:
    """Before the first day: nobody negotiates with anybody; the world's number of factories is set."""
    world["n_negotiations"] = world["running"] = world["listed"] = world["cursor"] = world["kept"] = 0
    for factory in range(world["n_factories"]):
        player, partners = world["players"][factory], world["views"][factory]["partners"]
        player["most_partners"] = 0
        for k in range(len(partners)):
            player["negotiation_with"][k] = NO_NEGOTIATION
            partner = partners[k]
            partner["exists"] = partner["running"] = partner["my_turn"] = partner["step"] = 0
            partner["relative_time"] = 0.0


@jittable
def add_negotiation(world: np.void, seller: int, buyer: int, consumer: int, supplier: int, opener: int) -> None:
    """Two factories negotiate every day, after all pairs that were added before.

    Args:
        world: After `forget_negotiations`.
        seller: Index of a factory, like ``buyer``.
        buyer: Of another one.
        consumer: The partner index of the buyer in the seller's view.
        supplier: The partner index of the seller in the buyer's view.
        opener: ``SELLER`` or ``BUYER``: who makes the first offer.
    """
    i = world["n_negotiations"]
    negotiation = world["negotiations"][i]
    negotiation["seller"], negotiation["buyer"] = seller, buyer
    negotiation["consumer"], negotiation["supplier"] = consumer, supplier
    negotiation["opener"] = opener
    _add_partner(world, seller, consumer, i)
    _add_partner(world, buyer, supplier, i)
    world["n_negotiations"] = i + 1


@jittable
def _add_partner(world: np.void, factory: int, k: int, i: int) -> None:
    player = world["players"][factory]
    player["negotiation_with"][k] = i
    player["most_partners"] = max(player["most_partners"], k + 1)
    world["views"][factory]["partners"][k]["exists"] = 1


class Negotiations(NamedTuple):
    """How the negotiations of a track run; see `compile_negotiations`.

    Attributes:
        open_day: ``(world)``: all negotiations stand at their start; those of bankrupt factories do not take place.
        run_pass: ``(world) -> bool``: steps each running negotiation once; False where an external factory must decide
            before the pass can go on.
        look: ``(world) -> bool``: in "moves" timing: shows the external factories the negotiations between two passes;
            True where one must decide. As `MovesAdapter.look` in scml_gym/simulator/external.py.
    """

    open_day: Callable[..., None]
    run_pass: Callable[..., bool]
    look: Callable[..., bool]


@jittable
def note_nothing(world: np.void, negotiation: np.void, response: int) -> None:
    """An answer in a world that cannot be recorded."""


def compile_negotiations(
    track: Track, players: Players, note: Callable[[np.void, np.void, int], None] = note_nothing
) -> Negotiations:
    """How the negotiations of a track run, as jittable functions.

    Args:
        track: What is its own.
        players: How its players are asked.
        note: ``(world, negotiation, response)``, jittable: told of every answer before it has its effect; if it is an
            offer, that stands there already. By default nobody is.
    """
    clear_partner, book, record = track.clear_partner, track.book, track.record
    next_answer, show_turn = players.next_answer, players.show_turn

    @jittable
    def open_partner(world: np.void, factory: int, k: int, running: int) -> None:
        view, player = world["views"][factory], world["players"][factory]
        partner = view["partners"][k]
        clear_partner(partner)
        partner["my_turn"] = partner["step"] = 0
        partner["running"] = running
        partner["relative_time"] = running / (view["n_rounds"] + 1)
        open_one(player, k, running)
        player["negotiations"] += running

    @jittable
    def open_day(world: np.void) -> None:
        players = world["players"]
        for factory in range(world["n_factories"]):
            open_all(players[factory])
        listed = 0
        for i in range(world["n_negotiations"]):
            negotiation = world["negotiations"][i]
            seller, buyer = negotiation["seller"], negotiation["buyer"]
            running = 1 if players[seller]["bankrupt"] == 0 and players[buyer]["bankrupt"] == 0 else 0
            open_negotiation(negotiation, running)
            open_partner(world, seller, negotiation["consumer"], running)
            open_partner(world, buyer, negotiation["supplier"], running)
            world["order"][listed] = i
            listed += running
        world["running"] = world["listed"] = listed
        world["cursor"] = world["kept"] = 0

    @jittable
    def forget(world: np.void, factory: int, k: int) -> None:
        world["views"][factory]["partners"][k]["running"] = 0
        close_one(world["players"][factory], k)

    @jittable
    def end(world: np.void, negotiation: np.void) -> None:
        """A negotiation is over; its two players forget it."""
        negotiation["running"] = 0
        world["running"] -= 1
        forget(world, negotiation["seller"], negotiation["consumer"])
        forget(world, negotiation["buyer"], negotiation["supplier"])

    @jittable
    def agree(world: np.void, negotiation: np.void) -> None:
        """The standing offer becomes a contract, which both factories' views show at once."""
        seller, buyer = negotiation["seller"], negotiation["buyer"]
        record(world, negotiation)
        book(world["views"][seller], negotiation["consumer"], negotiation)
        book(world["views"][buyer], negotiation["supplier"], negotiation)
        world["players"][seller]["agreements"] += 1
        world["players"][buyer]["agreements"] += 1
        end(world, negotiation)

    @jittable
    def step_negotiation(world: np.void, negotiation: np.void) -> bool:
        """A round, or a move in "moves" timing, from where it stopped; False where an external factory must decide."""
        if negotiation["step"] >= world["views"][0]["n_rounds"]:
            end(world, negotiation)
            return True
        while True:
            response = next_answer(world, negotiation)
            if response == ASK:
                return False
            note(world, negotiation, response)
            became = take_answer(negotiation, response, world["moves"] != 0, world["n_factories"])
            if became == GOES_ON:
                continue
            if became == AGREED:
                agree(world, negotiation)
            elif became == ENDED:
                end(world, negotiation)
            return True

    @jittable
    def run_pass(world: np.void) -> bool:
        order, kept = world["order"], world["kept"]
        for place in range(world["cursor"], world["listed"]):
            i = order[place]
            negotiation = world["negotiations"][i]
            if not step_negotiation(world, negotiation):
                world["cursor"], world["kept"] = place, kept
                return False
            order[kept] = i  # a negotiation ends in its own step only
            kept += negotiation["running"]
        world["listed"] = kept
        world["cursor"] = world["kept"] = 0
        world["passes"] += 1
        return True

    @jittable
    def look(world: np.void) -> bool:
        anyone = False
        for factory in range(world["n_factories"]):
            player, partners = world["players"][factory], world["views"][factory]["partners"]
            if player["kind"] != EXTERNAL:
                continue
            due = False
            for k in range(player["most_partners"]):
                partner = partners[k]
                partner["my_turn"] = 0
                if partner["running"] == 0:
                    continue
                negotiation = world["negotiations"][player["negotiation_with"][k]]
                partner["step"] = negotiation["step"]
                if negotiation["turn"] == (SELLER if negotiation["seller"] == factory else BUYER):
                    show_turn(world, factory, k, negotiation)
                    due = True
            world["pending"][factory] = 1 if due else 0
            anyone = anyone or due
        return anyone

    return Negotiations(open_day, run_pass, look)
