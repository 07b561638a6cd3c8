"""The negotiations of a day in compiled form: passes, time-outs, agreements.

All of a day's negotiations are stepped once a pass in the order of their making, buyer by buyer
(negmas/situated/world.py, ``_step_negotiations``; negmas 0.16.0), and an agreement changes both factories' needs at
once. The protocol of one negotiation is in scml_gym/simulator/compiled/alternating_offers.py.
"""

from __future__ import annotations

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.rules import book_agreement
from scml_gym.oneshot.view import BUYER, SELLER
from scml_gym.oneshot.worlds.compiled.layout import EXTERNAL, World
from scml_gym.oneshot.worlds.compiled.players import next_answer, show_offer
from scml_gym.simulator.compiled.alternating_offers import AGREED, ASK, ENDED, GOES_ON, take_answer
from scml_gym.simulator.compiled.synchronous import close_one


@jittable
def run_pass(world: World) -> bool:
    """Step each running negotiation once; False where an external factory must decide before the pass can go on."""
    n_sellers, n_buyers = world["spec"]["n_sellers"], world["spec"]["n_buyers"]
    first = world["cursor"]
    for buyer in range(first // n_sellers, n_buyers):
        if world["players"][n_sellers + buyer]["running"] == 0:
            continue
        for seller in range(first % n_sellers if buyer == first // n_sellers else 0, n_sellers):
            if world["negotiations"][buyer][seller]["running"] != 0 and not step_negotiation(world, buyer, seller):
                world["cursor"] = buyer * n_sellers + seller
                return False
    world["cursor"] = 0
    world["passes"] += 1
    return True


@jittable
def step_negotiation(world: World, buyer: int, seller: int) -> bool:
    """A round, or a move in "moves" timing, from where it stopped; False where an external factory must decide."""
    negotiation = world["negotiations"][buyer][seller]
    if negotiation["step"] >= world["views"][0]["n_rounds"]:
        end(world, buyer, seller)
        return True
    most_waits = world["spec"]["n_sellers"] + world["spec"]["n_buyers"]
    while True:
        response = next_answer(world, buyer, seller, negotiation["turn"])
        if response == ASK:
            return False
        became = take_answer(negotiation, response, world["moves"] != 0, most_waits)
        if became == GOES_ON:
            continue
        if became == AGREED:
            agree(world, buyer, seller)
        elif became == ENDED:
            end(world, buyer, seller)
        return True


@jittable
def agree(world: World, buyer: int, seller: int) -> None:
    """The standing offer becomes a contract, which both factories' views show at once."""
    negotiation = world["negotiations"][buyer][seller]
    quantity, price = negotiation["offer_quantity"], negotiation["offer_price"]
    buying = world["spec"]["n_sellers"] + buyer
    contract = world["contracts"][world["n_contracts"]]
    contract["day"] = world["day"]
    contract["seller"], contract["buyer"] = seller, buying
    contract["quantity"], contract["price"] = quantity, price
    world["n_contracts"] += 1
    _book(world, seller, buyer, quantity, price)
    _book(world, buying, seller, quantity, price)
    end(world, buyer, seller)


@jittable
def _book(world: World, factory: int, partner: int, quantity: int, price: int) -> None:
    book_agreement(world["views"][factory], partner, quantity, price)
    world["players"][factory]["agreements"] += 1


@jittable
def end(world: World, buyer: int, seller: int) -> None:
    """A negotiation is over; its two players forget it."""
    world["negotiations"][buyer][seller]["running"] = 0
    world["running"] -= 1
    _forget(world, seller, buyer)
    _forget(world, world["spec"]["n_sellers"] + buyer, seller)


@jittable
def _forget(world: World, factory: int, partner: int) -> None:
    world["views"][factory]["partners"][partner]["running"] = 0
    close_one(world["players"][factory], partner)


@jittable
def look(world: World) -> bool:
    """In "moves" timing: show the external factories the negotiations between two passes; True where one must decide.

    As `MovesAdapter.look` in scml_gym/simulator/external.py.
    """
    n_sellers, n_buyers = world["spec"]["n_sellers"], world["spec"]["n_buyers"]
    anyone = False
    for factory in range(n_sellers + n_buyers):
        if world["players"][factory]["kind"] != EXTERNAL:
            continue
        level = SELLER if factory < n_sellers else BUYER
        view = world["views"][factory]
        due = False
        for k in range(view["n_partners"]):
            partner = view["partners"][k]
            partner["my_turn"] = 0
            if partner["running"] == 0:
                continue
            buyer, seller = (k, factory) if level == SELLER else (factory - n_sellers, k)
            negotiation = world["negotiations"][buyer][seller]
            partner["step"] = negotiation["step"]
            if negotiation["turn"] == level:
                show_offer(world, factory, k, negotiation)
                due = True
        world["pending"][factory] = 1 if due else 0
        anyone = anyone or due
    return anyone
