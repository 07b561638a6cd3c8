"""An own scml agent, judged without a line in this package:

    python evaluate.py examples.own_agent:OwnAgent greedy scml:SyncRandomOneShotAgent

The class is an ordinary scml agent, as it would be submitted to the league. Names of modules are looked up in the
folder of ``evaluate.py`` and in the current folder.
"""

from negmas.sao import ResponseType
from scml.oneshot import QUANTITY, UNIT_PRICE, OneShotAgent


class OwnAgent(OneShotAgent):
    """Asks each partner for all that is needed at the best price, and accepts what is not more than needed.

    In the first half of a negotiation it accepts good prices only.
    """

    def propose(self, negotiator_id, state):
        needed = self._needed()
        if needed <= 0:
            return None
        issues = self._issues(negotiator_id)
        offer = [0, self.awi.current_step, 0]
        offer[QUANTITY] = min(needed, issues[QUANTITY].max_value)
        offer[UNIT_PRICE] = self._best_price(issues)
        return tuple(offer)

    def respond(self, negotiator_id, state, source=None):
        offer = state.current_offer
        if offer is None:
            return ResponseType.REJECT_OFFER
        if self._needed() <= 0:
            return ResponseType.END_NEGOTIATION
        good = offer[UNIT_PRICE] == self._best_price(self._issues(negotiator_id))
        if offer[QUANTITY] <= self._needed() and (good or state.relative_time > 0.5):
            return ResponseType.ACCEPT_OFFER
        return ResponseType.REJECT_OFFER

    def _needed(self):
        """Items still to be traded today; a factory of OneShot negotiates on one side only."""
        return self.awi.needed_sales if self.awi.is_first_level else self.awi.needed_supplies

    def _issues(self, negotiator_id):
        return self.get_nmi(negotiator_id).issues

    def _best_price(self, issues):
        prices = issues[UNIT_PRICE]
        return prices.max_value if self.awi.is_first_level else prices.min_value
