"""Adaptive price: concession on price is limited by the prices that each partner has granted so far.

A learner of the kind built up in scml's OneShot tutorial (simple, better, adaptive, learning agent), after a design of
its own: what is learnt of a partner is how much of the price range it can be expected to grant. An agreement moves the
expectation towards its price; a day that ends without one and with needs unmet lowers it, so that holding out in vain
is unlearnt. Within a day nobody gets a worse price than the best one that anybody has offered, less a slack.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.oneshot.strategies.base import Strategy
from scml_gym.oneshot.strategies.market import price_gain
from scml_gym.oneshot.strategies.time_dependent import answer
from scml_gym.oneshot.view import MAX_PARTNERS, ActionArray, FactoryView

PARAMETERS = {
    "exponent": 0.5,  # concession: aspiration falls to its limit with relative time to this power
    "rate": 0.2,  # of learning: weight of the newest day
    "slack": 0.6,  # how far below today's best offer concession may go, as a fraction of the price range
    "excess": 0.2,  # accepted beyond the needs at the deadline, as a fraction of the lines
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)

BEST = MAX_PARTNERS
"""State: the price position expected of each partner (0 the worst for this factory, 1 the best), then today's best."""


@jittable
def decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Concede towards each partner down to what it, or today's market, has been seen to grant."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] != 0 and view["partners"][k]["offer_quantity"] > 0:
            state[BEST] = max(state[BEST], price_gain(view, view["partners"][k]["offer_price"]))
    left = view["needs"]
    for k in range(view["n_partners"]):
        if view["partners"][k]["my_turn"] == 0:
            continue
        limit = min(max(state[k], state[BEST] - parameters["slack"], 0.0), 1.0)
        conceded = view["partners"][k]["relative_time"] ** parameters["exponent"]
        excess = int(parameters["excess"] * view["lines"] * conceded + 0.5)
        left -= answer(view, actions, k, left, limit + (1.0 - limit) * (1.0 - conceded), excess)


@jittable
def learn(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
    """At the end of a day: move what is expected of each partner."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    for k in range(view["n_partners"]):
        if view["partners"][k]["agreed_quantity"] > 0:
            granted = price_gain(view, view["partners"][k]["agreed_price"])
            state[k] += parameters["rate"] * (granted - state[k])
        elif view["needs"] > 0:
            state[k] -= parameters["rate"] * state[k]
    state[BEST] = 0.0


ADAPTIVE_PRICE = Strategy(
    "adaptive-price",
    decide,
    PARAMETERS,
    state_size=MAX_PARTNERS + 1,
    synchronous=False,
    learn=learn,
    summary="concedes no further than each partner's past prices (as the learning agent of scml's OneShot tutorial)",
    n_draws=0,
)
