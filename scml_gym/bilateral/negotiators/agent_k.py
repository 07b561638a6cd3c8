"""AgentK, the winner of ANAC 2010: it estimates the best that the other side may still concede, and aims in between.

Source: Kawaguchi, Fujita and Ito, *AgentK: Compromising Strategy Based on Estimated Maximum Utility for Automated
Negotiating Agents*, 2012, and the behaviour of the original program. That program looks for a bid by trying outcomes
at random, 501 times before it lowers its aim by .01 and tries again; here the result of the search is drawn from its
exact distribution, with two numbers in place of thousands.
"""

from __future__ import annotations

import math

import numpy as np

from scml_gym.bilateral.negotiators.base import POSITIVE, Table, TableStrategy, between, count_at_least, relative_time
from scml_gym.jit.compile import jittable

TRIES = 501.0
"""Random outcomes that the original tries before it lowers its aim."""
CONCESSION = 0.01
"""By how much it does."""

TREMOR, DIVISOR = 0, 1
PARAMETERS = {
    "tremor": 2.0,  # width of the noise in the exponent of the bids' aim
    "divisor": 5.0,  # of time's part in the probability to accept
}

N_OFFERS, SUM, SUM_SQUARES, BEST, TARGET, BID_TARGET, PROBABILITY, SEEN = range(8)
"""State: offers received; their utilities' sum, sum of squares and maximum; what a good offer is worth, what an own bid
should be worth (once there are offers), the probability to accept; then 1 for each outcome that has been offered."""

TREMOR_DRAW, ACCEPT_DRAW, REPEAT_DRAW, LEVEL_DRAW, BID_DRAW = range(5)


@jittable
def approach(aim: float, reachable: float, time: float) -> float:
    """An aim, lowered some way towards what the other side seems ready to concede, and at least that."""
    if aim <= reachable:
        return reachable
    distance = aim - reachable
    most = 400.0 - 300.0 * time**3.0
    return aim - distance * min(1.0 / (distance * distance), most) / most


@jittable
def aim_at(exponent: float, deviation: float, reachable: float, time: float) -> float:
    """The aim of a time-dependent concession towards ``reachable``, slower where the offers vary little."""
    concession = time**exponent * (1.0 - reachable)
    ratio = 2.0
    if concession != 0.0:
        ratio = min((deviation + 0.1) / concession, 2.0)
    return approach(ratio * (1.0 - concession) + 1.0 - ratio, reachable, time)


@jittable
def receive(
    table: Table, offer: int, step: int, n_steps: int, state: np.ndarray, params: np.ndarray, draws: np.ndarray
) -> None:
    """Estimate what can be reached from mean and spread of the offers, and set both aims."""
    utility = table.utilities[offer]
    state[SEEN + offer] = 1.0
    state[N_OFFERS] += 1.0
    state[SUM] += utility
    state[SUM_SQUARES] += utility * utility
    state[BEST] = max(state[BEST], utility)
    mean = state[SUM] / state[N_OFFERS]
    deviation = math.sqrt(max(state[SUM_SQUARES] / state[N_OFFERS] - mean * mean, 0.0) * 12.0)
    reachable = mean + (1.0 - mean) * deviation
    time = relative_time(step, n_steps)
    tremor = params[TREMOR]
    exponent = 1.0 + tremor + 10.0 * mean - 2.0 * tremor * mean
    state[TARGET] = aim_at(exponent, deviation, reachable, time)
    state[BID_TARGET] = aim_at(exponent + (draws[TREMOR_DRAW] - 0.5) * tremor, deviation, reachable, time)
    chance = time**exponent / params[DIVISOR] + (utility - reachable) + (utility - state[TARGET])
    state[PROBABILITY] = 0.0 if chance < 0.1 else chance


@jittable
def accepts(
    table: Table,
    offer: int,
    bid: int,
    step: int,
    n_steps: int,
    state: np.ndarray,
    params: np.ndarray,
    draws: np.ndarray,
) -> bool:
    """Accept with a probability that grows with time and with the offer's utility beyond aim and estimate."""
    return state[PROBABILITY] > draws[ACCEPT_DRAW]


@jittable
def search(table: Table, target: float, level_draw: float, bid_draw: float) -> int:
    """What the random search for an outcome worth ``target`` finds, drawn from its distribution.

    With a fraction p of the outcomes good enough, all tries of a level fail with probability (1 - p)^501; what a level
    finds is any of its good outcomes, each as likely as another.
    """
    n = table.utilities.size
    missed = 1.0
    while True:
        count = count_at_least(table, target)
        missed *= (1.0 - count / n) ** TRIES
        if level_draw >= missed:
            return int(table.order[int(bid_draw * count)])
        target -= CONCESSION


@jittable
def repeat(table: Table, target: float, state: np.ndarray, draw: float) -> int:
    """One of the offers received that are worth more than ``target``, at random; there is at least one."""
    found = 0
    for i in range(table.order.size):
        if table.sorted[i] <= target:
            break
        found += int(state[SEEN + table.order[i]])
    left = int(draw * found)
    for i in range(table.order.size):
        outcome = table.order[i]
        if state[SEEN + outcome] != 0.0:
            if left == 0:
                return int(outcome)
            left -= 1
    return int(table.order[0])


@jittable
def propose(table: Table, step: int, n_steps: int, state: np.ndarray, params: np.ndarray, draws: np.ndarray) -> int:
    """An offer received that is good enough, else what the search finds."""
    if state[N_OFFERS] == 0.0:
        return search(table, 1.0, draws[LEVEL_DRAW], draws[BID_DRAW])
    if state[BEST] > state[TARGET]:
        return repeat(table, state[TARGET], state, draws[REPEAT_DRAW])
    return search(table, state[BID_TARGET], draws[LEVEL_DRAW], draws[BID_DRAW])


AGENT_K = TableStrategy(
    "AgentK",
    receive,
    propose,
    accepts,
    PARAMETERS,
    state_size=SEEN,
    state_per_outcome=1,
    n_draws=5,
    summary="estimates what the other side may concede and aims in between (winner of ANAC 2010)",
    ranges={"tremor": between(0.0, 10.0), "divisor": POSITIVE},
)
