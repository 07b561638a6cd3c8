"""What Y and YR do alike: they open negotiations, answer consumers, and keep the books of what they answer.

Every answer that can become a contract is put into the books at once, so what is planned for the next partner counts
it: accepted or offered, as if it were agreed.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.simulator.strategies import accept, end
from scml_gym.standard.strategies.distribution import distribute, shuffle
from scml_gym.standard.strategies.forerunners.manager import Books, Plan, write_plan, write_room
from scml_gym.standard.strategies.forerunners.memory import COUNTED
from scml_gym.standard.strategies.forerunners.prices import (
    NO_PRICE,
    adapted_margin,
    aspiration_price,
    counter_price,
    opening_price,
    sale_floor,
)
from scml_gym.standard.strategies.market import SUPPLY, days_ahead, offer
from scml_gym.standard.view import BOOK_DAYS, MAX_PARTNERS, MAX_PER_LEVEL, ActionArray, StandardView, is_consumer

SHARED_PARAMETERS = {
    "margin": 0.10,  # over cost, that sales must bring, before adaptation
    "tight": 0.07,  # more of it where less than a fifth of a day's lines is free
    "cheap": 0.70,  # of the market price: up to there inputs are bought that no plan needs, before adaptation
    "today": 1.0,  # fraction of the partners that are asked for today at first, the others for tomorrow
    "exponent": 1.5,  # concession on price by relative time to this power
    "low": 0.4,  # of what the next 5 days need: a stock below it is low
    "high": 1.5,  # a stock above it is high
    "cash": 0.75,  # fraction of the balance that purchases may bind
    "mended_stock": 1.0,  # 1: the plan is made for the world's stock rule; 0: the public one
    "mended_penalty": 1.0,  # 1: prices are compared with the shortfall in money; 0: with its factor
    "mended_accepts": 1.0,  # 1: what is too large is countered; 0: accepted where a part of it is wanted
    "mended_optional": 1.0,  # 1: what no plan needs is bought within its limit; 0: where half an item of it is free
    "mended_cash": 1.0,  # 1: purchases keep to the fraction of the balance; 0: no limit is looked at
}
"""What Y and YR share, with Y's defaults."""


@jittable
def replan(view: StandardView, memory: np.ndarray, parameters: np.void, books: Books, plan: Plan) -> None:
    """Plan anew by the books as they are now."""
    write_plan(view, books, memory[COUNTED], parameters["mended_stock"] >= 0.5, 0.0, plan)


@jittable
def free_cash(view: StandardView, parameters: np.void, books: Books) -> float:
    """Money that purchases may still bind: a part of the balance, less what is booked."""
    if parameters["mended_cash"] < 0.5:
        return np.inf
    money = parameters["cash"] * view["balance"] - view["exogenous_supply"] * view["exogenous_supply_price"]
    for ahead in range(BOOK_DAYS):
        money -= view["supplies_cost"][ahead]
        money -= (books.supplies[ahead] - view["supplies"][ahead]) * view["max_input_price"]
    return max(money, 0.0)


@jittable
def affordable(cash: float, quantity: int, price: int) -> int:
    """So many of the items as the money is enough for."""
    return quantity if cash >= quantity * price else int(cash / max(price, 1))


@jittable
def standing_offers(view: StandardView, side: int, order: np.ndarray) -> int:
    """List the partners of a side that have made an offer and wait for an answer, best paid first, with their count."""
    n = 0
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        if view["partners"][k]["my_turn"] == 0 or view["partners"][k]["offer_quantity"] == 0:
            continue
        price, j = view["partners"][k]["offer_price"], n
        while j > 0 and _is_better(side, price, view["partners"][order[j - 1]]["offer_price"]):
            order[j] = order[j - 1]
            j -= 1
        order[j] = k
        n += 1
    return n


@jittable
def _is_better(side: int, price: int, other: int) -> bool:
    return price < other if side == SUPPLY else price > other


@jittable
def to_open(view: StandardView, side: int, order: np.ndarray) -> int:
    """List the partners of a side that wait for a first offer, with their count."""
    n = 0
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        if view["partners"][k]["my_turn"] != 0 and view["partners"][k]["offer_quantity"] == 0:
            order[n] = k
            n += 1
    return n


@jittable
def open_side(
    view: StandardView,
    memory: np.ndarray,
    parameters: np.void,
    side: int,
    totals: tuple[int, int],
    margin: float,
    stream: np.ndarray,
    books: Books,
    actions: ActionArray,
) -> None:
    """Make first offers: items for today are distributed at random over most partners, those for tomorrow over the
    others, one item each at least while there are enough. Whom nothing is left for is let go.

    Args:
        view: What the factory sees.
        memory: Of prices.
        parameters: The strategy's.
        side: ``SUPPLY`` or ``SALE``.
        totals: Items of today and of tomorrow.
        margin: Over cost, that sales bring.
        stream: Of random numbers.
        books: Receive what is offered.
        actions: Receive the offers.
    """
    order, shares = scratch_integers(MAX_PER_LEVEL), scratch_integers(MAX_PER_LEVEL)
    n = to_open(view, side, order)
    if n == 0:
        return
    shuffle(stream, n, order)
    n_today = min(n, max(1, int(parameters["today"] * n)))
    for ahead in range(2):
        first, count = (0, n_today) if ahead == 0 else (n_today, n - n_today)
        if count == 0:
            continue
        total = totals[ahead] if ahead <= days_ahead(view) else 0
        distribute(stream, total, count, view["max_quantity"], False, False, False, shares)
        for i in range(count):
            k = order[first + i]
            price = opening_price(view, memory, k, margin, parameters["tight"], books.sales[ahead])
            if shares[i] < view["min_quantity"] or price == NO_PRICE:
                end(actions, k)
            else:
                promise(view, k, shares[i], ahead, price, books, actions)


@jittable
def open_purchases(
    view: StandardView,
    memory: np.ndarray,
    parameters: np.void,
    wanted: float,
    stream: np.ndarray,
    books: Books,
    plan: Plan,
    actions: ActionArray,
) -> None:
    """Ask suppliers for so many items at first, and for what tomorrow lacks where not all are asked for today.

    Args:
        view: What the factory sees.
        memory: Of prices.
        parameters: The strategy's.
        wanted: Items of today.
        stream: Of random numbers.
        books: Receive what is offered.
        plan: Of the books.
        actions: Receive the offers.
    """
    cash, price, tomorrow = free_cash(view, parameters, books), view["min_input_price"], 0
    today = affordable(cash, int(wanted + 0.5), price)
    if parameters["today"] < 1.0:
        tomorrow = affordable(cash, int(1.2 * plan.later[1] + 0.5), price)
    open_side(view, memory, parameters, SUPPLY, (today, tomorrow), 0.0, stream, books, actions)


@jittable
def promise(
    view: StandardView, k: int, quantity: int, ahead: int, price: int, books: Books, actions: ActionArray
) -> None:
    """Offer, and put it into the books."""
    offer(actions, k, quantity, view["day"] + ahead, price)
    if is_consumer(k):
        books.sales[ahead] += quantity
    else:
        books.supplies[ahead] += quantity


@jittable
def take(view: StandardView, k: int, books: Books, actions: ActionArray) -> None:
    """Accept, and put it into the books."""
    accept(actions, k)
    partner = view["partners"][k]
    book = books.sales if is_consumer(k) else books.supplies
    book[partner["offer_day"] - view["day"]] += partner["offer_quantity"]


@jittable
def answer_consumers(
    view: StandardView,
    memory: np.ndarray,
    parameters: np.void,
    aspiring: bool,
    stream: np.ndarray,
    books: Books,
    plan: Plan,
    actions: ActionArray,
) -> None:
    """Sell what the lines can still make at cost and margin or more; counter what is too large or too cheap.

    Args:
        view: What the factory sees.
        memory: Of prices and partners.
        parameters: The strategy's.
        aspiring: Whether counter-offers have the aspiration price of YR.
        stream: Of random numbers.
        books: Receive what is promised.
        plan: Of the books, written anew.
        actions: Receive the answers.
    """
    replan(view, memory, parameters, books, plan)
    mended = parameters["mended_stock"] >= 0.5
    margin = adapted_margin(view, memory, parameters["margin"], plan)
    order = scratch_integers(MAX_PARTNERS)
    n = standing_offers(view, 1, order)
    for i in range(n):
        k, partner = order[i], view["partners"][order[i]]
        ahead, quantity = int(partner["offer_day"] - view["day"]), partner["offer_quantity"]
        floor = sale_floor(view, memory, margin, parameters["tight"], books.sales[ahead])
        room = plan.room[ahead]
        if room < view["min_quantity"]:
            end(actions, k)
            continue
        if partner["offer_price"] >= floor and quantity <= room:
            take(view, k, books, actions)
        elif partner["offer_price"] >= floor:
            promise(view, k, room, ahead, partner["offer_price"], books, actions)
        else:
            _ask_for_more(view, memory, parameters, aspiring, k, min(quantity, room), floor, books, plan, actions)
        if mended:
            write_room(view, books, plan.room)
        else:
            replan(view, memory, parameters, books, plan)
    # finished goods, of which there are none, are what the public code opens with
    totals = (plan.room[0], plan.room[1]) if mended else (0, 0)
    open_side(view, memory, parameters, 1, totals, margin, stream, books, actions)


@jittable
def _ask_for_more(
    view: StandardView,
    memory: np.ndarray,
    parameters: np.void,
    aspiring: bool,
    k: int,
    quantity: int,
    floor: float,
    books: Books,
    plan: Plan,
    actions: ActionArray,
) -> None:
    """Counter an offer that is too cheap; near the floor ask for more items at a little less, or for a later day."""
    ahead = view["partners"][k]["offer_day"] - view["day"]
    if aspiring:
        price = aspiration_price(view, memory, k, floor)
    else:
        price = counter_price(view, memory, k, floor, parameters["exponent"])
    if price == NO_PRICE:
        end(actions, k)
        return
    more, later = min(int(quantity * 1.25), view["max_quantity"]), ahead + 2
    if price <= floor * 1.03:
        if quantity < more <= plan.room[ahead]:
            quantity, price = more, max(int(price * 0.98), int(np.ceil(floor)), view["min_output_price"])
        elif later <= days_ahead(view) and plan.room[later] >= quantity:
            ahead, price = later, max(int(price * 0.97), int(np.ceil(floor)), view["min_output_price"])
    promise(view, k, quantity, ahead, price, books, actions)
