"""The reward of one negotiation, as the Q-learning paper gives it, each part switchable.

Source: "Q-learning for SCML OneShot, 2021", section 2.1.4 (Rewards). A negotiation is an episode; moving to an
intermediate state is worth 0, so all reward comes with its end: with a deal (ACCEPT) or without one (END).

Rewards are in money, or, with ``relative=True``, in units of the negotiated product's trading price, so that a table
learned at one price level serves another (section 2.2.c).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from scml_gym.core.arguments import flag, real
from scml_gym.core.errors import InputError
from scml_gym.jit.compile import jittable
from scml_gym.oneshot.view import SELLER, FactoryView

Costs = Literal["penalty", "full"]
Scaling = Literal["none", "won", "share", "change"]

COSTS = ("penalty", "full")
SCALINGS = ("none", "won", "share", "change")
PROFIT, DEVIATION, SCALING, COST, END_NEEDS, END_GAP, RELATIVE = range(7)
"""Places in the array of a reward's parameters; ``COST`` and ``SCALING`` hold places in ``COSTS`` and ``SCALINGS``."""
NONE, WON, SHARE, CHANGE = range(4)


@dataclass(frozen=True)
class NegotiationReward:
    """Reward of a negotiation at its end; a weight of 0 switches a part off.

    On ACCEPT: ``profit * P - deviation * S``; on END: ``-end_needs * D - end_gap * G``, where

    - ``P``: the profit of the agreement by level, see `agreement_profit`;
    - ``D``: what the day's deviation costs as it stands after this negotiation, see `deviation_cost`;
    - ``S``: ``D`` scaled; the paper scales it "by the amount of negotiations executed successfully so far" in the day
      and leaves open how, see ``scaling``;
    - ``G``: what the gap between the last two offers made avoidable, see `gap_cost`.

    Attributes:
        profit: Weight of ``P``.
        deviation: Weight of ``D`` on ACCEPT.
        scaling: ``"won"``: times negotiations won today, this one included, by partners; the first deal is hardly
            blamed for what is missing, the last one fully. ``"share"``: divided by negotiations won, so that all
            winners share the blame. ``"none"``: not scaled. ``"change"`` (not in the paper): ``D`` less what it was
            before this agreement; with the full costs the reward is then what the agreement adds to the day's profit.
            The others make a deal that leaves much to be traded look worse than to leave it to other negotiations.
        costs: What one item missing or over costs. ``"penalty"``: the world's disposal cost or shortfall penalty
            alone. ``"full"``: also the money that ``P`` leaves out: a seller has paid for what it does not sell, and
            over items bring in none of the revenue that ``P`` books for them.
        end_needs: Weight of ``D`` on END.
        end_gap: Weight of ``G`` on END.
        relative: Divide by the trading price of the negotiated product.

    Raises:
        InputError: if ``scaling`` or ``costs`` is unknown, or a number or switch is none.

    Example:
        >>> reward = NegotiationReward(deviation=0.0, end_needs=0.0, end_gap=0.0, relative=False)
        >>> reward.profit
        1.0
    """

    profit: float = 1.0
    deviation: float = 1.0
    scaling: Scaling = "won"
    costs: Costs = "full"
    end_needs: float = 1.0
    end_gap: float = 0.1
    relative: bool = True

    def __post_init__(self) -> None:
        for name in ("profit", "deviation", "end_needs", "end_gap"):
            real(name, getattr(self, name))
        flag("relative", self.relative)
        if self.scaling not in SCALINGS:
            raise InputError(f"scaling={self.scaling!r}; valid: 'none', 'won', 'share', 'change'", "scaling")
        if self.costs not in COSTS:
            raise InputError(f"costs={self.costs!r}; valid: 'penalty', 'full'", "costs")

    @cached_property
    def params(self) -> np.ndarray:
        """The attributes as numbers, float64, shape ``(7,)``, in the order of ``PROFIT`` .. ``RELATIVE``."""
        scaling, costs = SCALINGS.index(self.scaling), COSTS.index(self.costs)
        numbers = (self.profit, self.deviation, scaling, costs, self.end_needs, self.end_gap, self.relative)
        return np.array(numbers, dtype=np.float64)

    def accepted(self, view: FactoryView, quantity: int, price: float, needs: int, won: int) -> float:
        """The reward of moving to ACCEPT.

        Args:
            view: What the factory sees.
            quantity: Agreed, in items.
            price: Agreed, in money per item.
            needs: What is left to be traded after this agreement; negative where it is too much.
            won: Negotiations of today that ended with an agreement, this one included.
        """
        return float(negotiation_reward_accepted(view, self.params, quantity, price, needs, won))

    def ended(self, view: FactoryView, k: int, needs: int) -> float:
        """The reward of moving to END: no deal with partner ``k``, and ``needs`` left to be traded."""
        return float(negotiation_reward_ended(view, self.params, k, needs))


@jittable
def negotiation_reward_accepted(
    view: FactoryView, params: np.ndarray, quantity: int, price: float, needs: int, won: int
) -> float:
    """The reward of moving to ACCEPT; see `NegotiationReward`, whose ``params`` are given."""
    reward = 0.0
    if params[PROFIT] != 0.0:
        reward = params[PROFIT] * agreement_profit(view, quantity, price)
    if params[DEVIATION] != 0.0:
        cost = _deviation_cost(view, needs, params[COST])
        if params[SCALING] == WON:
            cost *= min(1.0, won / max(1, view["n_partners"]))
        elif params[SCALING] == SHARE:
            cost /= max(1, won)
        elif params[SCALING] == CHANGE:
            cost -= _deviation_cost(view, needs + quantity, params[COST])
        reward -= params[DEVIATION] * cost
    return reward / _unit(view, params)


@jittable
def negotiation_reward_ended(view: FactoryView, params: np.ndarray, k: int, needs: int) -> float:
    """The reward of moving to END with partner ``k``; see `NegotiationReward`, whose ``params`` are given."""
    reward = 0.0
    if params[END_NEEDS] != 0.0:
        reward -= params[END_NEEDS] * _deviation_cost(view, needs, params[COST])
    if params[END_GAP] != 0.0:
        reward -= params[END_GAP] * _gap_cost(view, k, needs, params[COST])
    return reward / _unit(view, params)


@jittable
def _unit(view: FactoryView, params: np.ndarray) -> float:
    """Money per unit of reward."""
    if params[RELATIVE] == 0.0:
        return 1.0
    return max(1e-9, view["output_price"] if view["level"] == SELLER else view["input_price"])


@jittable
def agreement_profit(view: FactoryView, quantity: int, price: float) -> float:
    """The profit of an agreement in money, by level (section 2.1.4).

    Seller: (agreed price - exogenous price) x quantity - production cost; buyer: (exogenous price - agreed price) x
    quantity - production cost; the production cost is that of the agreed items.
    """
    margin = price - view["exogenous_price"]
    if view["level"] != SELLER:
        margin = -margin
    return (margin - view["production_cost"]) * quantity


def deviation_cost(view: FactoryView, needs: int, costs: Costs = "full") -> float:
    """What the deviation from trading exactly the needs costs, in money >= 0.

    Args:
        view: What the factory sees.
        needs: Items still to be traded; positive is missing, negative is over.
        costs: See `NegotiationReward`.
    """
    return float(_deviation_cost(view, needs, COSTS.index(costs)))


@jittable
def _deviation_cost(view: FactoryView, needs: int, costs: float) -> float:
    seller = view["level"] == SELLER
    missing = needs > 0
    if missing == seller:
        each = view["disposal_cost"] * view["input_price"]
    else:
        each = view["shortfall_penalty"] * view["output_price"]
    if costs > 0:
        if missing:
            each += view["exogenous_price"] if seller else 0.0
        else:
            margin = view["output_price"] - view["exogenous_price"] if seller else view["exogenous_price"]
            each += max(0.0, margin - view["production_cost"])
    return each * abs(needs)


def gap_cost(view: FactoryView, k: int, needs: int, costs: Costs = "full") -> float:
    """What ended although the last two offers were near each other, in money >= 0 (section 2.1.4, item 2.b).

    The nearness is 1 for equal offers and 0 for offers at opposite ends of the ranges, price and quantity counting
    half each. It weighs what the partner's last offer would have saved of the cost of what is missing. 0 where nothing
    is needed or either side has made no offer.
    """
    return float(_gap_cost(view, k, needs, COSTS.index(costs)))


@jittable
def _gap_cost(view: FactoryView, k: int, needs: int, costs: float) -> float:
    partner = view["partners"][k]
    theirs, mine = partner["offer_quantity"], partner["my_quantity"]
    if needs <= 0 or theirs == 0 or mine == 0:
        return 0.0
    prices = max(1, view["max_price"] - view["min_price"])
    quantities = max(1, view["max_quantity"] - view["min_quantity"])
    price_gap = abs(partner["offer_price"] - partner["my_price"]) / prices
    nearness = 1.0 - (price_gap + abs(theirs - mine) / quantities) / 2.0
    return nearness * _deviation_cost(view, min(needs, theirs), costs)
