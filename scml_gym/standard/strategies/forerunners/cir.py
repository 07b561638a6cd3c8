"""CIR: accepts the set of standing offers that saves most shortfall and storage, or counters all of them.

Each set of offers, of suppliers and consumers together, is scored by rolling the days to come forward
(`scml_gym.standard.strategies.forerunners.cir_sets`). The best one is accepted as a whole where it saves enough and its
prices are good enough, by two thresholds that fall from day to day; what is then still lacking is asked of the other
suppliers. Where it saves too little, all are countered for their quantities and days; where the prices are too bad, for
their prices. CIRS has the same rules.

Faults of the public code, each mended and switchable: only what is sold already counts as demand, so that an idle
factory never looks at risk (``mended_demand``: mended, later days are counted on to need the mean of past days, and a
part of the lines at least); the set must hold an offer (``mended_empty``); the plan needs raw material at hand, so that
shortages hide (``mended_shortage``); and the shared ones of the inventory manager (``mended_stock``). It is slow there,
as each of 200 sets copies the inventory manager: here rollouts are compiled, and the number of sets is ``steps``.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_bits, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.once import compiled_once
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.simulator.strategies import end
from scml_gym.standard.rules import prices_with
from scml_gym.standard.safety.limits import put
from scml_gym.standard.safety.rolling import CERTAIN, NONE, Contracts, contracts_in
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.distribution import distribute, stream_of
from scml_gym.standard.strategies.forerunners.cir_sets import (
    NUMBERS,
    TRIED,
    choose_set,
    cost_of,
    profit_of,
    put_pending,
    put_set,
)
from scml_gym.standard.strategies.forerunners.manager import (
    PLAN_NUMBERS,
    Books,
    Plan,
    count_stock,
    open_books,
    plan_in,
    write_plan,
    write_room,
)
from scml_gym.standard.strategies.forerunners.trading import promise, standing_offers, take, to_open
from scml_gym.standard.strategies.market import SALE, days_ahead, is_first_level
from scml_gym.standard.view import (
    BOOK_DAYS,
    MAX_PARTNERS,
    MAX_PER_LEVEL,
    NOOP,
    ActionArray,
    StandardView,
    is_consumer,
)

PARAMETERS = {
    "norm": 0.5,  # the saving from which a set is accepted, on a scale where 0.5 is none; it falls from day to day
    "profit": -0.2,  # the same of its prices: 1 where all are the best, -1 where all are the worst
    "patience": 0.98,  # by what both are multiplied from day to day
    "steps": 200.0,  # of the search for a set among more than 7 offers
    "demand": 0.3,  # fraction of the lines that later days are counted on to need at least, but on the first level
    "pressure": 50.0,  # items in stock from which a buyer concedes no more, and beyond which a seller does
    "mended_demand": 1.0,  # 1: later days are counted on to need something; 0: what is sold already alone
    "mended_empty": 1.0,  # 1: no offer may be accepted; 0: the best set of one at least is judged
    "mended_shortage": 1.0,  # 1: what lacks material is asked for; 0: only what has material is planned
    "mended_stock": 1.0,  # 1: the plan is made for the world's stock rule; 0: the public one
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)

COUNTED, OVER, STARTED, USED, DAYS, ASKED = range(6)
"""State: the stock that the public manager counts; by which fraction more is asked for at first, and whether that is
set; items due on the days so far, and how many days these are; items of supply that were asked for today."""

FIRST_OVER, MOST_OVER = 0.1, 0.5

MOST_STEPS = 10_000.0
"""Of the search for a set, whatever is asked for."""


@jittable
def expected_demand(view: StandardView, memory: np.ndarray, parameters: np.void) -> float:
    """Items that each later day is counted on to need."""
    if parameters["mended_demand"] < 0.5 or is_first_level(view):
        return 0.0
    mean = memory[USED] / memory[DAYS] if memory[DAYS] >= 1.0 else 0.0
    return min(max(mean, parameters["demand"] * view["lines"]), float(view["lines"]))


@jittable
def plan_again(
    view: StandardView, memory: np.ndarray, parameters: np.void, expected: float, books: Books, plan: Plan
) -> None:
    """Plan by the books as they are now."""
    write_plan(view, books, memory[COUNTED], parameters["mended_stock"] >= 0.5, expected, plan)
    if parameters["mended_shortage"] < 0.5:
        plan.lack[:] = 0
        plan.later[:] = 0


@jittable
def counter(
    view: StandardView,
    parameters: np.void,
    k: int,
    for_stock: bool,
    for_price: bool,
    expected: float,
    contracts: Contracts,
    books: Books,
    plan: Plan,
    actions: ActionArray,
) -> None:
    """Counter the standing offer of partner ``k``.

    For stock more is asked for where more is wanted, else less, for the day before or after where that costs less. The
    price starts from the partner's end of the range for stock, from the own end for the price, and from the middle for
    both; half of the way to the partner's price is gone, and a part of what is left by time and by pressure.

    Args:
        view: What the factory sees.
        parameters: The strategy's.
        k: The partner.
        for_stock: Whether quantity and day are to be better.
        for_price: Whether the price is.
        expected: Demand of later days.
        contracts: Those that are certain.
        books: Receive what is offered.
        plan: Of the books before it.
        actions: Receive the answer.
    """
    partner, side = view["partners"][k], int(is_consumer(k))
    ahead, quantity = partner["offer_day"] - view["day"], partner["offer_quantity"]
    wanted = plan.room[ahead] if side == SALE else plan.later[ahead]
    if for_stock and (side == SALE or wanted > quantity):
        quantity = min(int(quantity * 1.2 + 0.5), wanted)
    elif for_stock:
        quantity = int(quantity * 0.8)
    quantity = int(min(quantity, wanted, view["max_quantity"]))
    if quantity < view["min_quantity"]:
        end(actions, k)
        return
    moved = False
    if for_stock:
        day = better_day(view, k, quantity, expected, contracts, plan)
        moved, ahead = day != ahead, day
    low, high = prices_with(view, k)
    own, theirs = (float(high), float(low)) if side == SALE else (float(low), float(high))
    target = (own + theirs) / 2.0
    if for_stock != for_price:
        target = theirs if for_stock else own
    price, at_ease = (target + partner["offer_price"]) / 2.0, max(parameters["pressure"], 1.0)
    if side == SALE:
        pressure = min(max(plan.room[0] / at_ease - 1.0, 0.0), 1.0)
    else:
        pressure = max(1.0 - view["stock"] / at_ease, 0.0)
    price += (theirs - price) * (partner["relative_time"] ** 1.5 + pressure) * 0.05
    if moved:
        price += (theirs - price) * 0.02
    whole = int(min(max(price, float(low)), float(high)) + 0.5)
    promise(view, k, quantity, ahead, whole, books, actions)


@jittable
def better_day(view: StandardView, k: int, quantity: int, expected: float, contracts: Contracts, plan: Plan) -> int:
    """The day, from today, that costs least for a contract with partner ``k``: its offer's, or one beside it."""
    partner, side = view["partners"][k], int(is_consumer(k))
    offered = partner["offer_day"] - view["day"]
    best, least = offered, np.inf
    for off in (0, -1, 1):
        ahead = offered + off
        if not 0 <= ahead <= days_ahead(view) or (side == SALE and plan.room[ahead] < quantity):
            continue
        put(contracts, TRIED, CERTAIN, side, ahead, quantity, partner["offer_price"])
        cost = cost_of(view, expected, contracts)
        if cost < least:
            best, least = ahead, cost
    contracts.kind[TRIED] = NONE
    return best


@jittable
def open_first(
    view: StandardView,
    memory: np.ndarray,
    side: int,
    stream: np.ndarray,
    books: Books,
    plan: Plan,
    actions: ActionArray,
) -> None:
    """Make first offers at the best price for tomorrow and the day after in turn: of supplies what is lacking, and a
    fraction more; of sales what can be made."""
    order, shares = scratch_integers(MAX_PER_LEVEL), scratch_integers(MAX_PER_LEVEL)
    n = to_open(view, side, order)
    if n == 0:
        return
    lacking = int(plan.later[0] * (1.0 + memory[OVER]) + 0.5)
    for turn in range(2):
        ahead = min(1 + turn, days_ahead(view))
        count = (n + 1 - turn) // 2
        if count == 0:
            continue
        total = plan.room[ahead]
        if side != SALE:
            total = lacking * count // n if turn == 0 else lacking
            lacking -= total
            memory[ASKED] += total
        distribute(stream, total, count, view["max_quantity"], False, False, False, shares)
        for i in range(count):
            k = order[2 * i + turn]
            low, high = prices_with(view, k)
            if shares[i] < view["min_quantity"]:
                end(actions, k)
            else:
                promise(view, k, shares[i], ahead, high if side == SALE else low, books, actions)
        if side == SALE:
            write_room(view, books, plan.room)


@jittable
def ask_for_lacking(
    view: StandardView, offers: np.ndarray, n: int, books: Books, plan: Plan, actions: ActionArray
) -> None:
    """Ask suppliers without an answer for what is still lacking, first days first, at their prices' middle."""
    ahead, left = 0, plan.lack[0]
    for i in range(n):
        k = offers[i]
        if is_consumer(k) or actions[k]["response"] != NOOP:
            continue
        while left == 0 and ahead < days_ahead(view):
            ahead += 1
            left = plan.lack[ahead]
        if left < view["min_quantity"]:
            end(actions, k)
            continue
        low, price = view["min_input_price"], view["partners"][k]["offer_price"]
        quantity = min(left, view["max_quantity"])
        promise(view, k, quantity, ahead, (low + price) // 2, books, actions)
        left -= quantity


@jittable
def respond(
    view: StandardView, memory: np.ndarray, parameters: np.void, stream: np.ndarray, actions: ActionArray
) -> None:
    """Answer standing offers, then make first offers."""
    contracts = contracts_in(scratch_integers(NUMBERS))
    books = Books(scratch_integers(BOOK_DAYS), scratch_integers(BOOK_DAYS))
    plan = plan_in(scratch_integers(PLAN_NUMBERS))
    expected = expected_demand(view, memory, parameters)
    open_books(view, books)
    put_pending(view, contracts)
    offers, some = scratch_integers(MAX_PARTNERS), scratch_integers(MAX_PARTNERS)
    n = 0
    for side in range(2):
        for i in range(standing_offers(view, side, some)):
            offers[n] = some[i]
            n += 1
    if n > 0:
        answer_standing(view, memory, parameters, expected, offers, n, stream, contracts, books, plan, actions)
    for side in range(2):
        plan_again(view, memory, parameters, expected, books, plan)
        open_first(view, memory, side, stream, books, plan, actions)


@jittable
def answer_standing(
    view: StandardView,
    memory: np.ndarray,
    parameters: np.void,
    expected: float,
    offers: np.ndarray,
    n: int,
    stream: np.ndarray,
    contracts: Contracts,
    books: Books,
    plan: Plan,
    actions: ActionArray,
) -> None:
    """Accept the best set, or counter all."""
    empty, steps = parameters["mended_empty"] >= 0.5, int(min(parameters["steps"], MOST_STEPS))
    chosen, norm = choose_set(view, expected, steps, empty, stream, offers, n, contracts)
    waiting = parameters["patience"] ** view["day"]
    for_stock = norm <= parameters["norm"] * waiting
    for_price = profit_of(view, offers, n, chosen) <= parameters["profit"] * waiting
    taken = 0 if for_stock or for_price else chosen
    put_set(view, offers, n, taken, contracts)
    for i in range(n):
        if (taken >> i) & 1:
            take(view, offers[i], books, actions)
    plan_again(view, memory, parameters, expected, books, plan)
    if not for_stock and not for_price:
        ask_for_lacking(view, offers, n, books, plan, actions)
        for_stock = for_price = True  # of consumers, whose offers the set leaves out
    for i in range(n):
        if actions[offers[i]]["response"] == NOOP:
            plan_again(view, memory, parameters, expected, books, plan)
            counter(view, parameters, offers[i], for_stock, for_price, expected, contracts, books, plan, actions)


compiled_respond = compiled_once(respond)
"""Compiled for both worlds: in Python a decision would take seconds."""


@jittable
def decide(view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Answer everyone; see `respond`."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    stream = scratch_bits(1)
    stream_of(draws, stream)
    if state[STARTED] == 0.0:
        state[STARTED], state[OVER] = 1.0, FIRST_OVER
    if view["decision"] == 0:
        state[ASKED] = 0.0
    compiled_respond(view, state, parameters, stream, actions)


@jittable
def learn(view: StandardView, state: np.ndarray, params: np.ndarray) -> None:
    """At the end of a day: count what was due, and ask for more at first where too little was closed."""
    due = view["sales"][0] + view["exogenous_sales"]
    state[USED] += due
    state[DAYS] += 1.0
    state[COUNTED] = count_stock(view, state[COUNTED])
    closed = 0
    for k in range(MAX_PER_LEVEL):
        closed += view["partners"][k]["agreed_quantity"]
    if state[ASKED] > 0.0:
        if closed < 0.7 * state[ASKED]:
            state[OVER] += 0.02
        elif closed > 1.2 * state[ASKED]:
            state[OVER] -= 0.01
        state[OVER] = min(max(state[OVER], 0.0), MOST_OVER)


CIR = Strategy(
    "lita-cir",
    decide,
    PARAMETERS,
    6,
    learn=learn,
    summary="accepts the set of offers that saves most, by rolling the days forward (as LitaAgent-CIR)",
    n_draws=1,
)
