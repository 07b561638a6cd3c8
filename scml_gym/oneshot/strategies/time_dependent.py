"""Time-dependent strategies: aspiration falls with relative time to a power, late (boulware) or early (conceder).

The classical family (Faratin, Sierra and Jennings 1998; in negmas ``PolyAspiration``), here for many partners at once:
the needs of the moment are divided equally over the partners still negotiating, the price follows the aspiration, and
quantities beyond the needs are tolerated as it falls. scml's ``SingleAgreementAspirationAgent``
(scml/oneshot/agents/aspiration.py) concedes alike, but makes one agreement a day at most.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.oneshot.strategies.base import Strategy
from scml_gym.oneshot.strategies.market import accept, advantage, end, offer, price_at, running_partners
from scml_gym.oneshot.view import ActionArray, FactoryView

PARAMETERS = {
    "exponent": 4.0,  # aspiration is 1 - relative time to this power
    "excess": 0.2,  # accepted beyond the needs at no aspiration, as a fraction of the lines
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)


@jittable
def answer(view: FactoryView, actions: ActionArray, k: int, left: int, aspiration: float, excess: int) -> int:
    """Accept, counter or end with one partner whose turn has come.

    A price is accepted that would be offered, and a quantity up to what is left and the excess. The counter-offer is an
    equal share of what is left.

    Args:
        view: What the factory sees.
        actions: Written to.
        k: The partner.
        left: Items still to be traded.
        aspiration: Position of the price in today's range, 1 the best for this factory.
        excess: Items accepted beyond what is left.

    Returns:
        The quantity accepted, 0 for none.
    """
    if left <= 0:
        end(actions, k)
        return 0
    price = price_at(view, aspiration)
    offered = view["partners"][k]["offer_quantity"]
    if 0 < offered <= left + excess:
        if advantage(view, view["partners"][k]["offer_price"]) >= advantage(view, price):
            accept(actions, k)
            return offered
    n = max(running_partners(view), 1)
    quantity = min(max((left + n - 1) // n, view["min_quantity"]), view["max_quantity"])
    offer(actions, k, quantity, price)
    return 0


@jittable
def decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Answer each partner by the aspiration of the moment."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    left = view["needs"]
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0:
            aspiration = 1.0 - view["partners"][k]["relative_time"] ** parameters["exponent"]
            excess = int(parameters["excess"] * view["lines"] * (1.0 - aspiration) + 0.5)
            left -= answer(view, actions, k, left, aspiration, excess)


BOULWARE = Strategy(
    "boulware",
    decide,
    PARAMETERS,
    synchronous=False,
    summary="shares of the needs, holds out for the good price until late",
    n_draws=0,
)
CONCEDER = Strategy(
    "conceder",
    decide,
    PARAMETERS | {"exponent": 0.25},
    synchronous=False,
    summary="shares of the needs, gives up the good price at once",
    n_draws=0,
)
