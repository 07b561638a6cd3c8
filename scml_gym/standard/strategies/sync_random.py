"""Sync-random: distribute what is needed today, and on a later day, over the partners at random.

The family of scml's ``SyncRandomStdAgent`` (scml/std/agents/rand.py), which most of the league's factories are. It
takes the offers that it seems to need at a good price, asks some of the others for what is still needed today, and the
rest for what one of the later days needs. In the middle it asks for a full day's lines every day, whatever is in stock:
that is what makes it weak. What later days need is estimated as there: by a target that counts items, not lines.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import copy_line, scratch_bits, scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.jit.random import below, uniform
from scml_gym.simulator.strategies import accept, end
from scml_gym.standard.rules import needed_sales, prices_with
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.distribution import distribute, shuffle, stream_of
from scml_gym.standard.strategies.market import (
    BOTH_BOOKS,
    SALE,
    days_ahead,
    input_prices,
    is_first_level,
    is_last_level,
    offer,
    output_prices,
    price_at,
)
from scml_gym.standard.view import BOOK_DAYS, MAX_PARTNERS, MAX_PER_LEVEL, NOOP, OFFER, ActionArray, StandardView

PARAMETERS = {
    "today_target": 0.3,  # in the middle of the chain: fraction of the lines that today needs at least
    "future_target": 0.3,  # items a day that are reckoned to be bought until a later day, and sold from then on
    "today_concentration": 0.25,  # probability that as few partners as possible are asked for items of today
    "future_concentration": 0.75,  # likewise for items of a later day
    "today_exponent": 2.0,  # of concession on the price of today's offers, by relative time
    "future_exponent": 4.0,  # of concession on the price of later days, by their distance, and of counter-offers
    "reserve": 0.25,  # fraction of a price range that is never conceded, for later days
    "future_partners": 0.15,  # fraction of the partners that are not asked for items of today
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)


@jittable
def estimate_needs(view: StandardView, parameters: np.void, needs: np.ndarray) -> None:
    """Write the items needed by side and by days from today, float64 ``(BOTH_BOOKS,)``, all 0 before."""
    middle = not is_first_level(view) and not is_last_level(view)
    open_sales, least = needed_sales(view), int(view["lines"] * parameters["today_target"]) if middle else 0
    needs[0], needs[BOOK_DAYS] = max(-open_sales, least), max(open_sales, least)
    bought, sold = view["stock"] + view["supplies"][0], 0
    for ahead in range(1, BOOK_DAYS):
        sold += view["sales"][ahead]
    for ahead in range(1, days_ahead(view) + 1):
        left = view["n_days"] - view["day"] - ahead
        bought += view["supplies"][ahead]
        secured = max(parameters["future_target"] * ahead, float(bought + view["exogenous_supply"] * ahead))
        promised = max(parameters["future_target"] * left, float(sold + view["exogenous_sales"] * left))
        sold -= view["sales"][ahead]
        if not is_first_level(view):
            needs[ahead] = max(0.0, promised - secured)
        if not is_last_level(view):
            needs[BOOK_DAYS + ahead] = max(0.0, secured - promised)


@jittable
def conceded(selling: bool, low: float, high: float, reserve: float, time: float, exponent: float) -> int:
    """The price to be content with: the best one at time 0, at time 1 the worst one but for the reserve."""
    kept, given = reserve * (high - low), time**exponent
    if selling:
        return int(min(max(low + kept, int(0.5 + high - (high - low - kept) * given)), high) + 0.5)
    return int(max(min(high - kept, int(0.5 + low + (high - low - kept) * given)), low) + 0.5)


@jittable
def profitable_prices(view: StandardView, side: int) -> tuple[float, float]:
    """The lowest and the highest price of a side at which inputs cost no more than outputs bring."""
    lowest_input, highest_input = input_prices(view)
    lowest_output, highest_output = output_prices(view)
    if side == SALE:
        return float(max(lowest_output, highest_input)), float(highest_output)
    return float(lowest_input), float(min(highest_input, lowest_output))


@jittable
def take_offers(view: StandardView, parameters: np.void, needs: np.ndarray, actions: ActionArray) -> None:
    """Accept standing offers of less than their day needs, at a good price, and count them off the needs."""
    days_left = max(view["n_days"] - view["day"], 1)
    for side in range(2):
        low, high = profitable_prices(view, side)
        if low > high:
            continue
        for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
            partner = view["partners"][k]
            if partner["my_turn"] == 0 or partner["offer_quantity"] == 0:
                continue
            ahead = partner["offer_day"] - view["day"]
            if partner["offer_quantity"] >= int(needs[side * BOOK_DAYS + ahead]):
                continue
            if ahead == 0:
                price = conceded(side == SALE, low, high, 0.0, partner["relative_time"], parameters["today_exponent"])
            else:
                time = ahead / days_left
                price = conceded(side == SALE, low, high, parameters["reserve"], time, parameters["future_exponent"])
            if partner["offer_price"] >= price if side == SALE else partner["offer_price"] <= price:
                needs[side * BOOK_DAYS + ahead] -= partner["offer_quantity"]
                accept(actions, k)


@jittable
def ask_for_today(
    view: StandardView, parameters: np.void, stream: np.ndarray, n: int, order: np.ndarray, actions: ActionArray
) -> None:
    """Offer today's needs to the first partners of a random order; ``n`` partners are in it."""
    asked, shares = scratch_integers(MAX_PARTNERS), scratch_integers(MAX_PARTNERS)
    middle = not is_first_level(view) and not is_last_level(view)
    n_today = min(n, max(1, int((1.0 - parameters["future_partners"]) * n)))
    for side in range(2):
        quantity = needed_sales(view) if side == SALE else -needed_sales(view)
        if middle:
            quantity = view["lines"]
        n_asked = 0
        for i in range(n_today):
            if order[i] // MAX_PER_LEVEL == side:
                asked[n_asked] = order[i]
                n_asked += 1
        if n_asked == 0 or quantity < 1:
            continue
        concentrated = uniform(stream) < parameters["today_concentration"]
        equal = uniform(stream) > 0.5
        distribute(stream, quantity, n_asked, view["max_quantity"], concentrated, equal, True, shares)
        for i in range(n_asked):
            if shares[i] > 0:
                partner = view["partners"][asked[i]]
                price = price_at(view, asked[i], 1.0)
                if partner["offer_quantity"] > 0:
                    low, high = prices_with(view, asked[i])
                    time, exponent = partner["relative_time"], parameters["future_exponent"]
                    price = conceded(side == SALE, low, high, parameters["reserve"] * side, time, exponent)
                offer(actions, asked[i], max(shares[i], view["min_quantity"]), view["day"], price)


@jittable
def ask_for_later(
    view: StandardView, parameters: np.void, stream: np.ndarray, needs: np.ndarray, actions: ActionArray
) -> None:
    """Offer what one of the later days needs, drawn for each side, to the partners that have no answer yet.

    A need of less than an item counts as a day to be drawn, and then nobody is asked, as in scml.
    """
    left, shares = scratch_integers(MAX_PER_LEVEL), scratch_integers(MAX_PER_LEVEL)
    for side in range(2):
        low, high = profitable_prices(view, side)
        n, n_days = 0, 0
        for k in range(side * MAX_PER_LEVEL, (side + 1) * MAX_PER_LEVEL):
            if view["partners"][k]["my_turn"] != 0 and actions[k]["response"] == NOOP:
                left[n] = k
                n += 1
        for ahead in range(1, days_ahead(view) + 1):
            if needs[side * BOOK_DAYS + ahead] > 0.0:
                n_days += 1
        if low > high or n == 0 or n_days == 0:
            continue
        drawn, ahead = below(stream, n_days), 0
        while drawn >= 0:
            ahead += 1
            if needs[side * BOOK_DAYS + ahead] > 0.0:
                drawn -= 1
        concentrated = uniform(stream) < parameters["future_concentration"]
        equal = uniform(stream) > 0.5
        quantity = int(needs[side * BOOK_DAYS + ahead])
        distribute(stream, quantity, n, view["max_quantity"], concentrated, equal, False, shares)
        time, reserve = 1.0 - ahead / max(view["n_days"] - view["day"], 1), parameters["reserve"] * side
        price = conceded(side == SALE, low, high, reserve, time, parameters["future_exponent"])
        for i in range(n):
            if shares[i] > 0:
                offer(actions, left[i], max(shares[i], view["min_quantity"]), view["day"] + ahead, price)


@jittable
def decide(view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Take good offers; ask most of the others for what today needs, and the rest for what later days need."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    stream = scratch_bits(1)
    stream_of(draws, stream)
    needs, left, order = scratch_floats(BOTH_BOOKS), scratch_floats(BOTH_BOOKS), scratch_integers(MAX_PARTNERS)
    estimate_needs(view, parameters, needs)
    copy_line(needs, left)
    take_offers(view, parameters, left, actions)
    n = 0
    for k in range(MAX_PARTNERS):
        if view["partners"][k]["my_turn"] != 0 and actions[k]["response"] == NOOP:
            order[n] = k
            n += 1
    shuffle(stream, n, order)
    if n > 0:
        ask_for_today(view, parameters, stream, n, order, actions)
        ask_for_later(view, parameters, stream, needs, actions)  # what was accepted just now counts nothing, as in scml
    for i in range(n):
        if actions[order[i]]["response"] != OFFER:
            end(actions, order[i])


SYNC_RANDOM = Strategy(
    "sync-random",
    decide,
    PARAMETERS,
    summary="distributes the needs of today and of later days over partners at random (as SyncRandomStdAgent)",
    n_draws=1,
)
