"""What layers over partners cannot compute of an observation of rows, computed for them; compiled, without any weights.

Which sets of standing offers fit the needs best, and a partner's part where what they leave is divided in the order of
the partners. The facts are those of `scml_gym.agents.sb3.partners.Sets`; a test compares them. Sets are enumerated over
the partners whose offers stand, of whom there are few, instead of over all eight.
"""

from __future__ import annotations

import numpy as np

from scml_gym.jit.arrays import part_of, scratch_integers
from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.observations.encoding import N_ENTITIES, N_ENTITY, N_FACTORY, N_PARTNER
from scml_gym.oneshot.observations.features import FACTORY_FEATURES, PARTNER_FEATURES
from scml_gym.oneshot.view import MAX_PARTNERS

F = np.float32

FACTORY = {feature.name: i for i, feature in enumerate(FACTORY_FEATURES)}
PARTNER = {feature.name: i for i, feature in enumerate(PARTNER_FEATURES)}
MOST = 10
"""Items of the largest offer and lines of a factory in the league: quantities are observed as fractions of it."""

PRICE_WEIGHT = 0.01
"""What the good price of an item counts beside an item of the gap, where two sets fit nearly as well."""

N_ROW = N_PARTNER + 3 + MOST + 1
N_CONTEXT = N_FACTORY + 5

BUYER, NEEDS = FACTORY["buyer"], FACTORY["needs"]
RUNNING, MY_TURN, TIME = PARTNER["running"], PARTNER["my_turn"], PARTNER["time"]
QUANTITY, PRICE = PARTNER["offer_quantity"], PARTNER["offer_price"]
BELOW, ABOVE, PLACE, SHARE = N_PARTNER, N_PARTNER + 1, N_PARTNER + 2, N_PARTNER + 3

MOST_SETS = 1 << MAX_PARTNERS


@compiled
def read_sets(observations: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The facts of ``n`` decisions, from observations, float32 ``(n, 9 * 16)``.

    Returns:
        The context and the mean row of the partners that negotiate, ``(n, N_CONTEXT + N_ROW)``; the rows,
        ``(n, 8, N_ROW)``; and the share of each in the mean, ``(n, 8)``; all float32.
    """
    n = len(observations)
    inputs, shares = np.empty((n, N_CONTEXT + N_ROW), np.float32), np.empty((n, MAX_PARTNERS), np.float32)
    rows, sets = np.empty((n, MAX_PARTNERS, N_ROW), np.float32), np.empty((2, MOST_SETS), np.float32)
    for i in range(n):
        read_facts(part_of(observations, i), part_of(inputs, i), part_of(rows, i), part_of(shares, i), sets)
    return inputs, rows, shares


@compiled
def read_context(observations: np.ndarray) -> np.ndarray:
    """The first part of `read_sets`; the rows of a decision are forgotten with the next one's."""
    n, sets = len(observations), np.empty((2, MOST_SETS), np.float32)
    inputs, shares = np.empty((n, N_CONTEXT + N_ROW), np.float32), np.empty((1, MAX_PARTNERS), np.float32)
    rows = np.empty((1, MAX_PARTNERS, N_ROW), np.float32)
    for i in range(n):
        read_facts(part_of(observations, i), part_of(inputs, i), part_of(rows, 0), part_of(shares, 0), sets)
    return inputs


@jittable
def read_facts(
    observation: np.ndarray, inputs: np.ndarray, rows: np.ndarray, shares: np.ndarray, sets: np.ndarray
) -> None:
    """Likewise of one decision, into arrays; ``sets``, float32 ``(2, MOST_SETS)``, is written over."""
    entities = observation.reshape(N_ENTITIES, N_ENTITY)
    for j in range(N_FACTORY):
        inputs[j] = entities[0, 1 + j]
    for k in range(MAX_PARTNERS):
        for j in range(N_PARTNER):
            rows[k, j] = entities[1 + k, 1 + j]
        for j in range(N_PARTNER, N_ROW):
            rows[k, j] = F(0)
    lacking, exceeding = _find_sets(inputs, rows, sets)
    n_asked, n_running, time = F(0), F(0), F(0)
    for k in range(MAX_PARTNERS):
        running = rows[k, RUNNING]
        n_asked += running * (F(1) - rows[k, BELOW])
        n_running += running
        time = max(time, rows[k, TIME] * running)
    place = F(0)
    for j in range(N_CONTEXT, N_CONTEXT + N_ROW):
        inputs[j] = F(0)
    for k in range(MAX_PARTNERS):
        running = rows[k, RUNNING]
        asked = running * (F(1) - rows[k, BELOW])
        place += asked
        share = np.floor(np.true_divide(-lacking + n_asked - place, max(n_asked, F(1))))
        rows[k, PLACE] = np.true_divide(place, F(MAX_PARTNERS))
        rows[k, SHARE + int(min(max(share, F(0)), F(MOST)) * asked)] = F(1)
        shares[k] = np.true_divide(running, max(n_running, F(1)))
        if running > F(0):
            for j in range(N_ROW):
                inputs[N_CONTEXT + j] += rows[k, j] * shares[k]
    inputs[N_FACTORY], inputs[N_FACTORY + 1] = lacking / F(MOST), exceeding / F(MOST)
    inputs[N_FACTORY + 2], inputs[N_FACTORY + 3] = n_asked / F(MAX_PARTNERS), n_running / F(MAX_PARTNERS)
    inputs[N_FACTORY + 4] = time


@jittable
def _find_sets(factory: np.ndarray, rows: np.ndarray, sets: np.ndarray) -> tuple[float, float]:
    """Mark the members of both sets in the rows of partners; their totals less the needs.

    As `scml_gym.agents.sb3.partners.fitting_sets`; ``sets`` receives the total and the gain of every set.
    """
    standing = scratch_integers(MAX_PARTNERS)
    sets[0, 0], sets[1, 0] = F(0), F(0)
    n, buyer = 0, factory[BUYER]
    for k in range(MAX_PARTNERS):
        offered = np.rint(F(MOST) * rows[k, QUANTITY] * rows[k, MY_TURN])
        if offered > F(0.5):
            price = rows[k, PRICE]
            gain = offered * (price + buyer * (F(1) - F(2) * price))
            for code in range(1 << n):
                sets[0, code + (1 << n)], sets[1, code + (1 << n)] = sets[0, code] + offered, sets[1, code] + gain
            standing[n] = k
            n += 1
    needs, below, above = np.rint(F(MOST) * factory[NEEDS]), 0, 0
    best_below, best_above = F(-1e3), F(-1e3)
    for code in range(1 << n):
        gap, price = sets[0, code] - needs, F(PRICE_WEIGHT) * sets[1, code]
        if gap <= F(0.5) and gap + price > best_below:
            below, best_below = code, gap + price
        if gap >= F(-0.5) and price - gap > best_above:
            above, best_above = code, price - gap
    for i in range(n):
        rows[standing[i], BELOW], rows[standing[i], ABOVE] = F(below >> i & 1), F(above >> i & 1)
    return sets[0, below] - needs, sets[0, above] - needs
