"""Penguin: the rules of the league's PenguinAgent with its defects, and H, which has them mended.

A factory aims at seven items a day: it buys what stock and signed supplies lack of that, and sells as much. Today's
need is split at random over most of its partners, the others are asked for a third of what the next three days need. It
accepts what is for a later day and within that day's need; of the offers for today those that come nearest to the need.
It takes any price: it asks for its best one, and once it has been refused for nearly the worst.

The published agent has defects. A parameter of 1 mends one, with 0 the strategy does what the published agent does;
LitaAgent-H names the first three:

- ``mended_target``: for each later day it promises the same stock anew, and a day's target that is not bought yet.
  Mended it sells what stock and signed supplies cover by the world's stock rule, all days together.
- ``mended_guard``: what it asks of the books of today it asks of the world's first days, so that from the third day on
  it takes no offer to buy of it today.
- ``mended_third_day``: whether it may sell more for the third day from today depends on the books of the second one.
- ``mended_excess``: where each of today's offers is larger than its need, it accepts all of them.
- ``mended_price``: its counter-offer to a supplier has a fraction in its price, which negmas takes for no offer, and so
  the negotiation ends.

Source: scml-agents, ``scml2024/standard/team_penguin/penguinagent.py``. Other than there, partners that are not chosen
at random come in the order of their numbers, there in the order of a set of names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scml_gym.jit.arrays import copy_line, scratch_bits, scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.simulator.strategies import accept, end
from scml_gym.standard.rules import prices_with, spare_inputs
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.distribution import distribute, shuffle, stream_of
from scml_gym.standard.strategies.market import BOTH_BOOKS, SALE, SUPPLY, days_ahead, offer, price_at
from scml_gym.standard.strategies.material import sellable_of_kept_stock
from scml_gym.standard.view import BOOK_DAYS, MAX_PARTNERS, MAX_PER_LEVEL, NOOP, ActionArray, StandardView

RULES = {
    "today": 0.7,  # fraction of the partners that are asked for items of today
    "over": 0.1,  # fraction of the lines by which today's offers may exceed the need
    "mended_third_day": 0.0,
    "mended_excess": 0.0,
    "mended_price": 0.0,
}
"""Of `trade`, which other strategies share."""

PARAMETERS = RULES | {
    "productivity": 0.7,  # fraction of the lines that a day is to make
    "mended_target": 0.0,
    "mended_guard": 0.0,
    "target_alone": 0.0,  # 1: it sells a day's target whatever is in stock, as LitaAgent-H does
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)

MENDED = {"mended_target": 1.0, "mended_guard": 1.0, "mended_third_day": 1.0}
"""The three defects that LitaAgent-H is about."""

ALL_MENDED = MENDED | {"mended_excess": 1.0, "mended_price": 1.0}

FUTURE_DAYS = 3
"""Days ahead that it makes offers for: a third of what each of them needs."""


@jittable
def write_needs(view: StandardView, parameters: np.void, needs: np.ndarray) -> None:
    """Write the items to be bought, and sold, by side and by days from today, float64 ``(BOTH_BOOKS,)``."""
    target = parameters["productivity"] * view["lines"]
    made = min(float(view["lines"]), target + (view["stock"] if parameters["target_alone"] < 1.0 else 0))
    for ahead in range(BOOK_DAYS):
        needs[ahead] = target - view["stock"] - view["supplies"][ahead]
        needs[BOOK_DAYS + ahead] = max(0.0, made - view["sales"][ahead])
    if parameters["mended_target"] >= 1.0:
        write_coverable(view, needs)


@jittable
def write_coverable(view: StandardView, needs: np.ndarray) -> None:
    """Write the sales that stock and signed supplies can still cover, as `write_needs`; each by itself by the physical
    rule, and all days together by the league's."""
    spare = scratch_integers(BOOK_DAYS)
    if view["physical"] == 0:
        sellable_of_kept_stock(view, view["supplies"], view["sales"], spare)
        for ahead in range(BOOK_DAYS):
            needs[BOOK_DAYS + ahead] = spare[ahead]
        return
    spare_inputs(view, view["supplies"], view["sales"], spare)
    least = spare[BOOK_DAYS - 1]
    for ahead in range(BOOK_DAYS - 1, -1, -1):
        least = min(least, spare[ahead])
        free = view["lines"] - view["sales"][ahead]
        if ahead == 0:
            free -= view["exogenous_sales"]
        needs[BOOK_DAYS + ahead] = max(0, min(least, free))


@jittable
def count_off(view: StandardView, joint: bool, needs: np.ndarray, side: int, ahead: int, quantity: int) -> None:
    """Count promised items off the needs; jointly, what is sold for a day is there for no other day by the physical
    rule."""
    needs[side * BOOK_DAYS + ahead] -= quantity
    if joint and side == SALE and view["physical"] != 0:
        for other in range(BOOK_DAYS):
            if other != ahead:
                needs[BOOK_DAYS + other] -= quantity


@jittable
def closed_today(view: StandardView) -> bool:
    """Whether no sale for today is taken, as published: the answer to "not too much is sold today", 0 or 1, is the day
    of the world whose sales are asked for."""
    ahead = int(view["sales"][0] <= view["lines"]) - view["day"]
    return ahead < 0 or view["sales"][ahead] == 0


@jittable
def counter_price(view: StandardView, parameters: np.void, side: int, k: int) -> int:
    """The price of a counter-offer for today; -1 where it is a fraction."""
    low, high = prices_with(view, k)
    price = max(0.7 * high, float(low)) if side == SALE else min(1.2 * low, float(high))
    if price != int(price) and parameters["mended_price"] < 1.0:
        return -1
    return int(price)


@jittable
def ask_later(
    view: StandardView,
    parameters: np.void,
    joint: bool,
    stream: np.ndarray,
    side: int,
    n: int,
    asked: np.ndarray,
    needs: np.ndarray,
    actions: ActionArray,
) -> None:
    """Offer the first ``n`` partners a third of what the next days need: half of them, then three, then two tenths."""
    shares, stop = scratch_integers(MAX_PER_LEVEL), 0
    for ahead in range(1, FUTURE_DAYS + 1):
        start, looked_at = stop, ahead
        stop = n
        if ahead == 1:
            stop = int(0.5 * n)
        elif ahead == 2:
            stop = int(0.8 * n)
        if ahead > days_ahead(view) or stop == start:
            continue
        if ahead == FUTURE_DAYS and parameters["mended_third_day"] < 1.0:
            looked_at = FUTURE_DAYS - 1
        if side == SALE and view["sales"][looked_at] > view["lines"]:
            continue
        quantity = int(needs[side * BOOK_DAYS + ahead] / FUTURE_DAYS)
        if quantity <= 0:
            continue
        distribute(stream, quantity, stop - start, view["max_quantity"], False, False, False, shares)
        for i in range(stop - start):
            k = asked[start + i]
            if shares[i] > 0 and view["partners"][k]["my_turn"] != 0:
                offer(actions, k, shares[i], view["day"] + ahead, price_at(view, k, 1.0))
                if joint:
                    count_off(view, joint, needs, side, ahead, shares[i])


@jittable
def ask(
    view: StandardView,
    parameters: np.void,
    joint: bool,
    stream: np.ndarray,
    side: int,
    opens: bool,
    needs: np.ndarray,
    actions: ActionArray,
) -> None:
    """Offer partners without an answer what today needs, and those who get none of it what later days need.

    As published, those whose negotiation of today is over get a share too, which nobody sees.
    """
    asked, order = scratch_integers(MAX_PER_LEVEL), scratch_integers(MAX_PER_LEVEL)
    shares, given = scratch_integers(MAX_PER_LEVEL), scratch_integers(MAX_PARTNERS)
    n, quantity = 0, int(needs[side * BOOK_DAYS])
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        if view["partners"][k]["exists"] != 0 and actions[k]["response"] == NOOP:
            asked[n] = order[n] = k
            n += 1
    if n > 0 and quantity > 0 and (side == SUPPLY or view["sales"][0] <= view["lines"]):
        shuffle(stream, n, order)
        n_today = min(n, max(1, int(parameters["today"] * n)))
        distribute(stream, quantity, n_today, view["max_quantity"], False, False, False, shares)
        for i in range(n_today):
            given[order[i]] = shares[i]
    n_later = 0
    for i in range(n):
        k = asked[i]
        share: Any = given[k]
        if share == 0:
            asked[n_later] = k
            n_later += 1
        elif view["partners"][k]["my_turn"] != 0:
            price = price_at(view, k, 1.0) if opens else counter_price(view, parameters, side, k)
            if price < 0:
                end(actions, k)
                continue
            offer(actions, k, share, view["day"], price)
            if joint:
                count_off(view, joint, needs, side, 0, share)
    ask_later(view, parameters, joint, stream, side, n_later, asked, needs, actions)


@jittable
def accept_later(view: StandardView, joint: bool, side: int, left: np.ndarray, actions: ActionArray) -> None:
    """Accept the offers for later days that are within what is left of the need of their day, one after the other."""
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        partner = view["partners"][k]
        ahead, quantity = partner["offer_day"] - view["day"], partner["offer_quantity"]
        if partner["my_turn"] == 0 or quantity == 0 or ahead == 0:
            continue
        if quantity <= int(left[side * BOOK_DAYS + ahead]):
            accept(actions, k)
            count_off(view, joint, left, side, ahead, quantity)


@jittable
def nearest(view: StandardView, parameters: np.void, need: int, n: int, asked: np.ndarray) -> int:
    """The offers for today that come nearest to a need: at most a little above it, else below it.

    Args:
        view: What the factory sees.
        parameters: Of the strategy.
        need: Items, 1 or more.
        n: Partners with such an offer.
        asked: Who they are.

    Returns:
        A bit for each of them, the first one's the highest; 0 for none. Of equally near ones the fewest.
    """
    above, below = 0, 0
    above_key, below_key = 1 << 40, 1 << 40
    for chosen in range((1 << n) - 1, 0, -1):
        offered, size = 0, 0
        for i in range(n):
            if chosen >> (n - 1 - i) & 1:
                offered += view["partners"][asked[i]]["offer_quantity"]
                size += 1
        key = abs(offered - need) * MAX_PARTNERS + size
        if offered >= need and key < above_key:
            above, above_key = chosen, key
        elif offered < need and key < below_key:
            below, below_key = chosen, key
    if above > 0 and above_key // MAX_PARTNERS <= parameters["over"] * view["lines"]:
        return above
    if below > 0 or parameters["mended_excess"] >= 1.0:
        return below
    return (1 << n) - 1


@jittable
def accept_today(
    view: StandardView,
    parameters: np.void,
    joint: bool,
    side: int,
    asked: np.ndarray,
    left: np.ndarray,
    actions: ActionArray,
) -> int:
    """Accept the nearest offers for today, if any are. Returns how many others there are, who are in ``asked`` then; -1
    where none is accepted."""
    n, need = 0, int(left[side * BOOK_DAYS])
    for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
        partner = view["partners"][k]
        if partner["my_turn"] != 0 and partner["offer_quantity"] > 0 and partner["offer_day"] == view["day"]:
            asked[n] = k
            n += 1
    if n == 0 or need <= 0:
        return -1
    chosen, n_others = nearest(view, parameters, need, n, asked), 0
    if chosen == 0:
        return -1
    for i in range(n):
        k = asked[i]
        if chosen >> (n - 1 - i) & 1:
            accept(actions, k)
            count_off(view, joint, left, side, 0, view["partners"][k]["offer_quantity"])
        else:
            asked[n_others] = k
            n_others += 1
    return n_others


@jittable
def trade(
    view: StandardView,
    parameters: np.void,
    closed: bool,
    joint: bool,
    stream: np.ndarray,
    needs: np.ndarray,
    actions: ActionArray,
) -> None:
    """Answer everybody by Penguin's rules, suppliers first; what is left without an answer ends.

    A decision without any standing offer opens the day's negotiations.

    Args:
        view: What the factory sees.
        parameters: A record with `RULES`.
        closed: Whether no sale for today is taken.
        joint: Whether what this decision promises is counted off the needs; else only what it accepts for a day is
            counted off what it may accept more for it.
        stream: Of random numbers.
        needs: Items by side and by days from today, float64 ``(BOTH_BOOKS,)``, changed.
        actions: Receive the answers.
    """
    opens, asked, left = True, scratch_integers(MAX_PER_LEVEL), scratch_floats(BOTH_BOOKS)
    for k in range(MAX_PARTNERS):
        if view["partners"][k]["my_turn"] != 0 and view["partners"][k]["offer_quantity"] > 0:
            opens = False
    copy_line(needs, left)
    for side in range(2):
        n_others = -1
        if not opens:
            accept_later(view, joint, side, left, actions)
            if side == SUPPLY or not closed:
                n_others = accept_today(view, parameters, joint, side, asked, left, actions)
        if joint:
            copy_line(left, needs)
        if n_others >= 0:
            ask_later(view, parameters, joint, stream, side, n_others, asked, needs, actions)
        else:
            ask(view, parameters, joint, stream, side, opens, needs, actions)
        if joint:
            copy_line(needs, left)
    for k in range(MAX_PARTNERS):
        if view["partners"][k]["my_turn"] != 0 and actions[k]["response"] == NOOP:
            end(actions, k)


@jittable
def decide(view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Trade up to the target of each day."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    stream, needs = scratch_bits(1), scratch_floats(BOTH_BOOKS)
    stream_of(draws, stream)
    write_needs(view, parameters, needs)
    closed = parameters["mended_guard"] < 1.0 and closed_today(view)
    trade(view, parameters, closed, parameters["mended_target"] >= 1.0, stream, needs, actions)


PENGUIN = Strategy(
    "penguin",
    decide,
    PARAMETERS,
    summary="aims at seven items a day at any price, with the defects of the league's PenguinAgent",
    n_draws=1,
)
H = replace(
    PENGUIN,
    name="lita-h",
    parameters=PARAMETERS | MENDED,
    summary="penguin with its three defects mended (as LitaAgent-H)",
)
P = replace(
    PENGUIN,
    name="lita-p",
    parameters=PARAMETERS | ALL_MENDED,
    summary="penguin with all its defects mended (as LitaAgent-P, a port)",
)
