"""A factory's negotiations as a cooperative game: how much is bought is the business of all of them together."""

from __future__ import annotations

from typing import Any

import numpy as np

from scml_gym.commitment.base import check_actions, time_left
from scml_gym.core.arguments import real, whole
from scml_gym.core.errors import InputError

WAIT, ACCEPT = range(2)

OFFERS = (((3, 7), (2, 9), (4, 6)), ((3, 5), (2, 6), (4, 5)), ((0, 0), (2, 3), (4, 4)))
"""The standing offers that are played by default: for each round those of all partners, each quantity and unit price.
All concede; the first partner leaves before the last round."""


class SharedNeeds:
    """A cooperative negotiation (see `scml_gym.commitment.base.MarkovGame`): an agent for each partner of a factory.

    In every round each agent waits, or accepts its partner's standing offer, which ends its negotiation. After the last
    round all are paid what the factory made of what they bought together: ``revenue`` for each item that it needs, less
    prices, less ``disposal`` for each item too much and ``shortfall`` for each that is missing. Whether an offer is
    good thus depends on what the others do, and an early acceptance, though it pays by itself, costs a better price.

    Observations are the share of the rounds that is left and, of each agent, whether it still negotiates and what it
    has bought, as a share of the needs (at most 1).

    Args:
        offers: The standing offers: of each round, of each partner, quantity (whole, 0 for none) and unit price.
        needs: Items that the factory can use, at least 1.
        revenue: Money for each of these.
        disposal: Money for each item too much.
        shortfall: Money for each item missing.

    Raises:
        InputError: if the offers are of another shape, or a number is wrong.
    """

    action_names = ("wait", "accept")
    actions = 2

    def __init__(
        self,
        offers: Any = OFFERS,
        needs: int = 5,
        revenue: float = 10.0,
        disposal: float = 2.0,
        shortfall: float = 3.0,
    ) -> None:
        table = _offer_table(offers)
        self.quantities, self.prices = table[..., 0].astype(np.int64), table[..., 1]
        self.horizon, self.agents = self.quantities.shape
        self.features = 1 + 2 * self.agents
        self.needs = whole("needs", needs)
        self.revenue, self.disposal = real("revenue", revenue), real("disposal", disposal)
        self.shortfall = real("shortfall", shortfall)

    def initial(self, rows: tuple[int, ...]) -> np.ndarray:
        """Round 0, and nothing bought: of each agent the round of its acceptance counted from 1, 0 for none yet."""
        return np.zeros((*rows, 1 + self.agents), dtype=np.int64)

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Share of the rounds left; who still negotiates; what each has bought."""
        bought, _ = self._bought(state)
        share = np.minimum(bought / self.needs, 1.0)
        return np.concatenate([time_left(state, self.horizon), state[..., 1:] == 0, share], axis=-1)

    def step(self, state: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Acceptances of standing offers; after the last round, the factory's profit to every agent."""
        check_actions(state, actions, self.agents, self.actions)
        now, before = np.minimum(state[..., 0], self.horizon - 1), state[..., 1:]
        accepts = (actions == ACCEPT) & (before == 0) & (self.quantities[now] > 0)
        accepted = np.where(accepts, now[..., None] + 1, before)
        after = np.concatenate([state[..., :1] + 1, accepted], axis=-1)
        paid = np.where(after[..., 0] == self.horizon, self.profit(after), 0.0)
        return after, np.repeat(paid[..., None], self.agents, axis=-1)

    def profit(self, state: np.ndarray) -> np.ndarray:
        """What the factory makes of what was bought until a state: float64, ``rows``."""
        bought, paid = self._bought(state)
        total = bought.sum(axis=-1)
        used = np.minimum(total, self.needs)
        wrong = self.disposal * (total - used) + self.shortfall * (self.needs - used)
        return self.revenue * used - paid.sum(axis=-1) - wrong

    def _bought(self, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Items of each agent, and the money for them."""
        accepted, agents = state[..., 1:], np.arange(self.agents)
        quantities = np.where(accepted > 0, self.quantities[accepted - 1, agents], 0)
        return quantities, quantities * self.prices[accepted - 1, agents]


def _offer_table(offers: Any) -> np.ndarray:
    try:
        table = np.array(offers, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"offers: no array of numbers ({' '.join(str(error).split())})", "offers") from error
    if table.ndim != 3 or table.shape[-1] != 2 or not table.size:
        needed = "(rounds, partners, 2) is needed: quantities and unit prices"
        raise InputError(f"offers: an array of the shape {table.shape}; {needed}", "offers")
    quantities = table[..., 0]
    if not (np.isfinite(table).all() and (quantities >= 0).all() and (quantities == quantities.round()).all()):
        raise InputError("offers: finite numbers are needed, quantities whole and at least 0", "offers")
    return table
