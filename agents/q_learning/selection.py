"""Which actions may be selected: heuristics and constraints ("Q-learning for SCML OneShot, 2021", section 2.2.d)."""

from __future__ import annotations

import numpy as np

from agents.q_learning.settings import Heuristics
from scml_gym.partner import PartnerActions
from scml_gym.rewards_negotiation import agreement_profit
from scml_gym.view import SELLER, AgentView


class Selection:
    """The actions that the constraints leave, on top of those that are valid.

    - ``margin``: no offer and no acceptance exceeds what is left to be traded by more than so many items; where nothing
      is needed, every negotiation ends. None switches it off.
    - ``reserve``: no trade at a loss that would leave less than this share of the initial balance; None is off.
    - ``greedy_first``: the probability with which the first offer of a negotiation asks for the best price.

    Args:
        heuristics: The settings.
        actions: The decoder of actions.
    """

    def __init__(self, heuristics: Heuristics, actions: PartnerActions):
        self.heuristics = heuristics
        self.actions = actions
        self._price_bin = np.arange(actions.n - 2) % actions.price_bins

    def allowed(self, view: AgentView, k: int, needed: int, left: int, greedy: bool) -> np.ndarray:
        """Which actions may be selected now, bool, shape ``(actions,)``; END always may.

        Args:
            view: What the factory sees.
            k: Partner slot, whose turn to be answered it is.
            needed: Items to be traded once the acceptances of this decision are counted.
            left: The same less a share of what is offered and may still be accepted.
            greedy: Whether a first offer must ask for the best price.
        """
        h = self.heuristics
        mask = self.actions.mask(view, k)
        partner = view["partners"][k]
        quantity, price = int(partner["offer_quantity"]), int(partner["offer_price"])
        if h.margin is not None:
            if needed <= 0:
                mask[1:] = False
                return mask
            quantities = np.array(self.actions.quantities(view))
            within = np.repeat(quantities <= max(0, left) + h.margin, self.actions.price_bins)
            mask[2:] &= within
            mask[1] = mask[1] and quantity <= needed + h.margin
        if h.reserve is not None:
            self._keep_solvent(view, mask, quantity, price, h.reserve)
        if greedy and partner["my_quantity"] == 0:
            best = self._price_bin[mask[2:]]
            if len(best):
                mask[2:] &= self._price_bin == (best.max() if view["level"] == SELLER else best.min())
        return mask

    def _keep_solvent(self, view: AgentView, mask: np.ndarray, quantity: int, price: int, reserve: float) -> None:
        spare = float(view["balance"]) - reserve * float(view["initial_balance"])
        if mask[1] and not _bearable(agreement_profit(view, quantity, price), spare):
            mask[1] = False
        prices = self.actions.prices(view)
        each = np.array([agreement_profit(view, 1, p) for p in prices])
        if each.min() >= 0:
            return
        profits = np.outer(self.actions.quantities(view), each).ravel()
        mask[2:] &= (profits >= 0) | (spare + profits >= 0)


def _bearable(profit: float, spare: float) -> bool:
    return profit >= 0 or spare + profit >= 0
