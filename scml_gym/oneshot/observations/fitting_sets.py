"""What layers over partners cannot compute of an observation of rows, computed for them; compiled, without any weights.

Which sets of standing offers fit the needs best, and a partner's part where what they leave is divided in the order of
the partners. The facts are those of `scml_gym.agents.sb3.partners.Sets`; a test compares them. Sets are enumerated over
the partners whose offers stand, of whom there are few, instead of over all eight.
"""

from __future__ import annotations

import numpy as np

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


@compiled
def read_sets(observations: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The facts of ``n`` decisions, from observations, float32 ``(n, 9 * 16)``.

    Returns:
        The context and the mean row of the partners that negotiate, ``(n, N_CONTEXT + N_ROW)``; the rows,
        ``(n, 8, N_ROW)``; and the share of each in the mean, ``(n, 8)``; all float32.
    """
    n = len(observations)
    inputs, shares = np.empty((n, N_CONTEXT + N_ROW), np.float32), np.empty((n, MAX_PARTNERS), np.float32)
    rows = np.empty((n, MAX_PARTNERS, N_ROW), np.float32)
    for i in range(n):
        read_facts(observations[i], inputs[i], rows[i], shares[i])
    return inputs, rows, shares


@jittable
def read_facts(observation: np.ndarray, inputs: np.ndarray, rows: np.ndarray, shares: np.ndarray) -> None:
    """Likewise of one decision, into arrays."""
    entities = observation.reshape(N_ENTITIES, N_ENTITY)
    factory, partners = entities[0, 1 : 1 + N_FACTORY], entities[1:, 1 : 1 + N_PARTNER]
    context, mean = inputs[:N_CONTEXT], inputs[N_CONTEXT:]
    context[:N_FACTORY] = factory
    rows[:, :N_PARTNER] = partners
    rows[:, N_PARTNER:] = F(0)
    lacking, exceeding = _find_sets(factory, partners, rows)
    n_asked, n_running, time = F(0), F(0), F(0)
    for k in range(MAX_PARTNERS):
        running = partners[k, RUNNING]
        n_asked += running * (F(1) - rows[k, BELOW])
        n_running += running
        time = max(time, partners[k, TIME] * running)
    place = F(0)
    mean[:] = F(0)
    for k in range(MAX_PARTNERS):
        running, row = partners[k, RUNNING], rows[k]
        asked = running * (F(1) - row[BELOW])
        place += asked
        share = np.floor(np.true_divide(-lacking + n_asked - place, max(n_asked, F(1))))
        row[PLACE] = np.true_divide(place, F(MAX_PARTNERS))
        row[SHARE + int(min(max(share, F(0)), F(MOST)) * asked)] = F(1)
        shares[k] = np.true_divide(running, max(n_running, F(1)))
        if running > F(0):
            for j in range(N_ROW):
                mean[j] += row[j] * shares[k]
    facts = context[N_FACTORY:]
    facts[0], facts[1] = lacking / F(MOST), exceeding / F(MOST)
    facts[2], facts[3], facts[4] = n_asked / F(MAX_PARTNERS), n_running / F(MAX_PARTNERS), time


@jittable
def _find_sets(factory: np.ndarray, partners: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    """Mark the members of both sets in the rows; their totals less the needs.

    As `scml_gym.agents.sb3.partners.fitting_sets`.
    """
    n = 0
    for k in range(MAX_PARTNERS):
        n += partners[k, MY_TURN] > F(0)
    sets, standing = np.empty((2, 1 << n), np.float32), np.empty(n, np.int64)
    totals, gains = sets
    totals[0], gains[0] = F(0), F(0)
    n, buyer = 0, factory[BUYER]
    for k in range(MAX_PARTNERS):
        offered = np.rint(F(MOST) * partners[k, QUANTITY] * partners[k, MY_TURN])
        if offered > F(0.5):
            price = partners[k, PRICE]
            gain = offered * (price + buyer * (F(1) - F(2) * price))
            for code in range(1 << n):
                totals[code + (1 << n)], gains[code + (1 << n)] = totals[code] + offered, gains[code] + gain
            standing[n] = k
            n += 1
    needs, below, above = np.rint(F(MOST) * factory[NEEDS]), 0, 0
    best_below, best_above = F(-1e3), F(-1e3)
    for code in range(1 << n):
        gap, price = totals[code] - needs, F(PRICE_WEIGHT) * gains[code]
        if gap <= F(0.5) and gap + price > best_below:
            below, best_below = code, gap + price
        if gap >= F(-0.5) and price - gap > best_above:
            above, best_above = code, price - gap
    for i in range(n):
        rows[standing[i], BELOW], rows[standing[i], ABOVE] = F(below >> i & 1), F(above >> i & 1)
    return totals[below] - needs, totals[above] - needs
