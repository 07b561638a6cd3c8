"""The simplest strategies: yardsticks from below, and partners that make any mix of opponents more diverse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scml_gym.jit.compile import jittable
from scml_gym.jit.parameters import parameters_dtype, record_of
from scml_gym.simulator.strategies import accept, draw_integer, end
from scml_gym.standard.rules import prices_with
from scml_gym.standard.strategies.base import Strategy
from scml_gym.standard.strategies.market import days_ahead, offer
from scml_gym.standard.view import MAX_PARTNERS, ActionArray, StandardView

PARAMETERS = {
    "accept": 0.1,  # probability of accepting a standing offer
    "end": 0.005,  # probability of ending the negotiation at a standing offer
}
PARAMETERS_DTYPE = parameters_dtype(PARAMETERS)


@jittable
def decide_random(
    view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
) -> None:
    """End or accept with fixed probabilities, else offer any quantity on any day at any price of today's ranges."""
    parameters = record_of(params, PARAMETERS_DTYPE, 0)
    for k in range(MAX_PARTNERS):
        if view["partners"][k]["my_turn"] == 0:
            continue
        chance = draws[k]
        standing = view["partners"][k]["offer_quantity"] > 0
        if standing and chance < parameters["end"]:
            end(actions, k)
        elif standing and chance < parameters["end"] + parameters["accept"]:
            accept(actions, k)
        else:
            quantity = draw_integer(draws[MAX_PARTNERS + k], view["min_quantity"], view["max_quantity"])
            low, high = prices_with(view, k)
            n_days = days_ahead(view) + 1
            pair = draw_integer(draws[2 * MAX_PARTNERS + k], 0, n_days * (high - low + 1) - 1)
            offer(actions, k, quantity, view["day"] + pair % n_days, low + pair // n_days)


@jittable
def decide_nothing(
    view: StandardView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray
) -> None:
    """End every negotiation."""
    for k in range(MAX_PARTNERS):
        if view["partners"][k]["my_turn"] != 0:
            end(actions, k)


RANDOM = Strategy(
    "random",
    decide_random,
    PARAMETERS,
    synchronous=False,
    summary="random answers and offers (as RandomStdAgent, scml/std/agents/rand.py)",
    n_draws=3 * MAX_PARTNERS,
    partner_draws=3,
)
DO_NOTHING = Strategy(
    "do-nothing",
    decide_nothing,
    synchronous=False,
    summary="ends every negotiation",
    n_draws=0,
)
NO_TRADE = replace(DO_NOTHING, name="no-trade", summary="ends every negotiation (do-nothing, as a measuring stick)")
"""What every trade is measured by: in the middle of the chain it scores exactly 1."""
