"""A clone as a strategy: it chooses a set of offers, how much to ask the rest for, each partner's share, and prices."""

from __future__ import annotations

import math

import numpy as np

from scml_gym.jit.arrays import line_of, scratch_floats, scratch_integers
from scml_gym.jit.compile import jittable
from scml_gym.jit.once import compiled_once
from scml_gym.oneshot.clones.features import (
    BEST_PRICE,
    BEST_RATE,
    BETWEEN,
    MAX_SETS,
    Sets,
    add_asked,
    drop_asked,
    find_sets,
    is_opening,
    least_share,
    most_total,
    price_features,
    running,
    set_features,
    share_features,
    total_features,
)
from scml_gym.oneshot.clones.layout import (
    LEVEL_SIZE,
    MAX_FEATURES,
    MEMORY_SIZE,
    N_CONTEXTS,
    N_PRICE,
    N_SET,
    N_SHARE,
    N_TOTAL,
    PRICE,
    SET,
    SHARE,
    TOTAL,
    fill_context,
    mix,
    remember,
    utility,
)
from scml_gym.oneshot.strategies.base import Strategy
from scml_gym.oneshot.strategies.market import accept, draw_integer, end, offer, price_at
from scml_gym.oneshot.view import MAX_PARTNERS, ActionArray, FactoryView

SET_DRAW, TOTAL_DRAW, SHARE_DRAWS = 0, 1, 2
PRICE_DRAWS, BETWEEN_DRAWS = SHARE_DRAWS + MAX_PARTNERS, SHARE_DRAWS + 2 * MAX_PARTNERS
N_CLONE_DRAWS = BETWEEN_DRAWS + MAX_PARTNERS
"""Where the draws of a decision's choices stand, and how many there are."""

FIRST_SET, FIRST_TOTAL, FIRST_SHARE, FIRST_PRICE = SET.first, TOTAL.first, SHARE.first, PRICE.first


@jittable
def drawn(utilities: np.ndarray, n: int, draw: float) -> int:
    """The alternative that a draw in [0, 1) chooses.

    Args:
        utilities: Of the alternatives, overwritten.
        n: How many there are.
        draw: Uniform.
    """
    most, total = utilities[0], 0.0
    for i in range(1, n):
        most = max(most, utilities[i])
    for i in range(n):
        utilities[i] = math.exp(utilities[i] - most)
        total += utilities[i]
    rest = draw * total
    for i in range(n):
        rest -= utilities[i]
        if rest < 0.0:
            return i
    return n - 1


@jittable
def play(view: FactoryView, memory: np.ndarray, weights: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Answer all partners whose turn it is; see `scml_gym.game.strategy.Strategy.decide`.

    Args:
        view: Of the decision.
        memory: Of the clone.
        weights: Of its level.
        draws: Uniform numbers, at least ``N_CLONE_DRAWS``.
        actions: Receives the answers.
    """
    index, value = scratch_integers(MAX_FEATURES), scratch_floats(MAX_FEATURES)
    context, mixed, utilities = scratch_floats(N_CONTEXTS), scratch_floats(N_SET), scratch_floats(MAX_SETS)
    opening, n_partners = is_opening(view), view["n_partners"]
    fill_context(view, memory, opening, context)

    taken, quantity = 0, 0
    if not opening:
        sets = Sets(
            scratch_integers(MAX_PARTNERS),
            scratch_floats(MAX_SETS),
            scratch_floats(MAX_SETS),
            scratch_floats(MAX_SETS),
            scratch_floats(MAX_SETS),
            scratch_floats(MAX_SETS),
            scratch_floats(4),
        )
        n_offers, n_running = find_sets(view, memory, sets), running(view)
        mix(weights, FIRST_SET, N_SET, context, mixed)
        for mask in range(1 << n_offers):
            n = set_features(view, sets, n_offers, n_running, mask, index, value)
            utilities[mask] = utility(weights, FIRST_SET, N_SET, mixed, index, value, n)
        chosen = drawn(utilities, 1 << n_offers, draws[SET_DRAW])
        quantity = int(sets.quantity[chosen])
        for bit in range(n_offers):
            if (chosen >> bit) & 1:
                taken |= 1 << sets.partners[bit]

    left, n_rest = view["needs"] - quantity, 0
    asked = scratch_floats(4)
    asked[BEST_RATE] = -1.0
    for k in range(n_partners):
        if view["partners"][k]["my_turn"] != 0:
            if (taken >> k) & 1:
                accept(actions, k)
            else:
                n_rest += 1
                add_asked(view, memory, k, asked)
    if n_rest == 0:
        return
    mix(weights, FIRST_TOTAL, N_TOTAL, context, mixed)
    n_totals = most_total(view, n_rest) + 1
    for total in range(n_totals):
        n = total_features(left, opening, taken != 0, n_rest, total, index, value)
        utilities[total] = utility(weights, FIRST_TOTAL, N_TOTAL, mixed, index, value, n)
    rest = drawn(utilities, n_totals, draws[TOTAL_DRAW])
    shares = scratch_integers(MAX_PARTNERS)
    mix(weights, FIRST_SHARE, N_SHARE, context, mixed)
    for k in range(n_partners):
        if view["partners"][k]["my_turn"] == 0 or (taken >> k) & 1:
            continue
        least, share = least_share(view, n_rest, rest), rest
        if n_rest > 1 and rest > 0:
            n_shares = min(rest, view["max_quantity"]) - least + 1
            for i in range(n_shares):
                n = share_features(view, memory, opening, k, asked, rest, least + i, index, value)
                utilities[i] = utility(weights, FIRST_SHARE, N_SHARE, mixed, index, value, n)
            share = least + drawn(utilities, n_shares, draws[SHARE_DRAWS + k])
        shares[k] = share
        rest -= share
        n_rest -= 1
        drop_asked(view, memory, k, asked)

    mix(weights, FIRST_PRICE, N_PRICE, context, mixed)
    low, high, previous = view["min_price"], view["max_price"], -1
    for k in range(n_partners):
        if view["partners"][k]["my_turn"] == 0 or (taken >> k) & 1:
            continue
        if shares[k] == 0:
            end(actions, k)
            continue
        price = low
        if high > low:
            for kind in range(3):
                n = price_features(view, memory, taken != 0, k, shares[k], previous, kind, index, value)
                utilities[kind] = utility(weights, FIRST_PRICE, N_PRICE, mixed, index, value, n)
            if high == low + 1:
                utilities[BETWEEN] = -math.inf
            previous = drawn(utilities, 3, draws[PRICE_DRAWS + k])
            if previous == BETWEEN:
                price = draw_integer(draws[BETWEEN_DRAWS + k], low + 1, high - 1)
            else:
                price = price_at(view, 1.0 if previous == BEST_PRICE else 0.0)
        offer(actions, k, shares[k], price)


@compiled_once
def _decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    play(view, state, line_of(params, view["level"] * LEVEL_SIZE, LEVEL_SIZE), draws, actions)


def decide(view: FactoryView, state: np.ndarray, params: np.ndarray, draws: np.ndarray, actions: ActionArray) -> None:
    """Play with the weights of the factory's level; machine code in every world, for speed."""
    _decide(view, state, params, draws, actions)


@jittable
def learn(view: FactoryView, state: np.ndarray, params: np.ndarray) -> None:
    """Remember who agreed, and what was missing."""
    remember(view, state)


CLONE = Strategy(
    "clone",
    decide,
    state_size=MEMORY_SIZE,
    learn=learn,
    summary="a model of another agent, fitted to what it decided in real worlds",
    n_draws=N_CLONE_DRAWS,
)
"""All clones; the parameters are an array: the weights of a seller, then those of a buyer."""
