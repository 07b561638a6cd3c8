"""YR and YS: Y with one purchase in two passes, over the parts of the plan that nothing covers.

In the first pass standing offers are accepted, cheapest first: within what is needed today, on a later day or at all,
each exceeded by a factor. In the second the cheaper half of the other suppliers, by the partner model's reservation
prices, are asked for what is still missing, at a price that falls from the best one to the limit as time passes. The
factors rise where few of the last 5 days' supply negotiations succeeded, and fall where most did. All else is Y's.

YS is YR with other factors. (The public class of YS is named YR too.)

Faults of the public code, each mended and switchable: those of Y (`scml_gym.standard.strategies.forerunners.y`), and
``WAIT`` as an answer to suppliers whom it does not want: a synchronous factory then stands still with that partner
until time is over. Mended it ends the negotiation; with ``mended_waits`` of 0 it repeats its last offer to that partner
for as long as the negotiation lasts. Its settings are shared and changed by all agents of a process there: a strategy
remembers for its own factory alone, and this cannot be switched.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scml_gym.jit.arrays import scratch_bits, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.simulator.strategies import end
from scml_gym.standard.rules import prices_with
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.distribution import stream_of
from scml_gym.standard.strategies.forerunners.manager import (
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
    PLANNED,
    URGENT,
    begin_day,
    keep_offers,
    remember,
    reservation_price,
    sale_price,
    supply_success,
)
from scml_gym.standard.strategies.forerunners.prices import aspiration_price, cheap_price, worth_of_missing
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

PARAMETERS = SHARED_PARAMETERS | {
    "exponent": 1.25,
    "urgent": 1.0,  # by this fraction of the need more than what today lacks is bought
    "planned": 0.6,  # likewise for later days
    "optional": 0.9,  # fraction of what is lacking at all that is bought where it is cheap
    "urgent_step": 0.1,  # by so much the first of these rises or falls after a day of few or many agreements
    "planned_step": 0.05,  # likewise the second one
    "most": 3.0,  # that they rise to; they fall to 0 at most
    "mended_waits": 1.0,  # 1: suppliers that are not wanted are let go; 0: they are kept waiting
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)

URGENT_NEED, PLANNED_NEED, OPTIONAL_NEED = range(3)
"""Why a purchase is made."""

STOCK_FACTORS = (1.15, 1.0, 0.9)
"""Of a limit of purchases, by how much there is in stock."""


@jittable
def reason_for(view: StandardView, plan: Plan, ahead: int) -> int:
    """Why a purchase for a day would be made."""
    if ahead == 0 and plan.lack[0] > 0:
        return URGENT_NEED
    return PLANNED_NEED if ahead > 0 and plan.later[ahead] > 0 else OPTIONAL_NEED


@jittable
def price_limit(view: StandardView, memory: np.ndarray, parameters: np.void, plan: Plan, ahead: int) -> float:
    """The highest price of a purchase for a day."""
    reason = reason_for(view, plan, ahead)
    if reason == URGENT_NEED:
        return worth_of_missing(view, memory, parameters["mended_penalty"] >= 0.5)
    if reason == OPTIONAL_NEED:
        return cheap_price(view, memory, parameters["cheap"], plan)
    paid = sale_price(view, memory) * (1.0 - parameters["margin"])
    return paid - view["storage_cost"] * view["input_price"] * (ahead - 1)


@jittable
def factor(memory: np.ndarray, parameters: np.void, reason: int) -> float:
    """The factor of a need that may be bought, without that of the stock."""
    if reason == OPTIONAL_NEED:
        return parameters["optional"]
    base, moved = parameters["urgent"], memory[URGENT]
    if reason == PLANNED_NEED:
        base, moved = parameters["planned"], memory[PLANNED]
    return 1.0 + min(max(base + moved, 0.0), parameters["most"])


@jittable
def accept_offers(
    view: StandardView,
    memory: np.ndarray,
    parameters: np.void,
    stock: int,
    order: np.ndarray,
    n: int,
    needs: Plan,
    books: Books,
    plan: Plan,
    actions: ActionArray,
) -> None:
    """The first pass: accept what is within the limits of its need, which were there before any was accepted."""
    taken = scratch_integers(3)
    for i in range(n):
        k, partner = order[i], view["partners"][order[i]]
        ahead, quantity, price = partner["offer_day"] - view["day"], partner["offer_quantity"], partner["offer_price"]
        reason = reason_for(view, needs, ahead)
        needed = needs.lack[0] if reason == URGENT_NEED else needs.later[ahead if reason == PLANNED_NEED else 0]
        limit = needed * factor(memory, parameters, reason) * STOCK_FACTORS[stock] - taken[reason]
        if reason == PLANNED_NEED:
            limit = min(limit, float(plan.later[ahead]))  # what is not covered from that day on
        late = reason == URGENT_NEED and partner["relative_time"] > 0.8
        fits = quantity <= limit
        if reason == OPTIONAL_NEED and parameters["mended_optional"] < 0.5:
            fits = limit >= 0.5
        elif reason != OPTIONAL_NEED and parameters["mended_accepts"] < 0.5:
            fits = limit >= 1.0
        good = price <= price_limit(view, memory, parameters, needs, ahead) * (1.1 if late else 1.0)
        if fits and good and affordable(free_cash(view, parameters, books), quantity, price) == quantity:
            take(view, k, books, actions)
            taken[reason] += quantity
            replan(view, memory, parameters, books, plan)


@jittable
def cheaper_half(view: StandardView, memory: np.ndarray, order: np.ndarray, n: int, chosen: np.ndarray) -> int:
    """Put partners into the order of their reservation prices, cheapest first; returns how many are half of them."""
    for i in range(n):
        k = order[i]
        j, price = i, reservation_price(view, memory, k)
        while j > 0 and reservation_price(view, memory, chosen[j - 1]) > price:
            chosen[j] = chosen[j - 1]
            j -= 1
        chosen[j] = k
    return (n + 1) // 2


@jittable
def counter_offers(
    view: StandardView,
    memory: np.ndarray,
    parameters: np.void,
    order: np.ndarray,
    n: int,
    books: Books,
    plan: Plan,
    actions: ActionArray,
) -> None:
    """The second pass: ask the cheaper half of the others for what is still lacking, first days first."""
    others, chosen, n_others = scratch_integers(MAX_PER_LEVEL), scratch_integers(MAX_PER_LEVEL), 0
    for i in range(n):
        if actions[order[i]]["response"] == NOOP:
            others[n_others] = order[i]
            n_others += 1
    n_chosen = cheaper_half(view, memory, others, n_others, chosen)
    for i in range(n_chosen):
        k, ahead = chosen[i], first_lack(view, plan)
        lack = plan.lack[ahead]
        share = min((lack + n_chosen - i - 1) // (n_chosen - i), view["max_quantity"])
        price = aspiration_price(view, memory, k, price_limit(view, memory, parameters, plan, ahead))
        wanted = affordable(free_cash(view, parameters, books), share, price)
        if wanted >= view["min_quantity"]:
            promise(view, k, wanted, ahead, min(price, view["partners"][k]["offer_price"]), books, actions)
            replan(view, memory, parameters, books, plan)
    for i in range(n_others):
        k, partner = others[i], view["partners"][others[i]]
        if actions[k]["response"] != NOOP:
            continue
        low, high = prices_with(view, k)
        if parameters["mended_waits"] < 0.5 and partner["my_quantity"] > 0 and low <= partner["my_price"] <= high:
            promise(
                view, k, partner["my_quantity"], partner["my_day"] - view["day"], partner["my_price"], books, actions
            )
        else:
            end(actions, k)


@jittable
def first_lack(view: StandardView, plan: Plan) -> int:
    """The first day from today on which the plan lacks inputs; today where it lacks none."""
    for ahead in range(min(BOOK_DAYS, view["last_day"] - view["day"] + 1)):
        if plan.lack[ahead] > 0:
            return ahead
    return 0


@jittable
def decide(view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Answer suppliers in two passes; then consumers, by what is bought by then."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    stream, order = scratch_bits(1), scratch_integers(MAX_PER_LEVEL)
    stream_of(draws, stream)
    begin_day(view, state)
    books = Books(scratch_integers(BOOK_DAYS), scratch_integers(BOOK_DAYS))
    needs = plan_in(scratch_integers(PLAN_NUMBERS))
    plan = plan_in(scratch_integers(PLAN_NUMBERS))
    open_books(view, books)
    replan(view, state, parameters, books, needs)
    replan(view, state, parameters, books, plan)
    stock = health(view, needs, parameters["low"], parameters["high"])
    n = standing_offers(view, SUPPLY, order)
    accept_offers(view, state, parameters, stock, order, n, needs, books, plan, actions)
    counter_offers(view, state, parameters, order, n, books, plan, actions)
    wanted = plan.later[0] * factor(state, parameters, PLANNED_NEED)
    open_purchases(view, state, parameters, wanted, stream, books, plan, actions)
    answer_consumers(view, state, parameters, True, stream, books, plan, actions)
    keep_offers(view, state)


@jittable
def learn(view: StandardView, state: np.ndarray, params: np.ndarray) -> None:
    """At the end of a day: see `remember`; move the factors, and count the stock as the public manager does."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    remember(view, state)
    success, way = supply_success(view, state), 0.0
    if success < 0.3:
        way = 1.0
    elif success > 0.7:
        way = -1.0
    most = parameters["most"]
    state[URGENT] += way * parameters["urgent_step"]
    state[PLANNED] += way * parameters["planned_step"]
    state[URGENT] = min(max(state[URGENT], -parameters["urgent"]), most - parameters["urgent"])
    state[PLANNED] = min(max(state[PLANNED], -parameters["planned"]), most - parameters["planned"])
    state[COUNTED] = count_stock(view, state[COUNTED])


YR = Strategy(
    "lita-yr",
    decide,
    PARAMETERS,
    MEMORY_SIZE,
    learn=learn,
    summary="as lita-y, but buys in two passes, with factors that move with success (as LitaAgent-YR)",
    n_draws=1,
)
YS = replace(
    YR,
    name="lita-ys",
    parameters=PARAMETERS
    | {
        "low": 0.5,
        "high": 1.0,
        "urgent": 0.8,
        "planned": 0.4,
        "optional": 1.2,
        "urgent_step": 0.05,
        "most": 2.0,
    },
    summary="lita-yr with more careful factors (as LitaAgent-YS)",
)
