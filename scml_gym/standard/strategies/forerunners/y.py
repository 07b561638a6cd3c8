"""Y: the first LitaAgent. It buys what its plan lacks by urgency, sells what it can make, and learns its partners.

Purchases for today that the plan lacks are *urgent*: they are taken up to what a missing item costs, cheapest first.
Those for a later day that the plan lacks are *planned*: they are taken where the expected sale pays for them and their
storage. All others are *optional*: they are taken where they are cheap. How much is taken depends on how much there is
in stock. Prices are conceded with time, with the partner's last step, and towards the price that a model of the partner
expects it to take. In the middle of the chain nothing is planned before something is sold, and nothing can be sold
without stock: there it hardly trades.

Faults of the public code, each mended and switchable: prices compared with a factor in place of money
(``mended_penalty``), acceptance of more than is wanted (``mended_accepts``, ``mended_optional``), a cash limit that is
never used (``mended_cash``), a stock that drifts from the world and finished goods that never come (``mended_stock``).
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_bits, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.simulator.strategies import end
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.distribution import stream_of
from scml_gym.standard.strategies.forerunners.manager import (
    HIGH,
    PLAN_NUMBERS,
    Books,
    Plan,
    count_stock,
    health,
    open_books,
    plan_in,
)
from scml_gym.standard.strategies.forerunners.memory import (
    COUNTED,
    MEMORY_SIZE,
    begin_day,
    keep_offers,
    remember,
    sale_price,
)
from scml_gym.standard.strategies.forerunners.prices import cheap_price, counter_price, rounded, worth_of_missing
from scml_gym.standard.strategies.forerunners.trading import (
    SHARED_PARAMETERS,
    affordable,
    answer_consumers,
    free_cash,
    open_purchases,
    promise,
    replan,
    standing_offers,
    take,
)
from scml_gym.standard.strategies.market import SUPPLY
from scml_gym.standard.view import BOOK_DAYS, MAX_PER_LEVEL, NOOP, ActionArray, StandardView

PARAMETERS = SHARED_PARAMETERS
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)

FULL_ROOM = (1.15, 1.0, 0.9)
"""Of what is needed, so many times as much may be bought for it, by how much there is in stock."""
OPTIONAL_ROOM = (1.1, 1.0, 0.1)
"""The same of what is bought because it is cheap."""


@jittable
def room_for(plan: Plan, ahead: int, stock: int) -> int:
    """Items that may be bought for a later day on which the plan lacks some; one more than is lacking fits in, but
    where stock is high."""
    needed = plan.later[ahead]
    room = needed * FULL_ROOM[stock]
    return int(room) if stock == HIGH else int(max(room, 1.02 * needed) + 0.5)


@jittable
def optional_room(view: StandardView, plan: Plan, ahead: int, stock: int) -> float:
    """Items that may be bought for a day because they are cheap, less those that will be left over anyway."""
    needed = plan.later[ahead]
    most = 1.2 * needed if needed > 0 else 0.2 * view["lines"]
    return most * OPTIONAL_ROOM[stock] - plan.left[ahead]


@jittable
def ask_for_missing(view: StandardView, k: int, wanted: int, worth: float, books: Books, actions: ActionArray) -> None:
    """Ask for items of today in place of an offer, below what a missing one costs; where none is wanted, end."""
    if wanted > 0:
        price = min(0.95 * worth, float(view["partners"][k]["offer_price"]))
        promise(view, k, wanted, 0, rounded(view, k, price, 0.0), books, actions)
    else:
        end(actions, k)


@jittable
def answer_urgent(
    view: StandardView,
    memory: np.ndarray,
    parameters: np.void,
    order: np.ndarray,
    n: int,
    books: Books,
    plan: Plan,
    actions: ActionArray,
) -> None:
    """Answer offers of inputs for today while the plan lacks some, cheapest first."""
    worth = worth_of_missing(view, memory, parameters["mended_penalty"] >= 0.5)
    for i in range(n):
        k, partner = order[i], view["partners"][order[i]]
        lack = plan.lack[0]
        if partner["offer_day"] != view["day"] or lack == 0:
            continue
        quantity, price = partner["offer_quantity"], partner["offer_price"]
        limit = worth * (1.1 if partner["relative_time"] > 0.8 else 1.0)
        cash = free_cash(view, parameters, books)
        wanted = affordable(cash, min(quantity, lack), price)
        if price <= limit and (quantity == wanted or (wanted > 0 and parameters["mended_accepts"] < 0.5)):
            take(view, k, books, actions)
        else:
            ask_for_missing(view, k, wanted, worth, books, actions)
        replan(view, memory, parameters, books, plan)


@jittable
def answer_other(
    view: StandardView,
    memory: np.ndarray,
    parameters: np.void,
    k: int,
    stock: int,
    books: Books,
    plan: Plan,
    actions: ActionArray,
) -> None:
    """Answer an offer of inputs that is not urgent: for today what is still lacking is asked for in its place."""
    partner = view["partners"][k]
    ahead, quantity, price = partner["offer_day"] - view["day"], partner["offer_quantity"], partner["offer_price"]
    cash = free_cash(view, parameters, books)
    if plan.lack[0] > 0:
        worth = worth_of_missing(view, memory, parameters["mended_penalty"] >= 0.5)
        wanted = affordable(cash, min(plan.lack[0], view["max_quantity"]), price)
        ask_for_missing(view, k, wanted, worth, books, actions)
        return
    cheap = cheap_price(view, memory, parameters["cheap"], plan)
    if ahead > 0 and plan.later[ahead] > 0:
        paid = sale_price(view, memory) * (1.0 - parameters["margin"])
        limit = paid - view["storage_cost"] * view["input_price"] * (ahead - 1)
        room = float(room_for(plan, ahead, stock))
        whole = parameters["mended_accepts"] >= 0.5
    else:
        limit, room = cheap, optional_room(view, plan, ahead, stock)
        whole = parameters["mended_optional"] >= 0.5
    least = 1.0 if whole else 0.5
    wanted = affordable(cash, min(quantity, int(room)), price)
    if price <= limit and ((quantity == wanted) or (not whole and room >= least)):
        take(view, k, books, actions)
    elif wanted < view["min_quantity"]:
        end(actions, k)
    elif price <= limit:
        promise(view, k, wanted, ahead, price, books, actions)
    else:
        more = min(int(quantity * 1.1), int(room), view["max_quantity"])
        asked = counter_price(view, memory, k, limit, parameters["exponent"])
        more = max(min(more, affordable(cash, more, asked)), view["min_quantity"])
        promise(view, k, more, ahead, min(asked, price), books, actions)


@jittable
def decide(view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Answer suppliers, urgent offers first; then consumers, by what is bought by then."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    stream, order = scratch_bits(1), scratch_integers(MAX_PER_LEVEL)
    stream_of(draws, stream)
    begin_day(view, state)
    books = Books(scratch_integers(BOOK_DAYS), scratch_integers(BOOK_DAYS))
    plan = plan_in(scratch_integers(PLAN_NUMBERS))
    open_books(view, books)
    replan(view, state, parameters, books, plan)
    stock = health(view, plan, parameters["low"], parameters["high"])
    n = standing_offers(view, SUPPLY, order)
    answer_urgent(view, state, parameters, order, n, books, plan, actions)
    for i in range(n):
        if actions[order[i]]["response"] == NOOP:
            answer_other(view, state, parameters, order[i], stock, books, plan, actions)
            replan(view, state, parameters, books, plan)
    open_purchases(view, state, parameters, 1.2 * plan.later[0], stream, books, plan, actions)
    answer_consumers(view, state, parameters, False, stream, books, plan, actions)
    keep_offers(view, state)


@jittable
def learn(view: StandardView, state: np.ndarray, params: np.ndarray) -> None:
    """At the end of a day: see `remember`; and count the stock as the public manager does."""
    remember(view, state)
    state[COUNTED] = count_stock(view, state[COUNTED])


Y = Strategy(
    "lita-y",
    decide,
    PARAMETERS,
    MEMORY_SIZE,
    learn=learn,
    summary="buys what its plan lacks by urgency, sells what it can make, and learns its partners (as LitaAgent-Y)",
    n_draws=1,
)
