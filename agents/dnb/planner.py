"""The planner: a decision from the chances that offers are accepted (thesis, algorithm 5-1 and section 4.5).

First the offers to take are chosen, then the others are asked for what is left, or let go where nothing is.
"""

from __future__ import annotations

import math

import numpy as np

from scml_gym.agents.dnb.allocation import MAX_ITEMS, TOTALS, Offers, Problem, allocate, set_offer
from scml_gym.agents.dnb.commitments import acceptance_cap, budget_left, exposure, fulfilment
from scml_gym.agents.dnb.events import price_bin
from scml_gym.agents.dnb.records import PRICE_BINS, Memory
from scml_gym.agents.dnb.selection import Prospects, best_set
from scml_gym.jit.arrays import scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.planner import partners_in_order, unit_values
from scml_gym.oneshot.strategies.market import price_at
from scml_gym.oneshot.view import BUYER, MAX_PARTNERS, SELLER, FactoryView

NOT_OFFERED = -1.0
"""In place of a chance: the offer is not considered."""


@jittable
def new_chances() -> np.ndarray:
    """Chances by partner, items and price bin, none considered yet."""
    return np.full((MAX_PARTNERS, MAX_ITEMS + 1, PRICE_BINS), NOT_OFFERED)


@jittable
def opening(view: FactoryView) -> bool:
    """Whether nobody who waits for an answer has made an offer yet."""
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0 and view["partners"][k]["offer_quantity"] > 0:
            return False
    return True


@jittable
def last_move(view: FactoryView, k: int) -> bool:
    """Whether an offer to partner ``k`` would come too late: a seller's in the last round."""
    return view["level"] == SELLER and view["partners"][k]["step"] >= view["n_rounds"] - 1


@jittable
def offer_prices(view: FactoryView, side: np.void, time: float, prices: np.ndarray) -> None:
    """The price of offers in each price bin, 0 for a bin in which none is made.

    By value: the extremes of today's range. By the curve: the price conceded by now, which is the good one at first and
    the bad one at the end; where only two prices differ it changes when half is conceded. A buyer's first offers are at
    the bad price where missing items are much dearer than spare ones.

    Args:
        view: Of the factory.
        side: Its rules.
        time: Relative time.
        prices: int64 ``(PRICE_BINS,)``, receives the prices.
    """
    low, high = view["min_price"], view["max_price"]
    prices[:] = 0
    shortfall = view["shortfall_penalty"] * view["output_price"]
    disposal = view["disposal_cost"] * view["input_price"]
    if view["level"] == BUYER and opening(view) and shortfall > side["penalty_price"] * disposal:
        prices[price_bin(high, low, high)] = high
    elif side["price_by_value"] != 0.0:
        prices[0], prices[price_bin(high, low, high)] = low, high
    else:
        price = price_at(view, 1.0 - time ** side["concession"])
        prices[price_bin(price, low, high)] = price


@jittable
def expect(chances: np.ndarray, prices: np.ndarray, most: int, expected: np.ndarray) -> None:
    """The items that an offer to each partner can be expected to bring, at its best quantity.

    Args:
        chances: ``(MAX_PARTNERS, MAX_ITEMS + 1, PRICE_BINS)``.
        prices: Of offers, by bin; 0 for none.
        most: Items of an offer at most.
        expected: float64 ``(MAX_PARTNERS,)``, receives them.
    """
    for k in range(MAX_PARTNERS):
        expected[k] = 0.0
        for quantity in range(1, most + 1):
            for in_bin in range(PRICE_BINS):
                if prices[in_bin] > 0:
                    expected[k] = max(expected[k], quantity * chances[k, quantity, in_bin])


@jittable
def choose_set(
    view: FactoryView,
    side: np.void,
    memory: Memory,
    time: float,
    prices: np.ndarray,
    means: np.ndarray,
    bounds: np.ndarray,
) -> int:
    """The standing offers to take, as a bit mask over partners; what is looked at is noted in the memory.

    Args:
        view: Of the factory.
        side: Its rules.
        memory: Its memory.
        time: Relative time.
        prices: Of this decision's offers, see `offer_prices`.
        means: Chances that offers are accepted, as ``new_chances``.
        bounds: The chances that are counted on.
    """
    partners, quantities = np.zeros(MAX_PARTNERS, dtype=np.int64), np.zeros(MAX_PARTNERS, dtype=np.int64)
    offered_prices, counted = np.zeros(MAX_PARTNERS, dtype=np.int64), np.zeros(MAX_PARTNERS)
    n = 0
    for k in range(view["n_partners"]):
        partner = view["partners"][k]
        if partner["my_turn"] != 0 and partner["offer_quantity"] > 0:
            partners[n], quantities[n], offered_prices[n] = k, partner["offer_quantity"], partner["offer_price"]
            counted[n] = partner["offer_quantity"] * fulfilment(view, side, k)
            n += 1
    memory["needs"] = view["needs"]
    needs = open_needs(view, side, memory)
    expected, conservative = np.zeros(MAX_PARTNERS), np.zeros(MAX_PARTNERS)
    most = min(int(side["most_items"]), MAX_ITEMS, max(needs, 1))
    expect(means, prices, most, expected)
    expect(bounds, prices, most, conservative)
    for k in range(MAX_PARTNERS):
        expected[k] *= side["reach"]
        conservative[k] *= side["reach"]
    seller = view["level"] == SELLER
    price = -1.0 * np.max(prices) if seller else 1.0 * np.max(prices)
    values = unit_values(view, side["patience"] * (1.0 - time))
    cap = int(min(acceptance_cap(side, needs), 1e9))
    prospects = Prospects(
        seller, needs, cap, values, price, expected, conservative, side["risk"], side["hold"] * (1.0 - time)
    )
    taken, score = best_set(prospects, n, partners, quantities, counted, offered_prices)
    memory["taken"], memory["score"] = taken, score
    return taken


@jittable
def open_needs(view: FactoryView, side: np.void, memory: Memory) -> int:
    """Items to be traded: the needs without what offers under way are expected to bring (noted in the memory)."""
    expected, conservative, _ = exposure(view, memory)
    if side["exposure"] == 0.0:
        expected = conservative = 0.0
    memory["expected"], memory["conservative"] = expected, conservative
    return view["needs"] - int(expected + 0.5)


@jittable
def choose_offers(
    view: FactoryView,
    side: np.void,
    memory: Memory,
    time: float,
    left: int,
    prices: np.ndarray,
    bounds: np.ndarray,
) -> Offers:
    """The offers to the partners that are not accepted.

    Args:
        view: Of the factory.
        side: Its rules.
        memory: Its memory.
        time: Relative time.
        left: Items still to be traded, more than 0.
        prices: See `offer_prices`.
        bounds: Chances that are counted on; below 0 for partners that are not asked.
    """
    used, spare, still_open = unit_values(view, side["patience"] * (1.0 - time))
    money = np.zeros(PRICE_BINS)
    for in_bin in range(PRICE_BINS):
        money[in_bin] = 1.0 * prices[in_bin] if view["level"] == SELLER else -1.0 * prices[in_bin]
    if view["level"] == SELLER:
        spare -= np.max(prices)  # items that cannot be delivered bring nothing
    worth = np.zeros(TOTALS)
    for total in range(TOTALS):
        worth[total] = used * min(total, left) + spare * max(total - left, 0) + still_open * max(left - total, 0)
    _, _, under_offer = exposure(view, memory)
    largest = min(int(side["most_items"]), MAX_ITEMS, view["max_quantity"])
    budget = budget_left(view, memory, under_offer)
    order = scratch_integers(MAX_PARTNERS)
    partners_in_order(view, order)
    problem = Problem(worth, money, bounds, largest, budget)
    offers = allocate(problem, view["n_partners"], order[0])
    for rank in range(view["n_partners"]):
        k = order[rank]
        if offers.quantities[k] == 0 and side["fallback"] > 0.0:
            give_fallback(offers, problem, k, int(min(side["fallback"], 1.0 * left, 1.0 * largest)))
    return offers


@jittable
def give_fallback(offers: Offers, problem: Problem, k: int, quantity: int) -> None:
    """Offer a partner for which there is none a few items, so that the negotiation goes on."""
    for in_bin in range(PRICE_BINS):
        if problem.chances[k, quantity, in_bin] >= 0.0:
            set_offer(offers, problem, k, quantity, in_bin)
            return


@jittable
def items_left(view: FactoryView, side: np.void, memory: Memory, taken: int) -> int:
    """Items still to be traded after a set of offers is taken, counting what will be delivered; rounded up."""
    left = 1.0 * open_needs(view, side, memory)
    for k in range(view["n_partners"]):
        if (taken >> k) & 1:
            left -= view["partners"][k]["offer_quantity"] * fulfilment(view, side, k)
    return max(math.ceil(left - 1e-9), 0)
