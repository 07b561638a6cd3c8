"""What networks are given of an observation, without any weights; compiled.

The facts about sets are those of `scml_gym.agents.sb3.partners.Sets`; a test compares them.

Sets are enumerated over the partners whose offers stand, of whom there are few, instead of over all eight.
"""

from __future__ import annotations

import numpy as np

from scml_gym.agents.sb3.partners import FACTORY, MOST, N_CONTEXT, N_ROW, PARTNER, PRICE_WEIGHT
from scml_gym.core.registry import Registry
from scml_gym.jit.arrays import line_of, part_of, scratch_integers
from scml_gym.jit.compile import compiled, jittable
from scml_gym.oneshot.observations.encoding import N_ENTITIES, N_ENTITY, N_FACTORY, N_PARTNER
from scml_gym.oneshot.view import MAX_PARTNERS

F = np.float32

BUYER, NEEDS = FACTORY["buyer"], FACTORY["needs"]
RUNNING, MY_TURN, TIME = PARTNER["running"], PARTNER["my_turn"], PARTNER["time"]
QUANTITY, PRICE = PARTNER["offer_quantity"], PARTNER["offer_price"]
BELOW, ABOVE, PLACE, SHARE = N_PARTNER, N_PARTNER + 1, N_PARTNER + 2, N_PARTNER + 3

MOST_SETS = 1 << MAX_PARTNERS


Facts = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of ``n`` decisions, float32: inputs, ``(n, inputs)``; rows, ``(n, rows, size)``, of size 0 where the inputs are a
decision's single row; and the share of each row in the mean, ``(n, rows)``."""

FACTS = Registry("fast network")
"""How facts are computed of observations, float32 ``(n, size)``.

Their names are those of `scml_gym.agents.sb3.hyperparameters.FEATURES`.
"""


def read_flat(observations: np.ndarray) -> Facts:
    """A single row."""
    return observations, observations[:, None, :0], np.ones((len(observations), 1), np.float32)


@compiled
def read_sets(observations: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The facts of ``n`` decisions, from observations, float32 ``(n, 9 * 16)``.

    Returns:
        The context and the mean row of the partners that negotiate, ``(n, N_CONTEXT + N_ROW)``; the rows,
        ``(n, 8, N_ROW)``; and the share of each in the mean, ``(n, 8)``; all float32.
    """
    n = len(observations)
    inputs, shares = np.empty((n, N_CONTEXT + N_ROW), np.float32), np.empty((n, MAX_PARTNERS), np.float32)
    rows, sets = np.empty((n, MAX_PARTNERS, N_ROW), np.float32), np.empty(2 * MOST_SETS, np.float32)
    for i in range(n):
        _read(part_of(observations, i), part_of(inputs, i), part_of(rows, i), part_of(shares, i), sets)
    return inputs, rows, shares


@compiled
def read_context(observations: np.ndarray) -> np.ndarray:
    """The first part of `read_sets`; the rows of a decision are forgotten with the next one's."""
    n, sets = len(observations), np.empty(2 * MOST_SETS, np.float32)
    inputs, shares = np.empty((n, N_CONTEXT + N_ROW), np.float32), np.empty((1, MAX_PARTNERS), np.float32)
    rows = np.empty((1, MAX_PARTNERS, N_ROW), np.float32)
    for i in range(n):
        _read(part_of(observations, i), part_of(inputs, i), part_of(rows, 0), part_of(shares, 0), sets)
    return inputs


@jittable
def _read(observation: np.ndarray, inputs: np.ndarray, rows: np.ndarray, shares: np.ndarray, sets: np.ndarray) -> None:
    """Write the facts of a decision; ``sets``, float32 ``(2 * MOST_SETS,)``, is written over."""
    entities = observation.reshape(N_ENTITIES, N_ENTITY)
    for j in range(N_FACTORY):
        inputs[j] = entities[0, 1 + j]
    for k in range(MAX_PARTNERS):
        for j in range(N_PARTNER):
            rows[k, j] = entities[1 + k, 1 + j]
        for j in range(N_PARTNER, N_ROW):
            rows[k, j] = F(0)
    lacking, exceeding = _find_sets(inputs, rows, line_of(sets, 0, MOST_SETS), line_of(sets, MOST_SETS, MOST_SETS))
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
def _find_sets(factory: np.ndarray, rows: np.ndarray, totals: np.ndarray, gains: np.ndarray) -> tuple[float, float]:
    """Mark the members of both sets in the rows of partners; their totals less the needs.

    As `scml_gym.agents.sb3.partners.fitting_sets`; ``totals`` and ``gains``, float32 ``(MOST_SETS,)``, are scratch.
    """
    standing = scratch_integers(MAX_PARTNERS)
    totals[0], gains[0] = F(0), F(0)
    n, buyer = 0, factory[BUYER]
    for k in range(MAX_PARTNERS):
        offered = np.rint(F(MOST) * rows[k, QUANTITY] * rows[k, MY_TURN])
        if offered > F(0.5):
            price = rows[k, PRICE]
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


FACTS.register("flatten", read_flat)
FACTS.register("sets", lambda observations: read_flat(read_context(observations)))
FACTS.register("partners", read_sets)
