"""Whom to offer how much: the offers that bring most in expectation, given each partner's chance of accepting.

Partners answer independently of each other; what is worth what is a function of the total that is accepted. Offers grow
item by item where that is worth most, and are then improved one partner at a time until nothing improves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import MAX_PARTNERS

MAX_ITEMS = 10
"""Largest quantity of one offer that is considered."""

TOTALS = MAX_PARTNERS * MAX_ITEMS + 1
"""Possible totals of accepted items, none included."""

_SWEEPS = 4
_LEAST_GAIN = 1e-9


class Problem(NamedTuple):
    """What offers are chosen by.

    Attributes:
        worth: float64 ``(TOTALS,)``, worth in money of each total of accepted items, apart from their prices.
        money: float64 ``(2,)``: what an item brings at the price of each price bin; negative where it costs.
        chances: float64 ``(MAX_PARTNERS, MAX_ITEMS + 1, 2)``: that an offer is accepted, by partner, items and price
            bin; below 0 for offers that may not be made.
        largest: Items of an offer at most, up to ``MAX_ITEMS``.
        budget: Items of all offers together at most.
    """

    worth: np.ndarray
    money: np.ndarray
    chances: np.ndarray
    largest: int
    budget: float


class Offers(NamedTuple):
    """The offers as chosen so far, arrays ``(MAX_PARTNERS,)``, changed in place.

    Attributes:
        quantities: int64, items of the offer to each partner; 0 for none.
        bins: int64, price bins.
        chosen: float64, chances.
        distribution: float64 ``(TOTALS,)``, of what the other partners accept together; scratch.
        scratch: The same.
    """

    quantities: np.ndarray
    bins: np.ndarray
    chosen: np.ndarray
    distribution: np.ndarray
    scratch: np.ndarray


@jittable
def no_offers() -> Offers:
    """To begin with."""
    return Offers(
        np.zeros(MAX_PARTNERS, dtype=np.int64),
        np.zeros(MAX_PARTNERS, dtype=np.int64),
        np.zeros(MAX_PARTNERS),
        np.zeros(TOTALS),
        np.zeros(TOTALS),
    )


@jittable
def set_offer(offers: Offers, problem: Problem, k: int, quantity: int, in_bin: int) -> None:
    """Make an offer to partner ``k`` in place of the one it had."""
    offers.quantities[k], offers.bins[k] = quantity, in_bin
    offers.chosen[k] = problem.chances[k, quantity, in_bin] if quantity > 0 else 0.0


@jittable
def totals_of_others(offers: Offers, without: int) -> int:
    """Compute the distribution of the items that all partners but one accept; says the largest total."""
    distribution, scratch = offers.distribution, offers.scratch
    distribution[0], most = 1.0, 0
    for k in range(MAX_PARTNERS):
        quantity, chance = offers.quantities[k], offers.chosen[k]
        if k == without or quantity == 0:
            continue
        for x in range(most + 1):
            scratch[x] = distribution[x] * chance
            distribution[x] *= 1.0 - chance
        for x in range(most + 1, most + quantity + 1):
            distribution[x] = 0.0
        for x in range(most + 1):
            distribution[x + quantity] += scratch[x]
        most += quantity
    return most


@jittable
def expected_gain(offers: Offers, problem: Problem, most: int, quantity: int) -> float:
    """What so many items more than the others' are worth in expectation, apart from their price."""
    total = 0.0
    for x in range(most + 1):
        total += offers.distribution[x] * (problem.worth[x + quantity] - problem.worth[x])
    return total


@jittable
def value_of_offer(offers: Offers, problem: Problem, most: int, k: int) -> float:
    """What the offer to partner ``k`` brings in expectation beside the others', in money."""
    quantity = offers.quantities[k]
    if quantity == 0:
        return 0.0
    gain = expected_gain(offers, problem, most, quantity)
    return offers.chosen[k] * (gain + quantity * problem.money[offers.bins[k]])


@jittable
def best_offer(offers: Offers, problem: Problem, k: int, least: int, largest: int) -> tuple[float, int, int]:
    """The offer to partner ``k`` that brings most, all others staying as they are.

    Args:
        offers: So far.
        problem: What they are chosen by.
        k: The partner.
        least: Items that are tried, from this number on.
        largest: Up to this.

    Returns:
        What it brings more than the present one, items, price bin; no more than the present where the first is 0.
    """
    most = totals_of_others(offers, k)
    had = value_of_offer(offers, problem, most, k)
    best, best_quantity, best_bin = 0.0 if least == 0 else -np.inf, 0, 0
    for quantity in range(max(least, 1), largest + 1):
        gain = expected_gain(offers, problem, most, quantity)
        for in_bin in range(2):
            chance = problem.chances[k, quantity, in_bin]
            value = chance * (gain + quantity * problem.money[in_bin])
            if chance >= 0.0 and value > best + _LEAST_GAIN:
                best, best_quantity, best_bin = value, quantity, in_bin
    if best <= had + _LEAST_GAIN:
        return 0.0, offers.quantities[k], offers.bins[k]
    return best - had, best_quantity, best_bin


@jittable
def allocate(problem: Problem, n_partners: int, start: int) -> Offers:
    """Choose the offers to all partners.

    Args:
        problem: What they are chosen by.
        n_partners: Of the factory.
        start: The partner that comes first where several are equal.
    """
    offers, offered = no_offers(), 0
    while offered < problem.budget:
        best, best_gain, best_bin = -1, 0.0, 0
        for rank in range(n_partners):
            k = (start + rank) % n_partners
            quantity = offers.quantities[k] + 1
            if quantity <= problem.largest:
                gain, _, in_bin = best_offer(offers, problem, k, quantity, quantity)
                if gain > best_gain:
                    best, best_gain, best_bin = k, gain, in_bin
        if best < 0:
            break
        set_offer(offers, problem, best, offers.quantities[best] + 1, best_bin)
        offered += 1
    for _ in range(_SWEEPS):
        gained = 0.0
        for rank in range(n_partners):
            k = (start + rank) % n_partners
            room = problem.budget - offered + offers.quantities[k]
            gain, quantity, in_bin = best_offer(offers, problem, k, 0, int(min(float(problem.largest), room)))
            offered += quantity - offers.quantities[k]
            set_offer(offers, problem, k, quantity, in_bin)
            gained += gain
        if gained == 0.0:
            break
    return offers
