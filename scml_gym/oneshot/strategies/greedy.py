"""Greedy: trade an average factory's share of the market, conceding on price within a limit.

The family of scml's ``GreedyOneShotAgent`` (scml/oneshot/agents/greedy.py), which means to trade an equal share of the
market, but never counts what it has agreed already, so it trades too much. That is what makes it weak, and a partner
worth having in a mix; ``own_needs=1`` trades what is still needed instead. Of the limits on concession the one by the
best price of the day is kept; those by each partner's best prices hardly bind in a market of two prices.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.oneshot.strategies.base import Strategy
from scml_gym.oneshot.strategies.market import accept, draw_integer, draw_number, end, offer
from scml_gym.oneshot.view import MAX_PARTNERS, SELLER, ActionArray, FactoryView

PARAMETERS = {
    "own_needs": 0.0,  # 1: trade what is needed; 0: the market's quantity divided by the factories of the own level
    "price_slack": 0.1,  # fraction of the best price offered today by which prices may fall short of it
    "exponent_min": 0.2,  # concession curve: each factory draws its exponent from this range, once a world
    "exponent_max": 1.0,
    "range_min": 0.05,  # fraction of the best price within which any price is good enough in the end: drawn likewise
    "range_max": 0.25,
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)

EXPONENT, RANGE, DAY, BEST = 0, 1, 2, 3
"""State: the factory's exponent (0 before the first decision) and range; the last decision's day; its best price."""

QUANTITY_DRAW, EXPONENT_DRAW, RANGE_DRAW = 0, MAX_PARTNERS, MAX_PARTNERS + 1
"""Draws: of the quantity to partner ``k``, ``QUANTITY_DRAW + k``; of the factory's character."""


@jittable
def begin_day(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray) -> None:
    """Draw the factory's character at its first decision, and forget the best price at the first one of a day."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    if state[EXPONENT] == 0.0:
        state[EXPONENT] = draw_number(draws[EXPONENT_DRAW], parameters["exponent_min"], parameters["exponent_max"])
        state[RANGE] = draw_number(draws[RANGE_DRAW], parameters["range_min"], parameters["range_max"])
        state[DAY] = -1.0
    if state[DAY] != view["day"]:
        state[DAY] = view["day"]
        state[BEST] = 0.0


@jittable
def conceded_price(view: FactoryView, state: np.ndarray, slack: float, step: int) -> float:
    """The price that is good enough now, in money per item; it may lie outside today's range."""
    n = max(view["n_rounds"], 2)
    threshold = (max(n - step - 1, 0) / (n - 1)) ** state[EXPONENT]
    low, high, best = float(view["min_price"]), float(view["max_price"]), state[BEST]
    if view["level"] == SELLER:
        low = float(int(min(high * (1.0 - state[RANGE]), max(low, best * (1.0 - slack)))))
        return low + threshold * (high - low)
    limit = best * (1.0 + slack) if best > 0.0 else high
    high = float(int(max(low * (1.0 + state[RANGE]), min(high, limit))))
    return high - threshold * (high - low)


@jittable
def decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Accept what fits the share at a good enough price; else offer a part of the share, larger as days go by."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    begin_day(view, state, params, draws)
    seller = view["level"] == SELLER
    share = min(view["total_supply"], view["total_demand"]) / (view["n_competitors"] + 1)
    if parameters["own_needs"] != 0.0:
        share = float(view["needs"])
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] == 0:
            continue
        if share < 1.0:
            end(actions, k)
            continue
        price = conceded_price(view, state, parameters["price_slack"], view["partners"][k]["step"])
        offered, offered_price = view["partners"][k]["offer_quantity"], view["partners"][k]["offer_price"]
        if offered > 0:
            good = offered_price >= price if seller else offered_price <= price
            if state[BEST] == 0.0 or (offered_price > state[BEST]) == seller:
                state[BEST] = offered_price
            if good and offered <= share:
                accept(actions, k)
                if parameters["own_needs"] != 0.0:
                    share -= offered
                continue
        most = max(min(int(share), view["max_quantity"]), view["min_quantity"])
        least = min(max(1, int(0.5 + most * view["day"] / view["n_days"])), most)
        quantity = max(draw_integer(draws[QUANTITY_DRAW + k], least, most), view["min_quantity"])
        offer(actions, k, quantity, min(max(int(price), view["min_price"]), view["max_price"]))


GREEDY = Strategy(
    "greedy",
    decide,
    PARAMETERS,
    state_size=4,
    synchronous=False,
    summary="an equal share of the market from everyone, conceding on price (as GreedyOneShotAgent)",
    n_draws=RANGE_DRAW + 1,
)
