"""First offers to all partners at once: which vector of them brings most in expectation.

With ``c_k(q, p)`` the chance that partner ``k`` accepts ``q`` items at ``p``, each independent of the others, and ``W``
what a total of items is worth (`scml_gym.oneshot.asking.values`), the offers are to maximise

    E [ sum_k m(p_k) q_k A_k + W(sum_k q_k A_k) ],    A_k = 1 with chance c_k(q_k, p_k), else 0.

One partner's offer after the other is made the best beside those of the rest, in turns, until none changes.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.oneshot.asking.values import LEAST_GAIN, MAX_ITEMS, MAX_TOTAL, PRICES, money, offered_price
from scml_gym.oneshot.view import MAX_PARTNERS, FactoryView

MOST_TURNS = 6
"""Passes over the partners at most."""


@jittable
def fill_others_total(offers: np.ndarray, accepted: np.ndarray, k: int, totals: np.ndarray) -> None:
    """The chances of each total that the partners but ``k`` accept.

    Args:
        offers: int64 ``(MAX_PARTNERS,)``, items offered to each.
        accepted: float64 likewise, the chances that they are accepted.
        k: The partner that is left out.
        totals: float64 ``(MAX_PARTNERS * MAX_ITEMS + 1,)``, receives the chances.
    """
    totals[:] = 0.0
    totals[0], most = 1.0, 0
    for j in range(MAX_PARTNERS):
        if j != k and offers[j] > 0:
            for total in range(most, -1, -1):
                totals[total + offers[j]] += totals[total] * accepted[j]
                totals[total] *= 1.0 - accepted[j]
            most += offers[j]


@jittable
def expected_worth(totals: np.ndarray, more: int, worth: np.ndarray) -> float:
    """What the others' total and so many items more are worth; totals beyond the largest are worth what that is, and
    the last step more for each item."""
    value, step = 0.0, worth[MAX_TOTAL] - worth[MAX_TOTAL - 1]
    for total in range(len(totals)):
        if totals[total] > 0.0:
            x = total + more
            value += totals[total] * (worth[min(x, MAX_TOTAL)] + step * max(x - MAX_TOTAL, 0))
    return float(value)


@jittable
def fill_offers(
    view: FactoryView, chances: np.ndarray, worth: np.ndarray, offers: np.ndarray, prices: np.ndarray
) -> None:
    """The best vector of offers.

    Args:
        view: Of the factory.
        chances: float64 ``(MAX_PARTNERS, MAX_ITEMS + 1, PRICES)``: that an offer is accepted, below 0 where none is
            made.
        worth: float64 ``(MAX_TOTAL + 1,)``, what each total of items is worth, apart from its price.
        offers: int64 ``(MAX_PARTNERS,)``, receives the items of each offer; 0 for none.
        prices: int64 likewise, receives the prices.
    """
    accepted, totals = np.zeros(MAX_PARTNERS), np.zeros(MAX_PARTNERS * MAX_ITEMS + 1)
    offers[:] = 0
    prices[:] = 0
    for _ in range(MOST_TURNS):
        changed = False
        for k in range(view["n_partners"]):
            fill_others_total(offers, accepted, k, totals)
            nothing = expected_worth(totals, 0, worth)
            best, items, at, likely = nothing, 0, 0, 0.0
            for quantity in range(1, MAX_ITEMS + 1):
                with_it = expected_worth(totals, quantity, worth)
                for i in range(PRICES):
                    chance, price = chances[k, quantity, i], offered_price(view, i)
                    if chance < 0.0:
                        continue
                    value = chance * (money(view, quantity, price) + with_it) + (1.0 - chance) * nothing
                    if value > best + LEAST_GAIN:
                        best, items, at, likely = value, quantity, price, chance
            changed = changed or items != offers[k] or at != prices[k]
            offers[k], prices[k], accepted[k] = items, at, likely
        if not changed:
            return
