"""Gahboninho, second of ANAC 2011: shows what it likes, then holds out, the longer the more the other side moves.

Source: Ben Adar, Sofy and Elimelech, *Gahboninho: Strategy for Balancing Pressure and Compromise in Automated
Negotiation*, 2013, for the idea; stages and rates from the measured behaviour of the original program
(docs/results/negotiators.md). What it does:

- While it *probes* (40 bids from the second offer received on, before t = .15) its bids fall evenly from 1 to .925.
- Then it aims at ``high - (high - low) t``: ``low`` is the best offer received or the floor of the stage, ``high`` is
  1 + 6 x pressure. The better the offers received, the higher the pressure; it stays as it is when the aim begins to
  fall, so a side that concedes early is made to wait until t = .97, and a stubborn one is given way to from .85 on.
- The aim falls slowly, a little faster in each stage.
- Of the outcomes just above the aim it bids the one whose values the other side has asked for most.
- In its last turn it bids the best offer that it has received.
"""

from __future__ import annotations

import math

import numpy as np

from scml_gym.bilateral.negotiators.base import Table, TableStrategy, at_least, between, count_at_least, relative_time
from scml_gym.jit.compile import jittable

PROBES, PROBE_END, PROBE_FALL, PROBE_ACCEPT = 40.0, 0.15, 0.075, 0.95
STAGE_END = np.array([0.85, 0.92, 0.94, 0.985, np.inf])
STAGE_FLOOR = np.array([0.9125, 0.84, 0.775, 0.7, 0.5])
STAGE_FACTOR = np.array([0.95, 0.94, 0.93, 0.91, 0.91])
"""Of the stages: until when; what ``low`` is at least; which part of the aim is accepted."""
LAST, ROUNDS_LEFT, CERTAIN_LAST = 0.94, 1.5, 0.9996
"""After ``LAST`` a turn is its last if fewer than that many rounds are left or ``CERTAIN_LAST`` is over."""

MOST_PRESSURE, CHOICES = 0, 1
PARAMETERS = {
    "most_pressure": 1.2,  # on a side that has offered much
    "choices": 0.00115,  # from so many outcomes just above its aim it bids one, on average, as a part of all outcomes
}

UNMOVED, CALM, MOVED = 0.08, 0.2, 0.67
"""Pressure on a side that has conceded nothing, and little; from which offer on it rises to the most."""

N_OFFERS, BEST, BEST_OFFER, N_PROBES, PRESSURE, CONCEDED, LEAST, LIKED = range(8)
"""State: offers received, the best one's utility and index; probing bids made; pressure; 1 - aim, of the main part;
the least that is accepted in this turn; then how often each value of each issue was offered, the last issue's first."""


@jittable
def stage_at(time: float) -> int:
    """Index of the stage; stages end with their last moment."""
    stage = 0
    while time > STAGE_END[stage]:
        stage += 1
    return stage


@jittable
def pressure_of(best: float, most: float) -> float:
    """How hard the other side is pressed, by the best that it has offered."""
    if best <= MOVED:
        return min(max(UNMOVED + 2.0 * (best - 0.59), UNMOVED), CALM)
    return min(CALM + 20.0 * (best - MOVED), most)


@jittable
def concession(time: float) -> float:
    """By how much the aim may fall at once."""
    if time <= 0.94:
        return 0.00045
    if time <= 0.985:
        return 0.001
    return 0.001 + 0.01 * (time - 0.985) / 0.015


@jittable
def is_last(step: int, n_steps: int) -> bool:
    """Whether no further turn is sure to come."""
    time = relative_time(step, n_steps)
    return time > LAST and (time > CERTAIN_LAST or (1.0 - time) * (n_steps + 1) < ROUNDS_LEFT)


@jittable
def concede(state: np.ndarray, stage: int, time: float) -> float:
    """1 - aim, a step further; the aim falls twice in a turn, before it decides and before it bids."""
    low = max(state[BEST], STAGE_FLOOR[stage])
    high = 1.0 + 6.0 * state[PRESSURE]
    fallen = min(1.0 - high + (high - low) * time, state[CONCEDED] + concession(time))
    return max(fallen, state[CONCEDED])


@jittable
def receive(
    table: Table, offer: int, step: int, n_steps: int, state: np.ndarray, params: np.ndarray, draws: np.ndarray
) -> None:
    """Keep the best offer, and count which values the other side asks for."""
    state[N_OFFERS] += 1.0
    if state[N_OFFERS] == 1.0 or table.utilities[offer] > state[BEST]:
        state[BEST] = table.utilities[offer]
        state[BEST_OFFER] = offer
    first = LIKED
    for i in range(table.shape.size - 1, -1, -1):
        if table.shape[i] > 1:  # so there are no more counts than outcomes
            state[first + offer % table.shape[i]] += 1.0
            first += table.shape[i]
        offer //= table.shape[i]


@jittable
def liking(table: Table, outcome: int, state: np.ndarray) -> float:
    """How often the other side asked for the values of an outcome; what it repeats counts less each time."""
    total, first = 0.0, LIKED
    for i in range(table.shape.size - 1, -1, -1):
        if table.shape[i] > 1:
            total += math.sqrt(state[first + outcome % table.shape[i]])
            first += table.shape[i]
        outcome //= table.shape[i]
    return total


@jittable
def above(table: Table, aim: float, choices: int, state: np.ndarray) -> int:
    """Of the outcomes just above an aim, the one that the other side should like best; of equal ones the lowest."""
    first = max(count_at_least(table, aim), 1) - 1
    chosen, most = first, -1.0
    for i in range(first, max(first - choices, -1), -1):
        liked = liking(table, table.order[i], state)
        if liked > most:
            chosen, most = i, liked
    return int(table.order[chosen])


@jittable
def propose(table: Table, step: int, n_steps: int, state: np.ndarray, params: np.ndarray, draws: np.ndarray) -> int:
    """The outcome just above the aim of the part; at last the best offer received."""
    time = relative_time(step, n_steps)
    state[LEAST] = PROBE_ACCEPT
    if state[N_OFFERS] < 2.0:
        return at_least(table, 1.0)
    if state[N_PROBES] < PROBES and time < PROBE_END:
        state[N_PROBES] += 1.0
        return at_least(table, 1.0 - PROBE_FALL * (state[N_PROBES] - 1.0) / PROBES)
    stage = stage_at(time)
    if state[CONCEDED] == 0.0:
        state[PRESSURE] = pressure_of(state[BEST], params[MOST_PRESSURE])
    state[CONCEDED] = concede(state, stage, time)
    state[LEAST] = STAGE_FACTOR[stage] * (1.0 - state[CONCEDED])
    state[CONCEDED] = concede(state, stage, time)
    if is_last(step, n_steps):
        if relative_time(step - 1, n_steps) > STAGE_END[3]:
            state[LEAST] = min(state[LEAST], state[BEST])
        return int(state[BEST_OFFER])
    choices = max(int(params[CHOICES] * table.order.size + draws[0]), 1)
    return above(table, 1.0 - state[CONCEDED], choices, state)


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
    """While probing .95, then a part of the aim; in a last turn that it has come near to, the best offer so far."""
    return table.utilities[offer] >= state[LEAST]


GAHBONINHO = TableStrategy(
    "Gahboninho",
    receive,
    propose,
    accepts,
    PARAMETERS,
    state_size=LIKED,
    state_per_outcome=1,
    n_draws=1,
    summary="probes, then holds out until the very end (second of ANAC 2011)",
    ranges={"most_pressure": between(0.0, 10.0), "choices": between(0.0, 1.0)},
)
