"""The reward of one negotiation, as the Q-learning paper gives it, each part switchable.

Source: "Q-learning for SCML OneShot, 2021", section 2.1.4 (Rewards). A negotiation is an episode; moving to an
intermediate state is worth 0, so all reward comes with its end: with a deal (ACCEPT) or without one (END).

Rewards are in money, or, with ``relative=True``, in units of the negotiated product's trading price, so that a table
learned at one price level serves another (section 2.2.c).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scml_gym.errors import InputError
from scml_gym.view import SELLER, AgentView

Costs = Literal["penalty", "full"]
Scaling = Literal["none", "won", "share", "change"]


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
        InputError: if ``scaling`` or ``costs`` is unknown.

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
        if self.scaling not in ("none", "won", "share", "change"):
            raise InputError(f"scaling={self.scaling!r}; valid: 'none', 'won', 'share', 'change'")
        if self.costs not in ("penalty", "full"):
            raise InputError(f"costs={self.costs!r}; valid: 'penalty', 'full'")

    def accepted(self, view: AgentView, quantity: int, price: float, needs: int, won: int) -> float:
        """The reward of moving to ACCEPT.

        Args:
            view: What the factory sees.
            quantity: Agreed, in items.
            price: Agreed, in money per item.
            needs: What is left to be traded after this agreement; negative where it is too much.
            won: Negotiations of today that ended with an agreement, this one included.
        """
        reward = self.profit * agreement_profit(view, quantity, price) if self.profit else 0.0
        if self.deviation:
            cost = deviation_cost(view, needs, self.costs)
            if self.scaling == "won":
                cost *= min(1.0, won / max(1, int(view["n_partners"])))
            elif self.scaling == "share":
                cost /= max(1, won)
            elif self.scaling == "change":
                cost -= deviation_cost(view, needs + quantity, self.costs)
            reward -= self.deviation * cost
        return reward / self.unit(view)

    def ended(self, view: AgentView, k: int, needs: int) -> float:
        """The reward of moving to END: no deal with partner ``k``, and ``needs`` left to be traded."""
        reward = 0.0
        if self.end_needs:
            reward -= self.end_needs * deviation_cost(view, needs, self.costs)
        if self.end_gap:
            reward -= self.end_gap * gap_cost(view, k, needs, self.costs)
        return reward / self.unit(view)

    def unit(self, view: AgentView) -> float:
        """Money per unit of reward."""
        if not self.relative:
            return 1.0
        return max(1e-9, float(view["output_price"] if view["level"] == SELLER else view["input_price"]))


def agreement_profit(view: AgentView, quantity: int, price: float) -> float:
    """The profit of an agreement in money, by level (section 2.1.4).

    Seller: (agreed price - exogenous price) x quantity - production cost; buyer: (exogenous price - agreed price) x
    quantity - production cost; the production cost is that of the agreed items.
    """
    margin = price - float(view["exogenous_price"])
    if view["level"] != SELLER:
        margin = -margin
    return (margin - float(view["production_cost"])) * quantity


def deviation_cost(view: AgentView, needs: int, costs: Costs = "full") -> float:
    """What the deviation from trading exactly the needs costs, in money >= 0.

    Args:
        view: What the factory sees.
        needs: Items still to be traded; positive is missing, negative is over.
        costs: See `NegotiationReward`.
    """
    seller = view["level"] == SELLER
    disposal = float(view["disposal_cost"]) * float(view["input_price"])
    shortfall = float(view["shortfall_penalty"]) * float(view["output_price"])
    missing = needs > 0
    each = disposal if missing == seller else shortfall
    if costs == "full":
        if missing and seller:
            each += float(view["exogenous_price"])
        elif not missing:
            margin = float(view["output_price"]) - float(view["exogenous_price"]) if seller else view["exogenous_price"]
            each += max(0.0, float(margin) - float(view["production_cost"]))
    return each * abs(needs)


def gap_cost(view: AgentView, k: int, needs: int, costs: Costs = "full") -> float:
    """What ended although the last two offers were near each other, in money >= 0 (section 2.1.4, item 2.b).

    The nearness is 1 for equal offers and 0 for offers at opposite ends of the ranges, price and quantity counting
    half each. It weighs what the partner's last offer would have saved of the cost of what is missing. 0 where nothing
    is needed or either side has made no offer.
    """
    partner = view["partners"][k]
    theirs, mine = int(partner["offer_quantity"]), int(partner["my_quantity"])
    if needs <= 0 or theirs == 0 or mine == 0:
        return 0.0
    prices = max(1, int(view["max_price"]) - int(view["min_price"]))
    quantities = max(1, int(view["max_quantity"]) - int(view["min_quantity"]))
    price_gap = abs(int(partner["offer_price"]) - int(partner["my_price"])) / prices
    nearness = 1.0 - (price_gap + abs(theirs - mine) / quantities) / 2.0
    return nearness * deviation_cost(view, min(needs, theirs), costs)
