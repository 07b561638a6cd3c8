"""Which actions may be selected, and which one is ("Q-learning for SCML OneShot, 2021", sections 2.1.1 and 2.2.d).

The constraints, on top of what is valid:

- ``margin``: no offer and no acceptance exceeds what is left to be traded by more than so many items; where nothing is
  needed, every negotiation ends;
- ``reserve``: no trade at a loss that would leave less than this share of the initial balance;
- ``greedy_first``: the probability with which the first offer of a negotiation asks for the best price.
"""

from __future__ import annotations

import numpy as np

from scml_gym.agents.q_learning.memory import OFF
from scml_gym.game.ranges import level
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.actions.negotiation import partner_mask
from scml_gym.oneshot.rewards.negotiation import agreement_profit
from scml_gym.oneshot.view import SELLER, FactoryView


@jittable
def allowed(view: FactoryView, rules: np.void, k: int, needed: int, left: int, greedy: bool, mask: np.ndarray) -> None:
    """Write which actions may be selected now, bool, shape ``(actions,)``; END always may.

    Args:
        view: What the factory sees.
        rules: ``RULES_DTYPE``.
        k: Index of the partner whose turn to be answered it is.
        needed: Items to be traded once the acceptances of this decision are counted.
        left: The same less a share of what is offered and may still be accepted.
        greedy: Whether a first offer must ask for the best price.
        mask: Is written.
    """
    quantity_bins, price_bins, margin = rules["quantity_bins"], rules["price_bins"], rules["margin"]
    if margin != OFF and needed <= 0:
        mask[:] = False
        mask[0] = True
        return
    partner_mask(view, k, quantity_bins, price_bins, mask)
    partner = view["partners"][k]
    if mask[1]:
        quantity = partner["offer_quantity"]
        few = margin == OFF or quantity <= needed + margin
        mask[1] = few and _bearable(view, rules, quantity, partner["offer_price"])
    for q in range(quantity_bins):
        quantity = level(view["min_quantity"], view["max_quantity"], quantity_bins, q)
        few = margin == OFF or quantity <= max(0, left) + margin
        for p in range(price_bins):
            i = 2 + q * price_bins + p
            if mask[i]:
                price = level(view["min_price"], view["max_price"], price_bins, p)
                mask[i] = few and _bearable(view, rules, quantity, price)
    if greedy and partner["my_quantity"] == 0:
        _keep_best_price(view, quantity_bins, price_bins, mask)


@jittable
def _bearable(view: FactoryView, rules: np.void, quantity: int, price: int) -> bool:
    """Whether an agreement makes no loss, or one that the balance can bear."""
    profit = agreement_profit(view, quantity, price)
    spare = view["balance"] - rules["reserve"] * view["initial_balance"]
    return rules["reserve"] == OFF or profit >= 0.0 or spare + profit >= 0.0


@jittable
def _keep_best_price(view: FactoryView, quantity_bins: int, price_bins: int, mask: np.ndarray) -> None:
    """Leave of the allowed offers those at the best price among them."""
    best = -1
    for i in range(quantity_bins * price_bins):
        p = i % price_bins
        if mask[2 + i] and (best < 0 or (p > best if view["level"] == SELLER else p < best)):
            best = p
    for i in range(quantity_bins * price_bins):
        if i % price_bins != best:
            mask[2 + i] = False


@jittable
def select(values: np.ndarray, mask: np.ndarray, may_accept: bool, explore: bool, draw: float) -> int:
    """One of the actions of the highest value, or of all where it explores; each of these is as likely as another.

    Args:
        values: Of the state's actions, float64.
        mask: Which are allowed; END is.
        may_accept: Whether ACCEPT may be selected.
        explore: Whether values do not matter.
        draw: Uniform in [0, 1).
    """
    best, n = -np.inf, 0
    for i in range(len(mask)):
        if mask[i] and (i != 1 or may_accept):
            if explore or values[i] == best:
                n += 1
            elif values[i] > best:
                best, n = values[i], 1
    rank = int(draw * n)
    for i in range(len(mask)):
        if mask[i] and (i != 1 or may_accept) and (explore or values[i] == best):
            if rank == 0:
                return i
            rank -= 1
    return 0


@jittable
def best_value(values: np.ndarray, mask: np.ndarray) -> float:
    """The highest value of the allowed actions."""
    best = -np.inf
    for i in range(len(mask)):
        if mask[i] and values[i] > best:
            best = values[i]
    return best
