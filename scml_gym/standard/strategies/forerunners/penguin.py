"""P and N: the rules of PenguinAgent (2024), in the forerunners' port and with their inventory manager.

On each day a share of the lines, 7 of 10, should be bought and sold. First offers ask for today's need of most partners
at random, at the best price, and of the others for a third of the needs of the next three days. Answers take every
offer for a later day within that day's need, and of today's the set that comes nearest to the need; else today's need
is asked for once more, at about the worst price. P is Penguin's port. N needs what the inventory manager says: it buys
1.1 times what its plan lacks, and sells what it can make.

The three faults of Penguin, each mended in P and switchable: it sells what it has not bought yet, and the same stock
for every day (``mended_target``); a misplaced bracket closes sales of today from the third day on (``mended_guard``);
and what is sold three days ahead is judged by the day before (``mended_third_day``). With all three at 0, P is the
public PenguinAgent. N's are those of the inventory manager (``mended_stock``).

Source: scml-agents, scml2024/standard/team_penguin.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_bits, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.simulator.strategies import accept, end
from scml_gym.standard.rules import prices_with
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.distribution import distribute, shuffle
from scml_gym.standard.strategies.forerunners.manager import (
    Books,
    Plan,
    count_stock,
    open_books,
    write_plan,
    write_room,
)
from scml_gym.standard.strategies.forerunners.trading import stream_of
from scml_gym.standard.strategies.market import BOTH_BOOKS, SALE, days_ahead, offer
from scml_gym.standard.view import BOOK_DAYS, MAX_PER_LEVEL, NOOP, ActionArray, StandardView

RULES = {
    "today": 0.7,  # fraction of the partners that are asked for items of today
    "over": 0.1,  # fraction of the lines by which the set accepted may be above the need
}
PENGUIN_PARAMETERS = RULES | {
    "productivity": 0.7,  # fraction of the lines that should be bought and sold on each day
    "mended_target": 1.0,  # 1: sells what it can make; 0: what it will buy too, and stock for each day anew
    "mended_guard": 1.0,  # 1: sales of today are taken on every day; 0: on the first two days at most
    "mended_third_day": 1.0,  # 1: the third day's sales are judged by its own lines; 0: by those of the day before
}
N_PARAMETERS = RULES | {
    "order": 1.1,  # of what the plan lacks, so many times as much is bought
    "mended_stock": 1.0,  # 1: the plan is made for the world's stock rule; 0: the public one
}
PENGUIN_DTYPE, N_DTYPE = parameters_dtype(PENGUIN_PARAMETERS), parameters_dtype(N_PARAMETERS)

FUTURE = 3
"""Days ahead that are asked for."""


@jittable
def penguin_needs(view: StandardView, parameters: np.void, needs: np.ndarray) -> None:
    """Write what P needs by side and days from today, int64 ``(BOTH_BOOKS,)``."""
    target = view["lines"] * parameters["productivity"]
    books = Books(scratch_integers(BOOK_DAYS), scratch_integers(BOOK_DAYS))
    room = scratch_integers(BOOK_DAYS)
    open_books(view, books)
    write_room(view, books, room)
    for ahead in range(BOOK_DAYS):
        needs[ahead] = int(target - view["stock"] - view["supplies"][ahead])
        if parameters["mended_target"] >= 0.5:
            needs[BOOK_DAYS + ahead] = room[ahead]
        else:
            wanted = min(float(view["lines"]), target + view["stock"]) - view["sales"][ahead]
            needs[BOOK_DAYS + ahead] = int(max(0.0, wanted))


@jittable
def may_sell_today(view: StandardView) -> bool:
    """Whether the guard of the public code lets a sale of today through: it looks at the sales of day 0 or 1."""
    guarded = int(view["sales"][0] <= view["lines"]) - view["day"]
    return guarded >= 0 and view["sales"][guarded] > 0


@jittable
def ask_for_later(
    view: StandardView,
    asked: np.ndarray,
    n: int,
    side: int,
    needs: np.ndarray,
    own_day: bool,
    stream: np.ndarray,
    actions: ActionArray,
) -> None:
    """Ask half of some partners for a third of tomorrow's need, and the others for a third of the two days' after it;
    whoever is asked for nothing is let go.

    Args:
        view: What the factory sees.
        asked: Indices of the partners.
        n: How many they are.
        side: ``SUPPLY`` or ``SALE``.
        needs: By side and days from today.
        own_day: Whether the third day's sales are judged by its own lines.
        stream: Of random numbers.
        actions: Receive the offers.
    """
    starts = (0, int(n * 0.5), int(n * 0.8), n)
    shares = scratch_integers(MAX_PER_LEVEL)
    for ahead in range(1, FUTURE + 1):
        first, count = starts[ahead - 1], starts[ahead] - starts[ahead - 1]
        if count == 0:
            continue
        need = int(needs[side * BOOK_DAYS + ahead] / 3)
        judged = ahead - 1 if ahead == FUTURE and not own_day else ahead
        if ahead > days_ahead(view) or (side == SALE and view["sales"][judged] > view["lines"]):
            need = 0
        distribute(stream, max(need, 0), count, view["max_quantity"], False, False, False, shares)
        for i in range(count):
            k = asked[first + i]
            if shares[i] < view["min_quantity"]:
                end(actions, k)
                continue
            low, high = prices_with(view, k)
            offer(actions, k, shares[i], view["day"] + ahead, high if side == SALE else low)


@jittable
def ask(
    view: StandardView,
    today: float,
    side: int,
    needs: np.ndarray,
    own_day: bool,
    stream: np.ndarray,
    actions: ActionArray,
) -> None:
    """Ask the partners of a side that have no answer yet: some at random for what today needs, the others for later."""
    left, order, shares = (
        scratch_integers(MAX_PER_LEVEL),
        scratch_integers(MAX_PER_LEVEL),
        scratch_integers(MAX_PER_LEVEL),
    )
    n = 0
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        if view["partners"][k]["my_turn"] != 0 and actions[k]["response"] == NOOP:
            order[n] = k
            n += 1
    if n == 0:
        return
    need = needs[side * BOOK_DAYS]
    if need > 0 and not (side == SALE and view["sales"][0] > view["lines"]):
        shuffle(stream, n, order)
        n_today = max(1, int(today * n))
        distribute(stream, need, n_today, view["max_quantity"], False, False, False, shares)
        for i in range(n_today):
            if shares[i] >= view["min_quantity"]:
                offer(actions, order[i], shares[i], view["day"], price_today(view, order[i], side))
    n = 0
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        if view["partners"][k]["my_turn"] != 0 and actions[k]["response"] == NOOP:
            left[n] = k
            n += 1
    ask_for_later(view, left, n, side, needs, own_day, stream, actions)


@jittable
def price_today(view: StandardView, k: int, side: int) -> int:
    """The price at which items of today are asked for: the best one at first, then about the worst."""
    low, high = prices_with(view, k)
    if view["partners"][k]["offer_quantity"] == 0:
        return high if side == SALE else low
    return max(int(high * 0.7), low) if side == SALE else min(int(low * 1.2), high)


@jittable
def take_later(view: StandardView, side: int, needs: np.ndarray, actions: ActionArray) -> None:
    """Accept every offer for a later day that its need has room for."""
    taken = scratch_integers(BOOK_DAYS)
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        partner = view["partners"][k]
        ahead, quantity = partner["offer_day"] - view["day"], partner["offer_quantity"]
        if partner["my_turn"] == 0 or quantity == 0 or ahead == 0:
            continue
        if quantity + taken[ahead] <= needs[side * BOOK_DAYS + ahead]:
            taken[ahead] += quantity
            accept(actions, k)


@jittable
def take_nearest(view: StandardView, side: int, need: int, over: float, actions: ActionArray) -> bool:
    """Accept the set of today's offers that comes nearest to the need: above it by a fraction of the lines at most,
    else below it. Returns whether there is one."""
    if need <= 0:
        return False
    found, n = scratch_integers(MAX_PER_LEVEL), 0
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        partner = view["partners"][k]
        if partner["my_turn"] != 0 and partner["offer_quantity"] > 0 and partner["offer_day"] == view["day"]:
            found[n] = k
            n += 1
    above, below, most, least = 0, 0, 0, 0
    for mask in range(1, 1 << n):
        total = 0
        for i in range(n):
            if (mask >> i) & 1:
                total += view["partners"][found[i]]["offer_quantity"]
        if total >= need and (above == 0 or total < most):
            above, most = mask, total
        elif total < need and total > least:
            below, least = mask, total
    chosen = above if above != 0 and most - need <= over * view["lines"] else below
    for i in range(n):
        if (chosen >> i) & 1:
            accept(actions, found[i])
    return chosen != 0


@jittable
def trade(
    view: StandardView,
    today: float,
    over: float,
    needs: np.ndarray,
    guarded: bool,
    own_day: bool,
    stream: np.ndarray,
    actions: ActionArray,
) -> None:
    """Answer everyone by Penguin's rules.

    Args:
        view: What the factory sees.
        today: Fraction of the partners that are asked for items of today.
        over: Fraction of the lines by which the set accepted may be above the need.
        needs: By side and days from today.
        guarded: Whether no sale of today is taken.
        own_day: Whether the third day's sales are judged by its own lines.
        stream: Of random numbers.
        actions: Receive the answers.
    """
    for side in range(2):
        take_later(view, side, needs, actions)
        need = 0 if side == SALE and guarded else needs[side * BOOK_DAYS]
        if not take_nearest(view, side, need, over, actions):
            ask(view, today, side, needs, own_day, stream, actions)
            continue
        others, n = scratch_integers(MAX_PER_LEVEL), 0
        for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
            partner = view["partners"][k]
            if partner["my_turn"] == 0 or actions[k]["response"] != NOOP:
                continue
            if partner["offer_quantity"] > 0 and partner["offer_day"] == view["day"]:
                others[n] = k
                n += 1
            else:
                end(actions, k)
        ask_for_later(view, others, n, side, needs, own_day, stream, actions)


@jittable
def decide_penguin(
    view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
) -> None:
    """P: needs by a target for each day."""
    parameters = record_of(params, PENGUIN_DTYPE, 0)
    needs, stream = scratch_integers(BOTH_BOOKS), scratch_bits(1)
    stream_of(draws, stream)
    penguin_needs(view, parameters, needs)
    guarded = parameters["mended_guard"] < 0.5 and not may_sell_today(view)
    own_day = parameters["mended_third_day"] >= 0.5
    trade(view, parameters["today"], parameters["over"], needs, guarded, own_day, stream, actions)


@jittable
def decide_n(
    view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
) -> None:
    """N: needs by the inventory manager."""
    parameters = record_of(params, N_DTYPE, 0)
    needs, stream = scratch_integers(BOTH_BOOKS), scratch_bits(1)
    stream_of(draws, stream)
    books = Books(scratch_integers(BOOK_DAYS), scratch_integers(BOOK_DAYS))
    plan = Plan(
        scratch_integers(BOOK_DAYS),
        scratch_integers(BOOK_DAYS),
        scratch_integers(BOOK_DAYS),
        scratch_integers(BOOK_DAYS),
        scratch_integers(BOOK_DAYS),
    )
    open_books(view, books)
    write_plan(view, books, state[0], parameters["mended_stock"] >= 0.5, 0.0, plan)
    for ahead in range(BOOK_DAYS):
        needs[ahead] = int(parameters["order"] * plan.lack[ahead] + 0.5)
        needs[BOOK_DAYS + ahead] = plan.room[ahead]
    trade(view, parameters["today"], parameters["over"], needs, False, True, stream, actions)


@jittable
def learn_n(view: StandardView, state: np.ndarray, params: np.ndarray) -> None:
    """At the end of a day: count the stock as the public manager does."""
    state[0] = count_stock(view, state[0], min(view["lines"], view["sales"][0] + view["exogenous_sales"]))


P = Strategy(
    "lita-p",
    decide_penguin,
    PENGUIN_PARAMETERS,
    summary="a share of the lines is bought and sold each day, the set nearest to it is accepted (as PenguinAgent)",
    n_draws=1,
)
N = Strategy(
    "lita-n",
    decide_n,
    N_PARAMETERS,
    1,
    learn=learn_n,
    summary="lita-p with what its inventory manager lacks and can make as needs (as LitaAgent-N)",
    n_draws=1,
)
