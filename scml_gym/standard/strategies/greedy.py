"""Greedy: trade what today needs, or most of the lines on a later day, conceding on price within limits.

The family of scml's ``GreedyStdAgent`` (scml/std/agents/greedy.py). At the first and the last level it trades what its
exogenous contract leaves open, and asks for futures once nothing is open today. In the middle it asks for the same part
of its lines from everyone and never counts what it has agreed for today, so it trades too much. What concession is
limited by: the best price that it took today, the best price ever agreed with the partner, and a range that is always
good enough. Where concession passes today's range, it leaves the partner, as an offer out of range does there.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.simulator.strategies import accept, draw_integer, draw_number, end, falling
from scml_gym.standard.rules import needed_sales, prices_with
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.market import days_ahead, is_first_level, is_last_level, offer
from scml_gym.standard.view import BOOK_DAYS, MAX_PARTNERS, ActionArray, StandardView, is_consumer

PARAMETERS = {
    "target": 0.75,  # fraction of the lines to be traded on a later day, and in the middle of the chain today too
    "future_price": 0.9,  # prices of later days: at least this fraction of the highest; how good they must be
    "exponent_min": 0.2,  # concession curve: each factory draws its exponent from this range, once a world
    "exponent_max": 1.0,
    "range_min": 0.05,  # fraction of the best price within which any price is good enough in the end: drawn likewise
    "range_max": 0.25,
    "slack_min": 0.05,  # fraction by which prices may fall short of the best ones taken today, and of the best ones
    "slack_max": 0.15,  # agreed with the partner: two numbers, drawn likewise
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)

EXPONENT, RANGE, TODAY_SLACK, PARTNER_SLACK, DAY, BEST_SOLD, BEST_BOUGHT, BEST_AGREED = range(8)
"""State: the factory's character (an exponent of 0 before the first decision); the last decision's day; the best prices
taken that day, 0 for none; and from ``BEST_AGREED`` on the best price agreed with each partner, 0 for none."""

DAY_DRAW, QUANTITY_DRAW, CHARACTER_DRAW = 0, MAX_PARTNERS, 2 * MAX_PARTNERS
"""Draws: of the day and the quantity of an offer to partner ``k``, ``DAY_DRAW + k`` and ``QUANTITY_DRAW + k``; of the
factory's character."""


@jittable
def begin_day(view: StandardView, state: np.ndarray, parameters: np.void, draws: np.ndarray) -> None:
    """Draw the factory's character at its first decision, and forget the best prices at the first one of a day."""
    if state[EXPONENT] == 0.0:
        state[EXPONENT] = draw_number(draws[CHARACTER_DRAW], parameters["exponent_min"], parameters["exponent_max"])
        state[RANGE] = draw_number(draws[CHARACTER_DRAW + 1], parameters["range_min"], parameters["range_max"])
        for i in range(2):
            draw = draws[CHARACTER_DRAW + 2 + i]
            state[TODAY_SLACK + i] = draw_number(draw, parameters["slack_min"], parameters["slack_max"])
        state[DAY] = -1.0
    if state[DAY] != view["day"]:
        state[DAY] = view["day"]
        state[BEST_SOLD] = state[BEST_BOUGHT] = 0.0


@jittable
def limits(view: StandardView, state: np.ndarray, k: int, least: float) -> tuple[int, int]:
    """The lowest and the highest price that concession towards partner ``k`` may reach.

    Args:
        view: Has today's range.
        state: The factory's.
        k: Index of the partner.
        least: Fraction of the highest price below which no price counts; 0 for today's range as it is.
    """
    lowest, highest = prices_with(view, k)
    low, high = float(lowest), float(highest)
    if least > 0.0:
        low = float(int(high * least))
    agreed = state[BEST_AGREED + k]
    if is_consumer(k):
        good = max(state[BEST_SOLD] * (1.0 - state[TODAY_SLACK]), agreed * (1.0 - state[PARTNER_SLACK]))
        return int(min(high * (1.0 - state[RANGE]), max(low, good))), int(high)
    good = high
    if state[BEST_BOUGHT] > 0.0:
        good = min(good, state[BEST_BOUGHT] * (1.0 + state[TODAY_SLACK]))
    if agreed > 0.0:
        good = min(good, agreed * (1.0 + state[PARTNER_SLACK]))
    return int(low), int(max(low * (1.0 + state[RANGE]), good))


@jittable
def needs_on(view: StandardView, k: int, ahead: int, target: float) -> float:
    """Items that the factory means to trade with partner ``k`` for a day; ``ahead`` is its distance from today."""
    if ahead > 0:
        booked = view["sales"][ahead] if is_consumer(k) else view["supplies"][ahead]
        return target * (view["lines"] - booked)
    if not is_first_level(view) and not is_last_level(view):
        return target * view["lines"]
    return float(needed_sales(view) if is_consumer(k) else -needed_sales(view))


@jittable
def is_good(view: StandardView, state: np.ndarray, k: int, firmness: float, future_price: float) -> bool:
    """Whether the standing offer of partner ``k`` has a good enough price by now, or for a later day."""
    partner = view["partners"][k]
    today = partner["offer_day"] == view["day"]
    low, high = limits(view, state, k, 0.0 if today else future_price)
    least = firmness if today else future_price
    gain = partner["offer_price"] - low if is_consumer(k) else high - partner["offer_price"]
    return gain >= least * (high - low)


@jittable
def items_to_ask_for(view: StandardView, k: int, target: float, draw: float) -> tuple[int, float]:
    """How far ahead the offer to partner ``k`` is, and the items needed then: today where something is needed, else a
    drawn day on which something is.

    Where nothing is needed on any day, it is today all the same, at times with the target of a day on which nothing is
    booked: scml's agent then goes by the last day that it looked at, and looks at today's books as if they were empty.
    """
    needs = needs_on(view, k, 0, target)
    if int(needs) > 0:
        return 0, needs
    days, count = scratch_integers(BOOK_DAYS), 0
    for ahead in range(1, days_ahead(view) + 1):
        if needs_on(view, k, ahead, target) > 0.0:
            days[count] = ahead
            count += 1
    if count == 0:
        return 0, target * view["lines"] if draw_integer(draw, 0, days_ahead(view)) == 0 else 0.0
    chosen = days[draw_integer(draw, 0, count - 1)]
    return chosen, needs_on(view, k, chosen, target)


@jittable
def decide(view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Accept what fits the needs of its day at a good enough price; else offer a part of them, larger as days go by."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    begin_day(view, state, parameters, draws)
    target = parameters["target"]
    for k in range(MAX_PARTNERS):
        if view["partners"][k]["my_turn"] == 0:
            continue
        firmness = falling(view["partners"][k]["step"], view["n_rounds"], state[EXPONENT])
        offered, ahead = view["partners"][k]["offer_quantity"], view["partners"][k]["offer_day"] - view["day"]
        if offered > 0:
            needs = needs_on(view, k, ahead, target)
            fits = offered <= needs if ahead == 0 else offered < needs
            if fits and is_good(view, state, k, firmness, parameters["future_price"]):
                price = view["partners"][k]["offer_price"]
                if ahead == 0 and is_consumer(k):
                    state[BEST_SOLD] = max(state[BEST_SOLD], price)
                elif ahead == 0:
                    state[BEST_BOUGHT] = min(state[BEST_BOUGHT], price) if state[BEST_BOUGHT] > 0.0 else price
                accept(actions, k)
                continue
        ahead, needs = items_to_ask_for(view, k, target, draws[DAY_DRAW + k])
        most = max(min(int(needs), view["max_quantity"]), view["min_quantity"])
        most = max(min(most, view["lines"] * max(ahead, 1)), view["min_quantity"])
        least = min(max(1, int(0.5 + most * view["day"] / view["n_days"])), most)
        quantity = max(draw_integer(draws[QUANTITY_DRAW + k], least, most), view["min_quantity"])
        low, high = limits(view, state, k, 0.0 if ahead == 0 else parameters["future_price"])
        price = int(low + firmness * (high - low)) if is_consumer(k) else int(high - firmness * (high - low))
        lowest, highest = prices_with(view, k)
        if lowest <= price <= highest:
            offer(actions, k, quantity, view["day"] + ahead, price)
        else:
            end(actions, k)


@jittable
def learn(view: StandardView, state: np.ndarray, params: np.ndarray) -> None:
    """At the end of a day: keep the best price agreed with each partner."""
    for k in range(MAX_PARTNERS):
        price = view["partners"][k]["agreed_price"]
        if view["partners"][k]["agreed_quantity"] > 0:
            best = state[BEST_AGREED + k]
            better = max(best, price) if is_consumer(k) else min(best, price)
            state[BEST_AGREED + k] = better if best > 0.0 else price


GREEDY = Strategy(
    "greedy",
    decide,
    PARAMETERS,
    state_size=BEST_AGREED + MAX_PARTNERS,
    synchronous=False,
    learn=learn,
    summary="today's needs, then most of the lines of later days, conceding on price (as GreedyStdAgent)",
    n_draws=CHARACTER_DRAW + 4,
    partner_draws=2,
)
