"""Greedy, all partners together: take the best-priced offers if they bring a large enough part of the best profit.

The family of scml's ``GreedySyncAgent`` (scml/oneshot/agents/greedy.py). How much is enough falls over the days of the
world and not over the rounds: at first only what brings the best profit, on the last day all that does not lose. It
opens with an average factory's share of the market, concedes on price during a day, and leaves a partner when its
concession passes the range of prices. It does not count what it has agreed already, so it trades too much;
``own_needs=1`` does.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.oneshot.strategies.base import Strategy
from scml_gym.oneshot.strategies.market import accept, advantage, draw_integer, draw_number, end, offer, price_at
from scml_gym.oneshot.strategies.utility import best_profit, day_profit
from scml_gym.oneshot.view import MAX_PARTNERS, SELLER, ActionArray, FactoryView
from scml_gym.simulator.strategies import falling

PARAMETERS = {
    "own_needs": 0.0,  # 1: count what is agreed today; 0: answer each time as if nothing were
    "exponent_min": 0.2,  # concession curve: each factory draws its exponent from this range, once a world
    "exponent_max": 1.0,
    "range_min": 0.05,  # fraction of the good price to which concession goes on: drawn likewise
    "range_max": 0.25,
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)

EXPONENT, RANGE = 0, 1
"""State: the factory's exponent (0 before the first decision) and its range of concession."""

EXPONENT_DRAW, RANGE_DRAW, QUANTITY_DRAW = 0, 1, 2
"""Draws: of the factory's character; of the first offer to partner ``k``, ``QUANTITY_DRAW + k``."""


@jittable
def conceded_price(view: FactoryView, step: int, exponent: float, width: float) -> int:
    """The price to ask for now; it may lie outside today's range, where concession goes on beyond the bad price."""
    low, high = float(view["min_price"]), float(view["max_price"])
    firmness = falling(step, view["n_rounds"], exponent)
    if view["level"] == SELLER:
        low = float(int(min(low, high * (1.0 - width))))
        return int(low + firmness * (high - low))
    high = float(int(max(high, low * (1.0 + width))))
    return int(high - firmness * (high - low))


@jittable
def best_priced(view: FactoryView, needs: int) -> tuple[int, int, int, int]:
    """The best-priced standing offers, one after the other while their total stays below the needs.

    Returns:
        The set as a bit mask over partners, its items and its money; and the items with the offer that was too many.
    """
    mask, total, money = 0, 0, 0
    while True:
        best = -1
        for k in range(view["n_partners"]):
            if view["partners"][k]["my_turn"] == 0 or view["partners"][k]["offer_quantity"] == 0 or (mask >> k) & 1:
                continue
            if best < 0 or (
                advantage(view, view["partners"][k]["offer_price"])
                > advantage(view, view["partners"][best]["offer_price"])
            ):
                best = k
        if best < 0:
            return mask, total, money, total
        quantity = view["partners"][best]["offer_quantity"]
        if total + quantity >= needs:
            return mask, total, money, total + quantity
        mask |= 1 << best
        total += quantity
        money += quantity * view["partners"][best]["offer_price"]


@jittable
def open_with(view: FactoryView, actions: ActionArray, k: int, share: int, draw: float) -> None:
    """A first offer: a part of the share, larger as days go by, at the good price."""
    if share < 1:
        end(actions, k)
        return
    most = max(min(share, view["max_quantity"]), view["min_quantity"])
    least = min(max(1, int(0.5 + most * view["day"] / view["n_days"])), most)
    offer(actions, k, max(draw_integer(draw, least, most), view["min_quantity"]), price_at(view, 1.0))


@jittable
def decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Accept the best-priced offers if they are worth it today; ask the others for what those would leave."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    if state[EXPONENT] == 0.0:
        state[EXPONENT] = draw_number(draws[EXPONENT_DRAW], parameters["exponent_min"], parameters["exponent_max"])
        state[RANGE] = draw_number(draws[RANGE_DRAW], parameters["range_min"], parameters["range_max"])
    share = int(min(view["total_supply"], view["total_demand"]) / (view["n_competitors"] + 1))
    agreed, agreed_money = 0, 0
    if parameters["own_needs"] != 0.0:
        for k in range(view["n_partners"]):
            agreed += view["partners"][k]["agreed_quantity"]
            agreed_money += view["partners"][k]["agreed_quantity"] * view["partners"][k]["agreed_price"]
        share = view["exogenous_quantity"] - agreed
    needs = view["exogenous_quantity"] - agreed
    best = best_profit(view)
    mask, total, money, seen = best_priced(view, needs)
    if mask != 0:
        enough = best * falling(view["day"], view["n_days"], state[EXPONENT])
        if day_profit(view, agreed + total, float(agreed_money + money)) < enough:
            mask = 0
    step, price = -1, 0
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] == 0:
            continue
        if needs <= 0 or best < 0.0:
            end(actions, k)
        elif view["partners"][k]["offer_quantity"] == 0:
            open_with(view, actions, k, share, draws[QUANTITY_DRAW + k])
        elif (mask >> k) & 1:
            accept(actions, k)
        else:
            if view["partners"][k]["step"] != step:
                step = view["partners"][k]["step"]
                price = conceded_price(view, step, state[EXPONENT], state[RANGE])
            if view["min_price"] <= price <= view["max_price"]:
                offer(actions, k, min(max(needs - seen, view["min_quantity"]), view["max_quantity"]), price)
            else:
                end(actions, k)


GREEDY_SYNC = Strategy(
    "greedy-sync",
    decide,
    PARAMETERS,
    state_size=2,
    n_draws=QUANTITY_DRAW + MAX_PARTNERS,
    summary="the best-priced offers if they bring enough of the day's best profit (as GreedySyncAgent)",
)
